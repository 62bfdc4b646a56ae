"""Data quality and reconciliation: pure rules, frames in, frames out."""

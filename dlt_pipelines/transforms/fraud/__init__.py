"""Fraud indicators and daily anomalies: pure rules, frames in, frames out."""

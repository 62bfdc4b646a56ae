"""Reserves and what claims will cost: pure rules, frames in, frames out."""

"""Customers, households and what they are worth: pure rules, frames in, frames out."""

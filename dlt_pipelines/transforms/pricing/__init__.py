"""Exposure, claims and premium by rating factor: pure rules, frames in, frames out."""

"""Streaming queries: run one, and find out whether there is new data."""

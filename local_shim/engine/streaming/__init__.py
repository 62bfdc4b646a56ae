"""Streaming queries: run one, find out whether there is new data, repeat the update."""

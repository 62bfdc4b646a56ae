"""Reads a storage outside of updates: SQL over its tables, and their export."""

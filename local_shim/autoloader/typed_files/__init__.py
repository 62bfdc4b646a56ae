"""Formats whose files carry the names and types of their columns."""

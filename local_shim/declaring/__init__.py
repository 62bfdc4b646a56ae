"""Turns calls of the decorators into datasets and flows of the active registry."""

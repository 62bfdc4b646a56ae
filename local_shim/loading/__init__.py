"""Loads a pipeline's source files: Python and SQL files, notebooks, and what they expect."""

"""Resolves the reads of dataset functions, during analysis and while flows run."""

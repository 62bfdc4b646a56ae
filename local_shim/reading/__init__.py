"""The doors through which pipeline code reads: the same for `spark`, SQL text and helpers."""

"""How reads in pipeline code are resolved: through `spark`, SQL text and helpers alike."""

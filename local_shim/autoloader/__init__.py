"""Auto Loader (cloudFiles) on plain Structured Streaming."""

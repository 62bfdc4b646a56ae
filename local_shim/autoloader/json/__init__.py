"""JSON files: lines and types."""

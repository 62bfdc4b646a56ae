"""Creates, fills and reads Delta tables, and reads their logs."""

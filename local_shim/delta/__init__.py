"""The hands on Delta tables: making them, filling them, and reading their logs."""

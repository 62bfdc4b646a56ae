"""CSV files: headers, columns and types."""

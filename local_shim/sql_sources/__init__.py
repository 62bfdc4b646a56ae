"""SQL source files and cells: their statements, read and declared as the Python functions do."""

"""What is replaced in SQL text before Spark analyses it: names of datasets, paths on JSON text."""

"""A Databricks bundle: its files, targets, variables and references."""

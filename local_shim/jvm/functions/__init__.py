"""Functions: those that Databricks has beyond Spark, and the code of Python functions."""

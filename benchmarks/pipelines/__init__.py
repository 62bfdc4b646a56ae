"""Whole pipelines of small tables: this shim beside spark-pipelines and hand-written PySpark."""

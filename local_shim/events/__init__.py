"""The event log of updates, in Databricks' shape."""

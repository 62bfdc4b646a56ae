"""What happened, told as Databricks tells it."""

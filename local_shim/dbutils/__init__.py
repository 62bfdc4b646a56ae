"""`dbutils` on this machine: files, secrets, widgets and notebooks, as Databricks offers them."""

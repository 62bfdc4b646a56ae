"""Rules that a bundle breaks without `databricks bundle validate` noticing."""

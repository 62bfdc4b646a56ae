"""Runs Delta Live Tables definitions on plain Spark and Delta, on one machine."""

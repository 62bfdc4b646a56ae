"""Executes the plan of an update on Spark."""

"""The hands that carry out a plan on Spark."""

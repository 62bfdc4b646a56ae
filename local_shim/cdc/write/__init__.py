"""How the rows of a batch reach the target table."""

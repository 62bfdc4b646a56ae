"""What AUTO CDC must know beyond its target: the state rows beside it."""

"""What Spark runs on: the Java machine, its jars, and names in it."""

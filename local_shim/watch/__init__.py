"""`dlt-local run --watch`: updates after each save, in one process that keeps its JVM."""

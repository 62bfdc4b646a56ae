"""The Java machine: jars, the session, and every reach into Spark's internals."""

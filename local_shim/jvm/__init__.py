"""The JVM: jars, the session, and every use of Spark's internals."""

"""The jars on the class path of the JVM: Delta, Avro, resolved once by Spark's own Ivy."""

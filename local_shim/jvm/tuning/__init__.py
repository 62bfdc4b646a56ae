"""Work of Spark and Py4J that nobody needs here, left out."""

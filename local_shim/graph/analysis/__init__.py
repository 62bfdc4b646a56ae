"""The analysis of a pipeline: from declarations to a graph with the schema of every dataset."""

"""What to run: a bundle, a Spark pipeline spec or plain files, read into one PipelineSpec."""

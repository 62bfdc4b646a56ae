"""A workspace on this machine: the REST API of pipelines on 127.0.0.1."""

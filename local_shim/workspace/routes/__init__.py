"""The paths of the REST API, and the functions that answer requests."""

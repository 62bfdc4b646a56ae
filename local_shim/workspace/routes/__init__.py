"""The paths of the REST API, and what answers them."""

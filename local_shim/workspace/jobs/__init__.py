"""Jobs that clients created, and their runs."""

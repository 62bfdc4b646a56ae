"""One module for each kind of flow."""

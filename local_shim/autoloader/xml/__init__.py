"""XML files: one record for each element of the name `rowTag`."""

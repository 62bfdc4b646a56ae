"""The files of a source folder: listing, filters, limits, and what was read."""

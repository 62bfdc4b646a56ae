"""The bucket side: values, columns, file names, files and how they become visible."""

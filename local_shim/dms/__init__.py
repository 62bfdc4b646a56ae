"""A stand-in for AWS DMS: a PostgreSQL server's changes, written as the files DMS would write."""

"""The condition for PostgreSQL to know which row an UPDATE or DELETE means."""

# True for a table c whose updates and deletes can say which row they mean. An index that is
# deferrable or invalid does not count.
HAS_IDENTITY = """
(c.relreplident = 'f' OR EXISTS (
  SELECT FROM pg_catalog.pg_index i
  WHERE i.indrelid = c.oid AND i.indimmediate AND i.indisvalid
    AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident
        ELSE false END))
"""

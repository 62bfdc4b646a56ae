"""The grammar of SQL sources: tokens, clauses, and one definition for each statement."""

"""The target table of an AUTO CDC flow: its columns, their roles, and who may share it."""

"""Reading a storage from outside of an update: SQL over its tables, and their export."""

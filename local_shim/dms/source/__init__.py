"""The PostgreSQL side: connections, the catalog, the slot and its messages."""

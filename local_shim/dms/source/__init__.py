"""The PostgreSQL side: connections, the catalog, the slot and what its stream says."""

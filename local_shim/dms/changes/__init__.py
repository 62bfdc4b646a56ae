"""From decoded messages to rows in growing files."""

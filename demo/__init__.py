"""The whole line on one machine: a simulated insurer, DMS files, updates and figures."""

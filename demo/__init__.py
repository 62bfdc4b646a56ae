"""The whole line on one machine: a living insurer, DMS files, an update, an insurer's figures."""

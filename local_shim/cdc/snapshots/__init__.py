"""AUTO CDC FROM SNAPSHOT: differences between snapshots as changes."""

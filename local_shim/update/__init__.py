"""What an update is asked for, what it needs before it runs, and whether it has anything to do."""

"""Shows an update to people; reads events only."""

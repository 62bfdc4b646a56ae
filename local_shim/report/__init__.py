"""What a person sees of an update; reads events only."""

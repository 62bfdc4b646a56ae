"""Pure rules: frames in, frames out. Nothing here knows where rows come from or go to."""

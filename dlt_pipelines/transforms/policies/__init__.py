"""How contracts begin, go on and end: pure rules, frames in, frames out."""

"""YAML as a tree of values that know their file and line."""

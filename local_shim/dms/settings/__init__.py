"""The JSON documents a DMS task takes, read into frozen dataclasses."""

"""AUTO CDC: a target is a fold over its keys' events."""

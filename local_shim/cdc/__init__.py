"""AUTO CDC: a target is a fold over the events of its keys."""

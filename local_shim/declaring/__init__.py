"""How a declaration is made: from the arguments of a call to nouns in the active registry."""

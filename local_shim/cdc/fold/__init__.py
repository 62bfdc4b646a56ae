"""Pure rules: the events of a key, folded into its rows."""

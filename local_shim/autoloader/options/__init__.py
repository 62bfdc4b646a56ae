"""Options of a cloudFiles stream: names, values, and what is refused."""

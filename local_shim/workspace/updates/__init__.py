"""Updates of the workspace: those in journals, and those that its worker runs."""

"""Where experiments and runs go; each file writes to one kind of place."""

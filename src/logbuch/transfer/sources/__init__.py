"""Where experiments and runs come from; each file reads one kind of place, and changes nothing there."""

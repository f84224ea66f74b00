"""What a run records by itself: its code, machine, packages, energy and load."""

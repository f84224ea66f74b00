"""Files of runs, there and back."""

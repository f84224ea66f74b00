"""What carries journals and files to a backend."""

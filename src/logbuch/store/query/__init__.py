"""Ways to put queries and to read what they find."""

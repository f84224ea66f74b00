"""How searches are answered: conditions, orders, and which of the two ways to go."""

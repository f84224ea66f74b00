"""Groups of runs: who belongs to which, their numbers, their curves."""

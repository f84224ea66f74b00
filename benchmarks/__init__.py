"""Measurements side by side with peers, as ratios within one run: ``make bench``."""

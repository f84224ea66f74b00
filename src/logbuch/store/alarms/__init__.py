"""Alerts of runs, and the rules that raise them."""

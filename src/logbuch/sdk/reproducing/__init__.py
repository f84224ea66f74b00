"""Doing a run again: what it recorded, a plan made of that, the folder where it happens, and a comparison."""

"""Runs in a terminal: ``logbuch top``."""

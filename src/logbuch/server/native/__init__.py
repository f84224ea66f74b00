"""Logbuch's own endpoints, one file a noun."""

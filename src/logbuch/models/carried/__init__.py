"""Loaders that models carry in ``code/``: each file stands alone and needs neither Logbuch nor MLflow.

The real client imports the copy in the model's folder; Logbuch always runs its own, never the copy.
"""

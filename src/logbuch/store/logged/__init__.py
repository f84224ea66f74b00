"""Logged models: what runs saved as models, and the metrics that were taken of them."""

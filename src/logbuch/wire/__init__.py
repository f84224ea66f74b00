"""Bytes to nouns and back: MLflow's JSON, and our own."""

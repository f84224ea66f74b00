"""Answers that are computed from many runs of an experiment."""

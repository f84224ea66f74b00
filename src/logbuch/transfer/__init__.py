"""Moving in and out: what other trackers hold becomes Logbuch's, and what Logbuch holds becomes theirs.

A source (``sources/``) tells experiments and runs, a target (``targets/``) takes them; ``moving.py`` brings the ones to
the others, and ``report.py`` counts both sides. Every source works with every target.
"""

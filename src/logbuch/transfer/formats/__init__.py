"""The file formats of other trackers, read without their packages."""

BROKEN = (ValueError, TypeError, OverflowError, RecursionError)
"""What a record can end in that is damaged, or made to do harm: it is lost by itself, and the next one is read."""

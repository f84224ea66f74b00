"""The journal: what a process logs, on disk before the call returns. See docs/reference/journal.md for its form."""

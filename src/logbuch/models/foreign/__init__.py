"""Models as the real client saves them, where they differ from ours; what unpickles is called with consent only."""

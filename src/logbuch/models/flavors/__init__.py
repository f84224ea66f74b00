"""What each library's models are saved as: one file a flavor."""

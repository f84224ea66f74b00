"""What a training pays for logging, by the client libraries themselves."""

"""Who is told of events, and the messages that wait to be sent."""

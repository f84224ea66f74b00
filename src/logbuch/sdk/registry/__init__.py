"""Models of a client: logged, registered, and their addresses."""

"""Training libraries that log by themselves: a callback, a logger or an ``autolog`` each, over the public SDK."""

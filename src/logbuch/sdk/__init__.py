"""What runs inside a training process: the fluent functions, the client, the sender behind them."""

"""Calls of MLflow's protocol as functions of a transaction: the server serves them, the embedded SDK makes them."""

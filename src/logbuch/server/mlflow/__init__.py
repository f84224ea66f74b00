"""MLflow's REST endpoints, one file a noun."""

"""A model behind HTTP, by MLflow's scoring protocol."""

"""Console output as logs of runs."""

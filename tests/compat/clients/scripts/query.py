import mlflow

# Search for best runs
runs = mlflow.search_runs(
    experiment_names=["storyteller"],
    filter_string="metrics.val/loss < 2.0",
    order_by=["metrics.val/loss ASC"],
    max_results=5,
)

print(runs[["run_id", "metrics.val/loss", "params.learning_rate"]])

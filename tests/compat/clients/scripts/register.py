import mlflow

# Register the best model
client = mlflow.tracking.MlflowClient()
client.create_registered_model("storyteller-production")

# Promote a run's model
result = mlflow.register_model("runs:/<RUN_ID>/model", "storyteller-production")

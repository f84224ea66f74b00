# 6. Export best model
mlflow models serve -m runs:/<best-run-id>/model -p 5001

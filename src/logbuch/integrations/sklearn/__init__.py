"""scikit-learn: ``fit`` of estimators, pipelines and searches logs by itself."""

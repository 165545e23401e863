"""MLflow: runs of stages and trials, the registry of models. Nothing else in the project imports it."""

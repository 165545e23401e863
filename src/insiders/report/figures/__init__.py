"""Pictures: a module for each answer, by its key; `trials` and `importance` also speak for the search in MLflow."""

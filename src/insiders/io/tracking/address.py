"""Where MLflow's store lies: its address and, where it is a file, its path. Imports no library, so asking is cheap."""

import os
from pathlib import Path

from insiders.io import paths

VARIABLE = "MLFLOW_TRACKING_URI"
DATABASE = "mlflow.db"
ARTIFACTS = "artifacts"


def tracking_uri() -> str:
    """MLFLOW_TRACKING_URI, else the database in the project's own mlruns/."""
    return os.environ.get(VARIABLE) or f"sqlite:///{(paths.MLRUNS / DATABASE).resolve()}"


def database_file(uri: str) -> Path | None:
    """Path of the file behind an SQLite address; None where the store is a server or another database."""
    scheme, _, rest = uri.partition(":///")
    if scheme.split("+")[0] != "sqlite" or not rest:
        return None
    return Path(rest.partition("?")[0]).resolve()


def is_missing(uri: str) -> bool:
    """Whether the store is a file that nothing has made yet."""
    database = database_file(uri)
    return database is not None and not database.exists()

"""The way to MLflow: which store, quietly, with a clear word where it cannot be reached, and mended after a move."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from insiders.errors import InputError
from insiders.io.tracking import address, views

EXPERIMENT = "insiders"
HOME_TAG = "insiders.home"  # the folder in which a local store lay when its artifact paths were written
# Without the kind, the UI opens on its page for language models.
KIND_TAG = ("mlflow.experimentKind", "custom_model_development")

# Every column in which MLflow writes where an artifact lies.
LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("experiment_tags", "value"),
)


@dataclass(frozen=True)
class Connection:
    """A client of the store and the id of the experiment `insiders` in it."""

    uri: str
    client: Any
    experiment: str


def connect() -> Connection:
    """Open the store, made on first use; InputError names its address where it cannot be reached."""
    uri = address.tracking_uri()
    with explain_failures(uri):
        client = open_client(uri)
        return Connection(uri, client, _experiment(client, uri))


@contextmanager
def explain_failures(uri: str) -> Iterator[None]:
    """Turn MLflow's and SQLAlchemy's failures to reach the store into one clear message."""
    from sqlalchemy.exc import SQLAlchemyError

    configure()
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, SQLAlchemyError, ImportError, OSError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"MLflow's store {without_password(uri)} cannot be used: {first}; expected a reachable store: start the "
            f"server, correct {address.VARIABLE}, or unset it for the store in mlruns/ "
            f"(`insiders doctor` looks into it)"
        ) from error


def open_client(uri: str) -> Any:
    """Make a client of this store; a local store gets its folder.

    The address is set for the whole process too: where a version is made from a logged model, MLflow looks the model up
    in the store of the process, not in the client's.
    """
    database = address.database_file(uri)
    if database is not None:
        database.parent.mkdir(parents=True, exist_ok=True)
    configure()
    import mlflow

    mlflow.set_tracking_uri(uri)
    return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


def configure() -> None:
    """No telemetry, no waiting for minutes on a dead server, no word from the migrations of a new database."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # a machine without git is told so at every import
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")


def _experiment(client: Any, uri: str) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is None:
        return _new_experiment(client, uri)
    if found.lifecycle_stage != "active":
        client.restore_experiment(found.experiment_id)
    _repair_moved_store(found, uri)
    return str(found.experiment_id)


def _new_experiment(client: Any, uri: str) -> str:
    """Make the experiment; a local store keeps artifacts beside its database, a server where it wants."""
    tags = dict([KIND_TAG, views.tag()])
    database = address.database_file(uri)
    if database is None:
        return str(client.create_experiment(EXPERIMENT, tags=tags))
    tags[HOME_TAG] = str(database.parent)
    location = (database.parent / address.ARTIFACTS).as_uri()
    return str(client.create_experiment(EXPERIMENT, artifact_location=location, tags=tags))


def _repair_moved_store(experiment: Any, uri: str) -> None:
    """Rewrite the artifact paths of a local store that was moved or copied: MLflow writes them absolute."""
    database = address.database_file(uri)
    before = experiment.tags.get(HOME_TAG)
    if database is None or before is None or before == str(database.parent):
        return
    changed = rewrite_locations(uri, Path(before), database.parent)
    sys.stderr.write(f"mlruns: the store moved from {before} to {database.parent}; {changed} paths in it rewritten\n")


def moved_from(uri: str) -> str | None:
    """The folder in which a local store lay before, if it lies elsewhere now and was not mended yet."""
    database = address.database_file(uri)
    if database is None:
        return None
    homes = _column(uri, "SELECT value FROM experiment_tags WHERE key = :key", key=HOME_TAG)
    return homes[0] if homes and homes[0] != str(database.parent) else None


def schema_version(uri: str) -> str:
    """Number of the tables' form in a database; of a server it is not known from outside."""
    versions = [] if uri.startswith("http") else _column(uri, "SELECT version_num FROM alembic_version")
    return versions[0] if versions else "of the server"


def _column(uri: str, query: str, **values: str) -> list[str]:
    from sqlalchemy import create_engine, text

    engine = create_engine(uri)
    try:
        with explain_failures(uri), engine.connect() as connection:
            return [str(row[0]) for row in connection.execute(text(query), values)]
    finally:
        engine.dispose()


def rewrite_locations(uri: str, before: Path, after: Path) -> int:
    """Put `after` for `before` at the start of every location, all or none; returns the number of changed values."""
    from sqlalchemy import create_engine

    engine = create_engine(uri)
    try:
        with engine.begin() as transaction:
            return sum(
                _rewrite_column(transaction, column, old, new)
                for column in LOCATIONS
                for old, new in ((before.as_uri(), after.as_uri()), (str(before), str(after)))
            )
    finally:
        engine.dispose()


def _rewrite_column(transaction: Any, place: tuple[str, str], old: str, new: str) -> int:
    from sqlalchemy import column, func, literal, or_, table, update

    where: Any = column(place[1])
    begins = or_(where == old, func.substr(where, 1, len(old) + 1) == f"{old}/")
    moved = literal(new).concat(func.substr(where, len(old) + 1))
    result = transaction.execute(update(table(place[0], where)).where(begins).values({place[1]: moved}))
    return int(result.rowcount)


def without_password(uri: str) -> str:
    """The address without its password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(uri).render_as_string(hide_password=True)
    except ArgumentError:
        return uri

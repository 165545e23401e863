"""The connection to MLflow's store: opened on first use, with one clear error, and repaired after a move."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from insiders.errors import InputError
from insiders.io.tracking import address, views

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment
    from sqlalchemy import ColumnElement
    from sqlalchemy import Connection as Transaction

EXPERIMENT = "insiders"
HOME_TAG = "insiders.home"  # the folder in which a local store lay when its artifact paths were written
# Without the kind, the UI opens on its page for language models.
KIND_TAG = ("mlflow.experimentKind", "custom_model_development")

SERVERS = frozenset({"postgresql", "mysql", "mssql"})  # databases in which MLflow keeps a store, beside SQLite
# Table and column of all places in which MLflow writes where an artifact lies.
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
    """A client of the store at `uri`, and the id of the experiment `insiders` in it."""

    uri: str
    client: "MlflowClient"
    experiment: str


def connect() -> Connection:
    """Open the store and create what it lacks; InputError where it cannot be reached."""
    uri = address.tracking_uri()
    with explain_failures(uri):
        client = open_client(uri)
        return Connection(uri, client, _experiment_id(client, uri))


@contextmanager
def explain_failures(uri: str) -> Iterator[None]:
    """Turn the errors of MLflow and SQLAlchemy into an InputError that names the store."""
    from sqlalchemy.exc import SQLAlchemyError

    configure()
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, SQLAlchemyError, ImportError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"MLflow's store {without_password(uri)} cannot be used: {reason}; expected a reachable store: start the "
            f"server, correct {address.VARIABLE}, or unset it for the store in mlruns/ "
            f"(`insiders doctor` examines it)"
        ) from error


def open_client(uri: str) -> "MlflowClient":
    """Make a client of this store; a local store gets its folder.

    The address is set for the whole process too: where a version is made from a logged model, MLflow looks the model up
    in the store of the process, not in the client's.
    """
    database = address.database_file(uri)
    if database is not None:
        database.parent.mkdir(parents=True, exist_ok=True)
    configure()
    import mlflow

    if uri.partition(":")[0].partition("+")[0] in SERVERS:
        _reach(uri)
    mlflow.set_tracking_uri(uri)
    return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


def _reach(uri: str) -> None:
    """Connect to a database once: where it does not answer, MLflow would try for 100 seconds."""
    from sqlalchemy import create_engine

    engine = create_engine(uri)
    try:
        engine.connect().close()
    finally:
        engine.dispose()


def configure() -> None:
    """Set MLflow's environment: no telemetry, no minutes of waiting for a dead server, no log of new tables."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # a machine without git is told so at every import
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")


def _experiment_id(client: "MlflowClient", uri: str) -> str:
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        return _create_experiment(client, uri)
    if experiment.lifecycle_stage != "active":
        client.restore_experiment(experiment.experiment_id)
    _repair_moved_store(experiment, uri)
    return str(experiment.experiment_id)


def _create_experiment(client: "MlflowClient", uri: str) -> str:
    """Create the experiment; a local store keeps artifacts beside its database, a server where it wants."""
    tags = dict([KIND_TAG, views.tag(), views.description()])
    database = address.database_file(uri)
    if database is None:
        return str(client.create_experiment(EXPERIMENT, tags=tags))
    tags[HOME_TAG] = str(database.parent)
    location = (database.parent / address.ARTIFACTS).as_uri()
    return str(client.create_experiment(EXPERIMENT, artifact_location=location, tags=tags))


def _repair_moved_store(experiment: "Experiment", uri: str) -> None:
    """Rewrite the artifact paths of a local store that was moved or copied: MLflow writes them absolute."""
    database = address.database_file(uri)
    before = experiment.tags.get(HOME_TAG)
    if database is None or before is None or before == str(database.parent):
        return
    count = rewrite_locations(uri, Path(before), database.parent)
    sys.stderr.write(f"mlruns: the store moved from {before} to {database.parent}; {count} paths in it rewritten\n")


def moved_from(uri: str) -> str | None:
    """The former folder of a local store that was moved and not repaired yet; else None."""
    database = address.database_file(uri)
    if database is None:
        return None
    homes = _select_column(uri, "SELECT value FROM experiment_tags WHERE key = :key", key=HOME_TAG)
    return homes[0] if homes and homes[0] != str(database.parent) else None


def schema_version(uri: str) -> str:
    """Migration at which a database's tables are; a server does not show its own."""
    versions = [] if uri.startswith("http") else _select_column(uri, "SELECT version_num FROM alembic_version")
    return versions[0] if versions else "of the server"


def _select_column(uri: str, query: str, **values: str) -> list[str]:
    from sqlalchemy import create_engine, text

    engine = create_engine(uri)
    try:
        with explain_failures(uri), engine.connect() as connection:
            return [str(row[0]) for row in connection.execute(text(query), values)]
    finally:
        engine.dispose()


def rewrite_locations(uri: str, before: Path, after: Path) -> int:
    """Replace `before` by `after` at the start of every location, all or none; returns the number of changed values."""
    from sqlalchemy import create_engine

    engine = create_engine(uri)
    try:
        with engine.begin() as transaction:
            return sum(
                _rewrite_column(transaction, location, old, new)
                for location in LOCATIONS
                for old, new in ((before.as_uri(), after.as_uri()), (str(before), str(after)))
            )
    finally:
        engine.dispose()


def _rewrite_column(transaction: "Transaction", location: tuple[str, str], old: str, new: str) -> int:
    from sqlalchemy import String, column, func, literal, or_, table, update

    table_name, column_name = location
    value: ColumnElement[str] = column(column_name, String)
    begins_with_old = or_(value == old, func.substr(value, 1, len(old) + 1) == f"{old}/")
    rewritten = literal(new).concat(func.substr(value, len(old) + 1))
    statement = update(table(table_name, column(column_name))).where(begins_with_old)
    return transaction.execute(statement.values({column_name: rewritten})).rowcount


def without_password(uri: str) -> str:
    """The address with *** for its password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(uri).render_as_string(hide_password=True)
    except ArgumentError:
        return uri

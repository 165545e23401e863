"""Runs in MLflow: one per stage result, and one per trial below the run of its search."""

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any

from insiders.io import freshness
from insiders.io.tracking.connection import Connection, connect, reaching

STAGE_TAG = "insiders.stage"
RESULT_TAG = "insiders.result"
STUDY_TAG = "insiders.study"
TRIAL_TAG = "insiders.trial"
PARENT_TAG = "mlflow.parentRunId"
PARAM_LENGTH = 6000  # MLflow refuses longer values
PAGE = 1000

Values = Mapping[str, Any]


@contextmanager
def stage_run(name: str, params: Values) -> Iterator[Callable[[Values], None]]:
    """Log what a stage found, as one run, when its block ends well.

    Yields a function that takes metrics (name -> number). Nothing is logged where the stage's last run
    already holds the same params and metrics, so a stage that runs every time adds no run for nothing.
    """
    connection = connect()
    started = now()
    metrics: dict[str, Any] = {}
    yield metrics.update
    with reaching(connection.uri):
        _log_result(connection, name, started, flat(params), numbers(metrics))


def _log_result(
    connection: Connection, name: str, started: int, params: dict[str, str], metrics: dict[str, float]
) -> None:
    content = json.dumps([params, metrics], sort_keys=True)
    result = hashlib.sha256(content.encode()).hexdigest()
    last = connection.client.search_runs(
        [connection.experiment],
        f"tags.`{STAGE_TAG}` = '{name}'",
        order_by=["attributes.start_time DESC"],
        max_results=1,
    )
    if not (last and last[0].data.tags.get(RESULT_TAG) == result):
        tags = {STAGE_TAG: name, RESULT_TAG: result}
        with freshness.own_change():
            write_run(connection, Entry(name, params, metrics, tags, started))


@dataclass(frozen=True)
class Entry:
    """One run as it will stand in MLflow; `started` and `ended` in milliseconds, an open end is now."""

    name: str
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    started: int
    ended: int | None = None
    status: str = "FINISHED"
    figure: Any = None


def write_run(connection: Connection, entry: Entry) -> None:
    """Write a whole run, in three calls; it ends last, so that a killed one is known as unfinished."""
    fill_run(connection, begin_run(connection, entry), entry)


def begin_run(connection: Connection, entry: Entry) -> str:
    run = connection.client.create_run(connection.experiment, entry.started, entry.tags, entry.name)
    return str(run.info.run_id)


def fill_run(connection: Connection, run: str, entry: Entry, model_id: str | None = None) -> None:
    """Write the rest of a run that has begun and end it; its metrics count for the logged model, if one is given."""
    from mlflow.entities import Metric, Param

    client, moment = connection.client, now()
    metrics = [Metric(key, value, moment, 0, model_id=model_id) for key, value in entry.metrics.items()]
    client.log_batch(run, metrics, [Param(key, value) for key, value in entry.params.items()])
    if entry.figure is not None:
        client.log_figure(run, entry.figure, f"{entry.name.replace('/', '-')}.png")
    client.set_terminated(run, entry.status, entry.ended)


@dataclass
class SearchRun:
    """The open run of a search; trials become its children."""

    connection: Connection
    run_id: str
    logged: set[int] = field(default_factory=set)

    def log_trial(self, trial: "Trial") -> bool:
        """Write one trial as a child run, in about 30 ms; False where it stands there already."""
        if trial.number in self.logged:
            return False
        tags = {**{key: str(value) for key, value in trial.tags.items()}, TRIAL_TAG: str(trial.number)}
        entry = Entry(
            trial.name,
            flat(trial.params),
            numbers(trial.measures),
            {**tags, PARENT_TAG: self.run_id, STAGE_TAG: "trial"},
            _milliseconds(trial.started),
            _milliseconds(trial.ended),
            "FAILED" if str(trial.tags.get("state")) == "FAIL" else "FINISHED",
            trial.figure,
        )
        with reaching(self.connection.uri):
            write_run(self.connection, entry)
        self.logged.add(trial.number)
        return True

    def log_measures(self, measures: Values) -> None:
        """Numbers of the search as a whole, such as those of its pick."""
        from mlflow.entities import Metric

        moment = now()
        metrics = [Metric(key, value, moment, 0) for key, value in numbers(measures).items()]
        with reaching(self.connection.uri):
            self.connection.client.log_batch(self.run_id, metrics)

    def log_figure(self, figure: Any, name: str) -> None:
        """Keep a matplotlib figure as `name`.png."""
        with reaching(self.connection.uri):
            self.connection.client.log_figure(self.run_id, figure, f"{name}.png")

    def log_file(self, path: Path) -> None:
        with reaching(self.connection.uri):
            self.connection.client.log_artifact(self.run_id, str(path))


@dataclass(frozen=True)
class Trial:
    """What is logged of one trial.

    `measures` without a value (None, NaN) are left out; `tags` are at least embedding, clusterer, state and
    feasible; `started` and `ended` are seconds since the epoch, or None for now.
    """

    number: int
    name: str
    params: Values
    measures: Values
    tags: Values
    started: float | None = None
    ended: float | None = None
    figure: Any = None


@contextmanager
def search_run(study: str, params: Values, tags: Values) -> Iterator[SearchRun]:
    """Open the run `tune` of a study: made, or continued where the study was interrupted.

    Trials that were cut off while they were written are deleted, so that they can be logged again.
    """
    connection = connect()
    with reaching(connection.uri):
        search = _resumed(connection, study) or _started(connection, study, params, tags)
    try:
        yield search
    except BaseException as error:
        connection.client.set_terminated(search.run_id, "FAILED" if isinstance(error, Exception) else "KILLED")
        raise
    connection.client.set_terminated(search.run_id)


def _started(connection: Connection, study: str, params: Values, tags: Values) -> SearchRun:
    from mlflow.entities import Param

    own = {STUDY_TAG: study, STAGE_TAG: "tune", **{key: str(value) for key, value in tags.items()}}
    run = connection.client.create_run(connection.experiment, tags=own, run_name="tune").info.run_id
    connection.client.log_batch(run, params=[Param(key, value) for key, value in flat(params).items()])
    return SearchRun(connection, run)


def _resumed(connection: Connection, study: str) -> SearchRun | None:
    client = connection.client
    found = client.search_runs([connection.experiment], f"tags.`{STUDY_TAG}` = '{study}'", max_results=1)
    if not found:
        return None
    run = found[0].info.run_id
    client.update_run(run, status="RUNNING")
    logged: set[int] = set()
    for child in _children(connection, run):
        if child.info.status == "RUNNING":
            client.delete_run(child.info.run_id)
        else:
            logged.add(int(child.data.tags[TRIAL_TAG]))
    return SearchRun(connection, run, logged)


def _children(connection: Connection, parent: str) -> list[Any]:
    query, token, found = f"tags.`{PARENT_TAG}` = '{parent}'", None, []
    while True:
        page = connection.client.search_runs([connection.experiment], query, max_results=PAGE, page_token=token)
        found += [run for run in page if TRIAL_TAG in run.data.tags]
        token = page.token
        if not token:
            return found


def flat(values: Values, prefix: str = "") -> dict[str, str]:
    """Nested settings as MLflow's params: {"a": {"b": 1}} becomes {"a.b": "1"}."""
    params: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            params |= flat(value, f"{prefix}{key}.")
        else:
            params[f"{prefix}{key}"] = str(value)[:PARAM_LENGTH]
    return params


def numbers(measures: Values) -> dict[str, float]:
    """Keep the measures that are numbers: MLflow would show a missing one as a number."""
    return {key: float(value) for key, value in measures.items() if isinstance(value, Real) and math.isfinite(value)}


def now() -> int:
    return int(time.time() * 1000)


def _milliseconds(seconds: float | None) -> int:
    return now() if seconds is None else int(seconds * 1000)

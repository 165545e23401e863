"""Runs in MLflow: one per stage result, and one per trial, below the run of its search."""

import hashlib
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

from insiders.io import freshness, paths, tables
from insiders.io.tracking import datasets
from insiders.io.tracking.connection import Connection, connect, explain_failures
from insiders.io.tracking.datasets import Used

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from mlflow.entities import Metric, Run

STAGE_TAG = "insiders.stage"
RESULT_TAG = "insiders.result"
STUDY_TAG = "insiders.study"
TRIAL_TAG = "insiders.trial"
PARENT_TAG = "mlflow.parentRunId"
OUTBOX = paths.MLRUNS / "outbox"  # runs that are yet to be logged, one file each
SEGMENTS_TABLE = "segments.json"
TABLES_TAG = "mlflow.loggedArtifacts"  # which of a run's files MLflow shows as tables
PARAM_LENGTH = 6000  # characters; MLflow refuses longer values
PAGE = 1000  # runs of one answer, the most that MLflow gives

Values = Mapping[str, object]
Series = Mapping[str, Mapping[int, float]]  # measure -> step -> its value


@dataclass
class StageResult:
    """What a stage has to say of its run: metrics, and the datasets that it has read."""

    metrics: dict[str, object] = field(default_factory=dict)
    inputs: list[Used] = field(default_factory=list)

    def __call__(self, metrics: Values, inputs: Sequence[Used] = ()) -> None:
        self.metrics.update(metrics)
        self.inputs.extend(inputs)


@contextmanager
def stage_run(name: str, params: Values) -> Iterator[StageResult]:
    """Log the result of a stage as one run, when the block ends without an error.

    Nothing is logged where the stage's last run already holds the same params, metrics and inputs, so a stage that runs
    every time does not pile up equal runs.
    """
    deliver()
    connection = connect()
    started_at, result = now_ms(), StageResult()
    yield result
    with explain_failures(connection.uri):
        _log_result(connection, _record(name, params, result, started_at))


@contextmanager
def posted_run(name: str, params: Values) -> Iterator[StageResult]:
    """As `stage_run`, for a stage that takes less time than MLflow's import: the run waits in mlruns/outbox/.

    A later stage delivers it, `register` at the latest, and so does whatever else looks at the runs.
    """
    started_at, result = now_ms(), StageResult()
    yield result
    record = replace(_record(name, params, result, started_at), ended_at=now_ms())
    tables.write_json(asdict(record), OUTBOX / f"{started_at:015d}-{name}.json")


def deliver() -> None:
    """Log the runs that wait, in their order; without any, MLflow is not imported.

    A run whose delivery was cut off is delivered again: where it was the last of its stage, it is not logged twice.
    """
    waiting = sorted(OUTBOX.glob("[!.]*.json"))
    if not waiting:
        return
    connection = connect()
    for path in waiting:
        content = tables.read_json(path)
        inputs = tuple(Used(*each) for each in content["inputs"])
        with explain_failures(connection.uri):
            _log_result(connection, RunRecord(**{**content, "inputs": inputs}))
        path.unlink(missing_ok=True)


def _record(name: str, params: Values, result: StageResult, started_at: int) -> "RunRecord":
    metrics, inputs = numeric(result.metrics), tuple(result.inputs)
    return RunRecord(name, flatten(params), metrics, {STAGE_TAG: name}, started_at, inputs=inputs)


def _log_result(connection: Connection, record: "RunRecord") -> None:
    content = json.dumps([record.params, record.metrics, record.inputs], sort_keys=True)
    result = hashlib.sha256(content.encode()).hexdigest()
    last = connection.client.search_runs(
        [connection.experiment],
        f"tags.`{STAGE_TAG}` = '{record.name}'",
        order_by=["attributes.start_time DESC"],
        max_results=1,
    )
    if not last or last[0].data.tags.get(RESULT_TAG) != result:
        with freshness.keep_stamps():
            write_run(connection, replace(record, tags={**record.tags, RESULT_TAG: result}))


@dataclass(frozen=True)
class RunRecord:
    """One run as it will stand in MLflow; start and end in milliseconds since the epoch; None: when it is logged."""

    name: str
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    started_at: int
    series: Series = field(default_factory=dict)
    inputs: tuple[Used, ...] = ()
    ended_at: int | None = None


def write_run(connection: Connection, record: RunRecord) -> str:
    """Write a whole run in few calls. Its end comes last, so that a run whose writer was killed stays unfinished."""
    run_id = create_run(connection, record)
    finish_run(connection, run_id, record)
    return run_id


def create_run(connection: Connection, record: RunRecord) -> str:
    """Create a run with its tags, and return its id."""
    run = connection.client.create_run(connection.experiment, record.started_at, record.tags, record.name)
    return str(run.info.run_id)


def finish_run(connection: Connection, run_id: str, record: RunRecord, model_id: str | None = None) -> None:
    """Write params and metrics of a run and end it; the metrics also count for the logged model, if one is given."""
    from mlflow.entities import Metric, Param

    moment = record.ended_at or now_ms()
    metrics = [Metric(key, value, moment, 0, model_id=model_id) for key, value in record.metrics.items()]
    params = [Param(key, value) for key, value in record.params.items()]
    connection.client.log_batch(run_id, [*metrics, *_steps(record.series, moment)], params)
    if record.inputs:
        connection.client.log_inputs(run_id, datasets.as_inputs(record.inputs))
    connection.client.set_terminated(run_id, end_time=moment)


def _steps(series: Series, moment: int) -> "Iterator[Metric]":
    from mlflow.entities import Metric

    return chain.from_iterable(
        (Metric(key, value, moment, step) for step, value in sorted(values.items())) for key, values in series.items()
    )


@dataclass(frozen=True)
class TrialRun:
    """What is logged of one trial.

    `measures` without a value (None, NaN) are left out; `tags` are at least embedding, clusterer, state and feasible.
    `series` are measures by rolling origin, and `seconds` is how long the trial has taken.
    """

    number: int
    name: str
    params: Values
    measures: Values
    tags: Values
    series: Series = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class SearchRun:
    """The open run of a search on some datasets; its trials become child runs. `logged`: number -> run id.

    Pictures are made in a folder of this project: what a killed run leaves is not found where MLflow would make them.
    """

    connection: Connection
    run_id: str
    inputs: tuple[Used, ...] = ()
    logged: dict[int, str] = field(default_factory=dict)

    def log_trial(self, trial: TrialRun) -> None:
        """Write one trial as a child run, in about 30 ms; one that the search already has stays as it is."""
        if trial.number in self.logged:
            return
        tags = {
            **_as_text(trial.tags),
            TRIAL_TAG: str(trial.number),
            PARENT_TAG: self.run_id,
            STAGE_TAG: "trial",
        }
        started_at = now_ms() - round(1000 * trial.seconds)
        measures = numeric(trial.measures)
        record = RunRecord(trial.name, flatten(trial.params), measures, tags, started_at, trial.series, self.inputs)
        with explain_failures(self.connection.uri):
            self.logged[trial.number] = write_run(self.connection, record)

    def illustrate(self, number: int, figure: "Figure", table: "pd.DataFrame") -> None:
        """Give a trial that was logged a picture of its clusters and a table of its segments."""
        run_id, client = self.logged[number], self.connection.client
        with explain_failures(self.connection.uri), tables.temporary_folder() as name:
            folder = Path(name)
            figure.savefig(folder / "clusters.png")
            table.to_json(folder / SEGMENTS_TABLE, orient="split", index=False)  # as MlflowClient.log_table writes it
            client.log_artifacts(run_id, name)
            client.set_tag(run_id, TABLES_TAG, json.dumps([{"path": SEGMENTS_TABLE, "type": "table"}]))

    def end(self, status: str) -> None:
        """Write how the search ended."""
        with explain_failures(self.connection.uri):
            self.connection.client.set_terminated(self.run_id, status)

    def log_measures(self, measures: Values) -> None:
        """Write numbers of the search as a whole, such as those of the candidate."""
        from mlflow.entities import Metric

        moment = now_ms()
        metrics = [Metric(key, value, moment, 0) for key, value in numeric(measures).items()]
        with explain_failures(self.connection.uri):
            self.connection.client.log_batch(self.run_id, metrics)

    def log_figure(self, figure: "Figure", name: str) -> None:
        """Write a matplotlib figure as `name`.png."""
        with tables.temporary_folder() as folder:
            picture = Path(folder) / f"{name}.png"
            figure.savefig(picture)
            self.log_file(picture)

    def log_file(self, path: Path) -> None:
        """Write a copy of a file."""
        with explain_failures(self.connection.uri):
            self.connection.client.log_artifact(self.run_id, str(path))


@contextmanager
def search_run(study: str, params: Values, inputs: Sequence[Used] = ()) -> Iterator[SearchRun]:
    """Open the run `tune` of a study: a new one, or the one that it has where the search was interrupted.

    Child runs that were cut off while they were written are deleted, so that their trials can be logged again.
    """
    deliver()
    connection = connect()
    with explain_failures(connection.uri):
        search = _resume_search_run(connection, study) or _create_search_run(connection, study, params, inputs)
        search.inputs = tuple(inputs)
    try:
        yield search
    except BaseException as error:
        search.end("FAILED" if isinstance(error, Exception) else "KILLED")
        raise
    search.end("FINISHED")


def has_search(study: str) -> bool:
    """Whether a search was begun under this name."""
    connection = connect()
    with explain_failures(connection.uri):
        return bool(_search_runs(connection, study))


def _search_runs(connection: Connection, study: str) -> "list[Run]":
    query = f"tags.`{STUDY_TAG}` = '{study}'"
    return list(connection.client.search_runs([connection.experiment], query, max_results=1))


def _create_search_run(connection: Connection, study: str, params: Values, inputs: Sequence[Used]) -> SearchRun:
    from mlflow.entities import Param

    tags = {STUDY_TAG: study, STAGE_TAG: "tune"}
    run_id = connection.client.create_run(connection.experiment, tags=tags, run_name="tune").info.run_id
    connection.client.log_batch(run_id, params=[Param(key, value) for key, value in flatten(params).items()])
    if inputs:
        connection.client.log_inputs(run_id, datasets.as_inputs(inputs))
    return SearchRun(connection, run_id)


def _resume_search_run(connection: Connection, study: str) -> SearchRun | None:
    client, runs = connection.client, _search_runs(connection, study)
    if not runs:
        return None
    run_id = runs[0].info.run_id
    client.update_run(run_id, status="RUNNING")
    logged: dict[int, str] = {}
    for child in _trial_runs(connection, run_id):
        if child.info.status == "RUNNING":
            client.delete_run(child.info.run_id)
        else:
            logged[int(child.data.tags[TRIAL_TAG])] = child.info.run_id
    return SearchRun(connection, run_id, logged=logged)


def _trial_runs(connection: Connection, parent: str) -> "list[Run]":
    query, runs, token = f"tags.`{PARENT_TAG}` = '{parent}'", list["Run"](), None
    while True:
        page = connection.client.search_runs([connection.experiment], query, max_results=PAGE, page_token=token)
        runs += [run for run in page if TRIAL_TAG in run.data.tags]
        token = page.token
        if not token:
            return runs


def end_killed() -> list[str]:
    """End the runs whose process was killed; trials that were cut off are deleted, to be logged again."""
    connection = connect()
    with explain_failures(connection.uri):
        running = connection.client.search_runs(
            [connection.experiment], "attributes.status = 'RUNNING'", max_results=PAGE
        )
        for run in running:
            if TRIAL_TAG in run.data.tags:
                connection.client.delete_run(run.info.run_id)
            else:
                connection.client.set_terminated(run.info.run_id, "KILLED")
    return [f"run {run.info.run_name} ({run.info.run_id}) was cut off and is ended" for run in running]


def flatten(values: Values, prefix: str = "") -> dict[str, str]:
    """Write nested settings as MLflow's params: {"a": {"b": 1}} becomes {"a.b": "1"}."""
    params: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            params |= flatten(value, f"{prefix}{key}.")
        else:
            params[f"{prefix}{key}"] = str(value)[:PARAM_LENGTH]
    return params


def numeric(measures: Values) -> dict[str, float]:
    """Keep the measures that are finite numbers: MLflow has no missing value."""
    return {key: float(value) for key, value in measures.items() if isinstance(value, Real) and math.isfinite(value)}


def _as_text(tags: Values) -> dict[str, str]:
    return {key: str(value) for key, value in tags.items()}


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)

"""The search's outside: where its study is stored, and the processes that score its recipes."""

import json
import math
import os
import socket
import threading
import time
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, fields
from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from insiders import schemas
from insiders.errors import InputError
from insiders.evidence.judge import Answer, Judge, Question, Recipe, Settings
from insiders.evidence.study import OBJECTIVES
from insiders.evidence.windows import Window
from insiders.io import paths, pipeline, workspace
from insiders.io.leases import Leases, patience
from insiders.io.params import Params
from insiders.io.tracking import connection
from insiders.model import clusterers, embeddings

if TYPE_CHECKING:
    import optuna
    from optuna.storages import RDBStorage

LOCAL = paths.MLRUNS / "optuna.db"
CREATE_ATTEMPTS = 3  # at a storage's tables, a second apart
RUN_TASK = "run"  # of several processes on one study, the one that leases this continues its run in MLflow
CODE = Path(__file__).parents[1]
SCORING_CODE = ("evidence", "model", "value", "units.py")  # what a trial's score depends on

Item = TypeVar("Item")
Result = TypeVar("Result")

_judge: Judge | None = None  # one per worker process, made when it starts


def search_settings(params: Params) -> Settings:
    """The settings that decide the result of the search, which chooses the score; workers and storage do not.

    The list has the middle of the programme's range, by ratio, where no other size is asked for.
    """
    _check_names("embeddings", params.tune.embeddings, embeddings.EMBEDDINGS)
    _check_names("clusterers", params.tune.clusterers, clusterers.CLUSTERERS)
    _check_names("features", params.tune.features, schemas.FEATURES)
    if "umap" in params.tune.embeddings and find_spec("umap") is None:
        raise InputError(
            "tune.embeddings names umap, which is not installed: run `make umap` (or install umap-learn with pip), "
            "or take it out"
        )
    own = {field.name for field in fields(Settings)} & set(type(params.tune).model_fields)
    return Settings(
        **{name: getattr(params.tune, name) for name in own},
        seed=params.seed,
        share=math.sqrt(params.tune.insider_share_min * params.tune.insider_share_max),
        horizon_days=params.featurize.horizon_days,
    )


def _check_names(setting: str, names: Collection[str], valid: Collection[str]) -> None:
    unknown = [name for name in names if name not in valid]
    if unknown or not names:
        raise InputError(f"tune.{setting} names {', '.join(unknown) or 'nothing'}; expected some of {', '.join(valid)}")


def open_study(storage: str | None, name: str) -> "optuna.Study":
    """Open the study of this name, or create it; it outlives a killed process.

    `storage` is an SQLAlchemy address; None stands for a database below mlruns/.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    LOCAL.parent.mkdir(parents=True, exist_ok=True)
    with explain_failures(storage), _naming_damage(storage):
        study = _named(
            optuna.create_study(
                storage=_storage(_url(storage)),
                study_name=name,
                directions=["maximize"] * len(OBJECTIVES),
                load_if_exists=True,
            )
        )
        study.get_trials(deepcopy=False)  # what cannot be read is said now
        return study


@contextmanager
def _naming_damage(storage: str | None) -> Iterator[None]:
    """InputError where the database holds what Optuna has not written."""
    try:
        yield
    except (ValueError, LookupError, TypeError) as error:
        raise InputError(
            f"the study in {connection.without_password(_url(storage))} is damaged ({error!r}): put a copy of it back, "
            "or delete it, and its trials are scored anew"
        ) from error


@contextmanager
def explain_failures(storage: str | None) -> Iterator[None]:
    """Turn the errors of the study's database into an InputError that names it."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (StorageInternalError, SQLAlchemyError, ImportError) as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise InputError(
            f"tune.storage {connection.without_password(_url(storage))} cannot be used: {reason}; "
            f"expected an SQLAlchemy URL of a reachable database, or null for {LOCAL}. What is scored is kept: "
            "run it again"
        ) from error


def _url(storage: str | None) -> str:
    return storage or f"sqlite:///{LOCAL.resolve()}"


def _named(study: "optuna.Study") -> "optuna.Study":
    """Give the objectives their names, for whoever looks at the study with Optuna's own tools."""
    from optuna.exceptions import ExperimentalWarning

    if study.metric_names is None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            study.set_metric_names(list(OBJECTIVES))
    return study


def _storage(url: str) -> "RDBStorage":
    """Open Optuna's storage; of several processes that create its tables at once, all but one fail and try again.

    Connections are not pooled: seconds pass between two trials, and Optuna would leave them open at the end.
    """
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    for attempts_left in reversed(range(CREATE_ATTEMPTS)):
        try:
            return RDBStorage(url, engine_kwargs={"poolclass": NullPool, "connect_args": patience(url)})
        except DBAPIError:
            if not attempts_left:
                raise
            time.sleep(1)
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def shared_leases(storage: str | None, study: str, workers: int) -> Iterator[Leases | None]:
    """Share the trials of a study with other processes; None where its storage is this machine's own."""
    if storage is None:
        yield None
        return
    leases = Leases(storage, study, workers, owner=_workspace())
    try:
        yield leases
    finally:
        leases.release(RUN_TASK)
        leases.close()


def _workspace() -> str:
    """Who works here, whatever the process: there is one at a time in a project (workspace.alone)."""
    return sha256(f"{socket.gethostname()}:{Path.cwd()}".encode()).hexdigest()[:32]


def study_name(snapshots: Path, settings: Settings) -> str:
    """A name that stands for all that decides the study: the data, the settings and the code that scores.

    A search that was interrupted goes on under its name; any change starts a new study.
    """
    digest = sha256(snapshots.read_bytes())
    digest.update(json.dumps(asdict(settings), sort_keys=True).encode())
    for file in _scoring_files():
        digest.update(f"{file.relative_to(CODE).as_posix()}\n".encode() + file.read_bytes())
    return f"insiders-{digest.hexdigest()[:16]}"


def _scoring_files() -> list[Path]:
    places = (CODE / name for name in SCORING_CODE)
    return [file for place in places for file in (sorted(place.rglob("*.py")) if place.is_dir() else [place])]


class Work(Protocol):
    """Does a task to each of several items with a judge at hand, in one process or several, and keeps their order."""

    def __call__(self, task: Callable[[Judge, Item], Result], items: Iterable[Item]) -> Iterable[Result]: ...


@contextmanager
def open_work(windows: Mapping[str, Window], settings: Settings, workers: int) -> Iterator[Work]:
    """In several processes the work begins as soon as it is named, in one where its result is asked for."""
    if workers == 1:
        judge = Judge(windows, settings)
        yield lambda task, items: (task(judge, item) for item in items)
        return
    # No forks of this process: one whose numeric libraries have started threads can hang. A server that has imported
    # the same and done nothing is there already where stages are its forks (`insiders run`).
    context = get_context("forkserver" if pipeline.can_fork() else "spawn")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(workers, context, _start_worker, (windows, settings)) as pool:
        yield lambda task, items: pool.map(partial(_with_judge, task), items)


def _start_worker(windows: Mapping[str, Window], settings: Settings) -> None:
    global _judge  # noqa: PLW0603 (what a worker keeps between its tasks)
    os.environ["OMP_NUM_THREADS"] = "1"
    threading.Thread(target=workspace.exit_with_parent, daemon=True).start()
    _judge = Judge(windows, settings)


def _with_judge(task: Callable[[Judge, Item], Result], item: Item) -> Result:
    if _judge is None:
        raise RuntimeError("a worker was given a task before it had a judge")
    return task(_judge, item)


def timed(judge: Judge, question: Question) -> Answer:
    """Score a recipe and say how long that took; what is chosen never depends on it."""
    started = time.perf_counter()
    return judge.score(*question)._replace(seconds=round(time.perf_counter() - started, 3))


def behind(judge: Judge, pair: tuple[Recipe, Recipe]) -> float:
    """`Judge.behind`, of a recipe and its rival."""
    return judge.behind(*pair)

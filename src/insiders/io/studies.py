"""The search's outside: where its study is stored, and the processes that score its recipes."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, fields
from hashlib import sha256
from importlib.util import find_spec
from multiprocessing import get_context, parent_process
from pathlib import Path
from types import ModuleType
from typing import Any

from insiders import schemas
from insiders.errors import InputError
from insiders.evidence import holdout, judge, quality, search
from insiders.evidence.judge import Judge, Recipe, Settings, Window
from insiders.io import paths
from insiders.io.leases import Leases
from insiders.io.params import Params
from insiders.io.tracking import connection
from insiders.model import clusterers, embeddings, segment_model
from insiders.value import lifetime

LOCAL = paths.MLRUNS / "optuna.db"
ATTEMPTS = 3  # at opening a storage
RUN_TASK = "run"  # of several processes on one study, the one that leases this continues its run in MLflow
Answer = tuple[dict[str, float], float, str]

_judge: Judge | None = None  # one per worker process, made when it starts


def search_settings(settings: Params) -> Settings:
    """The part of the params that decides what the search finds; workers and storage do not."""
    _check_names("embeddings", settings.tune.embeddings, embeddings.EMBEDDINGS)
    _check_names("clusterers", settings.tune.clusterers, clusterers.CLUSTERERS)
    _check_names("features", settings.tune.features, schemas.FEATURES)
    if "umap" in settings.tune.embeddings and find_spec("umap") is None:
        raise InputError("tune.embeddings names umap, which is not installed: run `make umap`, or take it out")
    named = {field.name: getattr(settings.tune, field.name) for field in fields(Settings) if field.name != "seed"}
    return Settings(**named, seed=settings.seed)


def _check_names(setting: str, named: Iterable[str], known: Iterable[str]) -> None:
    unknown = [name for name in named if name not in known]
    if unknown or not named:
        raise InputError(f"tune.{setting} names {', '.join(unknown) or 'nothing'}; expected some of {', '.join(known)}")


def open_study(storage: str | None, name: str) -> Any:
    """Open the study of this name, or make it; its trials survive a killed process."""
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    url = storage or f"sqlite:///{_made(LOCAL).resolve()}"
    try:
        backend = _backend(url)
        return optuna.create_study(
            storage=backend, study_name=name, directions=["maximize", "maximize"], load_if_exists=True
        )
    except (SQLAlchemyError, ImportError) as error:
        first = str(error).splitlines()[0]
        raise InputError(
            f"tune.storage {connection.without_password(url)} cannot be used: {first}; "
            f"expected an SQLAlchemy URL of a reachable database, or null for {LOCAL}"
        ) from error


def _backend(url: str) -> Any:
    """Optuna's storage; of several processes that make its tables at once all but one are refused, and try again.

    No connection is kept: between two trials lie seconds, and Optuna would leave them open at the end.
    """
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    for left in reversed(range(ATTEMPTS)):
        try:
            return RDBStorage(url, engine_kwargs={"poolclass": NullPool})
        except DBAPIError:
            if not left:
                raise
            time.sleep(1)
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def shared_leases(storage: str | None, name: str, workers: int) -> Iterator[Leases | None]:
    """What this process may do of a study that others work on too; None where the storage is this machine's own."""
    if storage is None:
        yield None
        return
    leases = Leases(storage, name, workers)
    try:
        yield leases
    finally:
        leases.release(RUN_TASK)
        leases.close()


def study_name(snapshots: Path, settings: Settings) -> str:
    """A name that stands for everything that decides the study: the data, the settings and the code that scores.

    A search that was killed goes on under it; any change makes a new one.
    """
    digest = sha256(snapshots.read_bytes())
    digest.update(json.dumps(asdict(settings), sort_keys=True).encode())
    for module in (search, judge, segment_model, embeddings, clusterers, holdout, quality, lifetime):
        for file in _sources(module):
            digest.update(file.read_bytes())
    return f"insiders-{digest.hexdigest()[:16]}"


def _sources(module: ModuleType) -> list[Path]:
    """The module's file, or all of the package."""
    file = Path(str(module.__file__))
    return sorted(file.parent.glob("*.py")) if file.stem == "__init__" else [file]


@contextmanager
def open_scorer(
    cut: Mapping[str, Window], settings: Settings, workers: int
) -> Iterator[Callable[[list[Recipe]], Iterable[Answer]]]:
    """A function that scores recipes, in order, in this process or in several."""
    if workers == 1:
        judge = Judge(cut, settings)
        yield lambda recipes: map(judge.score, recipes)
        return
    # Spawned, not forked: a fork of a process whose numeric libraries have started threads can hang.
    with ProcessPoolExecutor(workers, get_context("spawn"), _start, (cut, settings)) as pool:
        yield lambda recipes: pool.map(_score, recipes)


def _start(cut: Mapping[str, Window], settings: Settings) -> None:
    global _judge  # noqa: PLW0603 (what a worker keeps between its tasks)
    os.environ["OMP_NUM_THREADS"] = "1"
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _judge = Judge(cut, settings)


def _end_with_parent() -> None:
    """A killed search cannot tell its workers, which would wait for the next recipe for ever."""
    if parent := parent_process():
        parent.join()
        os._exit(1)


def _score(recipe: Recipe) -> Answer:
    if _judge is None:
        raise RuntimeError("a worker was given a recipe before its start")
    return _judge.score(recipe)


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path

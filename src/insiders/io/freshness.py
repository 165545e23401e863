"""Whether a stage that runs at every `dvc repro` has anything to do. Imports nothing that takes time.

Such a stage depends on the registry, which is no file that DVC could watch. So each keeps a stamp of all that can
change its result: its input files, its outputs, params.yaml, the project's code and MLflow's database. Every change of
the database counts, also one without a meaning for the stage: then the stage runs and comes to the same result.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

from insiders.io import paths, tables
from insiders.io.digests import digest_of
from insiders.io.tracking import address

STAMPS = paths.MLRUNS / "fresh.json"
SETTINGS = Path("params.yaml")
CODE = Path(__file__).parents[1]
CODE_KINDS = ("*.py", "*.po")  # the modules, and the texts of other languages, in which reasons are written
HEADER_BYTES = 100  # of an SQLite file: they hold, among others, a counter of its changes


class StoreState(TypedDict):
    """What MLflow's database looks like from outside; of each of its files size and time of the last change."""

    uri: str
    header: str
    files: dict[str, list[int] | None]


class Stamp(TypedDict):
    """Digests of all that a stage's result depends on; None for a file or a database that is not there."""

    inputs: dict[str, str | None]
    outputs: dict[str, str | None]
    code: str
    store: StoreState | None


def is_fresh(stage: str, inputs: Iterable[Path], outputs: Iterable[Path]) -> bool:
    """Whether nothing changed since `record`; never where MLflow's store is not a file."""
    stamp = _read_stamps().get(stage)
    if stamp is None or stamp["store"] is None or None in stamp["outputs"].values():
        return False
    return stamp == _stamp(inputs, outputs)


def record(stage: str, inputs: Iterable[Path], outputs: Iterable[Path]) -> None:
    """Record that the stage's outputs agree with everything they depend on."""
    tables.write_json(_read_stamps() | {stage: _stamp(inputs, outputs)}, STAMPS)


@contextmanager
def keep_stamps() -> Iterator[None]:
    """Keep stamps valid across a change of the store that no stage depends on, such as logging a run."""
    before = store_state()
    yield
    stamps = _read_stamps()
    valid = [stamp for stamp in stamps.values() if before is not None and stamp["store"] == before]
    for stamp in valid:
        stamp["store"] = store_state()
    if valid:
        tables.write_json(stamps, STAMPS)


def store_state() -> StoreState | None:
    """Describe MLflow's database from outside; None where it is not a file, or not there."""
    uri = address.tracking_uri()
    database = address.database_file(uri)
    if database is None or not database.exists():
        return None
    files = (database, *(database.with_name(f"{database.name}-{suffix}") for suffix in ("wal", "journal")))
    with database.open("rb") as file:
        header = hashlib.sha256(file.read(HEADER_BYTES)).hexdigest()
    return {"uri": uri, "header": header, "files": {path.name: _size_and_time(path) for path in files}}


def _size_and_time(path: Path) -> list[int] | None:
    if not path.exists():
        return None
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _stamp(inputs: Iterable[Path], outputs: Iterable[Path]) -> Stamp:
    return {
        "inputs": _digests([*inputs, SETTINGS]),
        "outputs": _digests(outputs),
        "code": _code_digest(),
        "store": store_state(),
    }


def _digests(files: Iterable[Path]) -> dict[str, str | None]:
    return {path.as_posix(): digest_of(path) if path.exists() else None for path in files}


def _code_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(each for kind in CODE_KINDS for each in CODE.rglob(kind)):
        digest.update(f"{path.relative_to(CODE).as_posix()} {digest_of(path)}\n".encode())
    return digest.hexdigest()


def _read_stamps() -> dict[str, Stamp]:
    """All stamps; a damaged file counts as none."""
    try:
        stamps = json.loads(STAMPS.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamps if isinstance(stamps, dict) else {}

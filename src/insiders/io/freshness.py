"""Whether a stage that runs at every `dvc repro` has anything to do. Imports nothing that takes time.

Such a stage follows the registry, which no file declares. So each keeps a stamp of all that can change its result: its
input files, its outputs, params.yaml, the project's code and MLflow's database. Any change of the database counts,
also one that means nothing: then the stage runs and finds the same result.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from insiders.io import paths
from insiders.io.tracking import address

STAMPS = paths.MLRUNS / "fresh.json"
SETTINGS = Path("params.yaml")
CODE = Path(__file__).parents[1]
HEADER = 100  # bytes of an SQLite file that hold, among others, the count of its changes

Stamp = dict[str, Any]


def is_fresh(stage: str, inputs: Iterable[Path], outputs: Iterable[Path]) -> bool:
    """Whether nothing changed since `record`; never where MLflow's store is not a file."""
    known = _stamps().get(stage)
    if known is None or known["store"] is None or None in known["outputs"].values():
        return False
    return bool(known == _stamp(inputs, outputs))


def record(stage: str, inputs: Iterable[Path], outputs: Iterable[Path]) -> None:
    """Write down that the stage's outputs agree with everything they depend on."""
    _write(_stamps() | {stage: _stamp(inputs, outputs)})


@contextmanager
def keep_stamps() -> Iterator[None]:
    """Around a change of the store that no list depends on, such as a run's: stamps that held before it hold on."""
    before = store_state()
    yield
    stamps = _stamps()
    held = [stamp for stamp in stamps.values() if before is not None and stamp["store"] == before]
    for stamp in held:
        stamp["store"] = store_state()
    if held:
        _write(stamps)


def _write(stamps: Mapping[str, Stamp]) -> None:
    STAMPS.parent.mkdir(parents=True, exist_ok=True)
    temporary = STAMPS.with_suffix(".new")
    temporary.write_text(json.dumps(stamps, indent=1), encoding="utf-8")
    temporary.replace(STAMPS)


def store_state() -> Stamp | None:
    """What the database looks like from outside; None where it is not a file, or not there."""
    uri = address.tracking_uri()
    database = address.database_file(uri)
    if database is None or not database.exists():
        return None
    parts = (database, *(database.with_name(f"{database.name}-{end}") for end in ("wal", "journal")))
    with database.open("rb") as file:
        header = hashlib.sha256(file.read(HEADER)).hexdigest()
    return {"uri": uri, "header": header, "files": {part.name: _size_and_time(part) for part in parts}}


def _size_and_time(path: Path) -> list[int] | None:
    if not path.exists():
        return None
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns]


def _stamp(inputs: Iterable[Path], outputs: Iterable[Path]) -> Stamp:
    return {
        "inputs": _digests([*inputs, SETTINGS]),
        "outputs": _digests(outputs),
        "code": _code(),
        "store": store_state(),
    }


def _digests(files: Iterable[Path]) -> Mapping[str, str | None]:
    return {path.as_posix(): _digest(path) for path in files}


def _digest(path: Path) -> str | None:
    if not path.exists():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _code() -> str:
    digest = hashlib.sha256()
    for path in sorted(CODE.rglob("*.py")):
        digest.update(f"{path.relative_to(CODE).as_posix()} {_digest(path)}\n".encode())
    return digest.hexdigest()


def _stamps() -> dict[str, Stamp]:
    """What was recorded; a damaged file counts as nothing recorded."""
    try:
        stamps = json.loads(STAMPS.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamps if isinstance(stamps, dict) else {}

"""What runs wrote to their end, by digest: a file that was changed or damaged since, or cut off, is refused when read.

The digests lie in mlruns/, not in the files, so that a flipped bit cannot take its digest along. A file that no run of
this project wrote, such as one that was fetched or made by hand, has none and is taken as it is. Neither is one refused
that DVC brings back: its digest stands in dvc.lock.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from insiders.errors import InputError
from insiders.io import paths

DIGESTS = paths.MLRUNS / "written.json"
PLACES = (paths.DATA, paths.PROGRAMME, paths.MODELS, paths.REPORTS)
KEPT = 20  # digests of a file: DVC may bring back what it was some runs ago
DVC_LOCK = Path("dvc.lock")


def record(since_ns: int) -> None:
    """Record the files that were written since a moment (nanoseconds, on the disk's clock), all at once."""
    from insiders.io import tables

    digests = _read()
    changed = {path.as_posix(): _digest(path, "sha256") for path in _files() if path.stat().st_mtime_ns >= since_ns}
    new = {name: digest for name, digest in changed.items() if digests.get(name, [])[-1:] != [digest]}
    if new:
        kept = {name: [*digests.get(name, []), digest][-KEPT:] for name, digest in new.items()}
        tables.write_json(digests | kept, DIGESTS)


def refuse_changed(path: Path) -> None:
    """InputError where a file is not as a run wrote it."""
    known = _read().get(path.as_posix())
    if known is None or _digest(path, "sha256") in known or _stands_in_dvc_lock(path):
        return
    raise InputError(
        f"{path} is not as it was written: it was changed or damaged since, or its run was cut off. Run "
        "`insiders doctor --repair`, then `dvc repro --force`, or put the file back as it was"
    )


def _files() -> Iterator[Path]:
    for place in PLACES:
        yield from sorted(path for path in place.glob("[!.]*") if path.is_file())


def _stands_in_dvc_lock(path: Path) -> bool:
    return DVC_LOCK.exists() and f"md5: {_digest(path, 'md5')}\n" in DVC_LOCK.read_text(encoding="utf-8")


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()


def _read() -> dict[str, list[str]]:
    """All digests; a damaged file of them counts as none."""
    try:
        digests = json.loads(DIGESTS.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return digests if isinstance(digests, dict) else {}

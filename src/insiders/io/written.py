"""What runs wrote to their end, by digest: a file that was changed or damaged since, or cut off, is refused when read.

The digests lie in mlruns/, not in the files, so that a flipped bit cannot take its digest along. What DVC brings back
is compared with dvc.lock as well: an object of its cache may be damaged, and DVC copies it unseen. A file that neither
names, such as one that was fetched or made by hand, is taken as it is.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from io import BufferedReader
from pathlib import Path
from typing import TypeVar

from insiders.errors import InputError
from insiders.io import paths
from insiders.io.digests import digest_of, digest_of_opened

DIGESTS = paths.MLRUNS / "written.json"
PLACES = (paths.DATA, paths.PROGRAMME, paths.MODELS, paths.REPORTS)
REST_SECONDS = 1.0  # in which nobody is in the midst of a set of files
WAIT_SECONDS, PAUSE_SECONDS = 4.0, 0.1  # a set of files becomes visible in less, also on a machine with much to do
KEPT = 20  # digests of a file: DVC may bring back what it was some runs ago
DVC_LOCK = Path("dvc.lock")

Read = TypeVar("Read")
Record = dict[str, list[str]]  # of files by their names, the latest digest last
Digests = set[tuple[str, str]]  # of files by their names; a file that changed meanwhile has several
_opened: ContextVar[Digests | None] = ContextVar("opened", default=None)  # what `together` has read so far


def recorded() -> Record:
    """The digests that are recorded; a damaged record counts as none."""
    try:
        record = json.loads(DIGESTS.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def brought_forward(record: Record, since_ns: int) -> Record:
    """The record, with the files that were written since a moment (nanoseconds, on the disk's clock)."""
    changed = {path.as_posix(): digest_of(path) for path in _files() if path.stat().st_mtime_ns >= since_ns}
    new = {name: digest for name, digest in changed.items() if record.get(name, [])[-1:] != [digest]}
    return record | {name: [*record.get(name, []), digest][-KEPT:] for name, digest in new.items()}


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """A file that is as a run wrote it, opened once: whoever replaces it meanwhile changes nothing here.

    InputError where it is otherwise, and no run that is just writing it ends soon.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        with path.open("rb") as file:
            if _is_whole(path, file):
                file.seek(0)
                yield file
                return
        if time.monotonic() >= deadline:
            raise InputError(
                f"{path} is not as it was written: it was changed or damaged since, or its run was cut off. Run "
                "`insiders doctor --repair`, then `dvc repro --force`, or put the file back as it was"
            )
        time.sleep(PAUSE_SECONDS)


def together(read: Callable[[], Read]) -> Read:
    """What is read of several files, all as they were at one moment: it is read again where a run ended meanwhile.

    InputError where runs follow each other so fast that there is no such moment.
    """
    began = since = time.monotonic()
    earlier = Digests()
    while True:
        result, digests = _with_digests(read)
        now, newest = time.monotonic(), {(name, known[-1]) for name, known in recorded().items()}
        since, earlier = since if digests == earlier else now, digests
        # At rest, and not the newest: DVC has brought some of them back.
        if digests <= newest or now - since >= REST_SECONDS:
            return result
        if now - began >= WAIT_SECONDS:
            names = ", ".join(sorted({name for name, _ in digests}))
            raise InputError(f"{names} are written all the time: wait until the runs have ended")
        time.sleep(PAUSE_SECONDS)


def _with_digests(read: Callable[[], Read]) -> tuple[Read, Digests]:
    """What is read, and the digests of the files that are opened for it."""
    digests = Digests()
    token = _opened.set(digests)
    try:
        return read(), digests
    finally:
        _opened.reset(token)


def refuse_changed(path: Path) -> None:
    """InputError where a file that others will open is not as a run wrote it."""
    with opened(path):
        pass


def changed() -> list[Path]:
    """The files of a run that are not as it wrote them."""
    return [path for path in _files() if not _is_whole_now(path)]


def _is_whole_now(path: Path) -> bool:
    with path.open("rb") as file:
        return _is_whole(path, file)


def _is_whole(path: Path, file: BufferedReader) -> bool:
    known = recorded().get(path.as_posix())
    if known is not None and _noted(path, digest_of_opened(file)) in known:
        return True
    stated = _stated_by_dvc(path)
    return digest_of_opened(file, "md5") in stated if stated else known is None


def _noted(path: Path, digest: str) -> str:
    """Note the digest of a file that a run wrote, for `together`."""
    if (digests := _opened.get()) is not None:
        digests.add((path.as_posix(), digest))
    return digest


def _files() -> Iterator[Path]:
    for place in PLACES:
        yield from sorted(path for path in place.glob("[!.]*") if path.is_file())


def _stated_by_dvc(path: Path) -> set[str]:
    """The digests (md5) of a file that dvc.lock states, as what one stage makes and others read."""
    if not DVC_LOCK.exists():
        return set()
    entry = re.compile(rf"path: {re.escape(path.as_posix())}\n(?: +hash: md5\n)? +md5: ([0-9a-f]{{32}})\n")
    return set(entry.findall(DVC_LOCK.read_text(encoding="utf-8")))

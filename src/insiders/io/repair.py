"""What a killed run leaves behind, taken away or brought to its end: `insiders doctor --repair`.

Whoever calls holds the project (workspace.alone), so that nothing here belongs to a run that still goes on. Repeated,
it finds nothing more to do.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from insiders.errors import InputError
from insiders.io import params, paths, tables, written
from insiders.io.digests import digest_of
from insiders.io.tracking import address, registry, runs

PLACES = (paths.DATA, paths.PROGRAMME, paths.RAW, paths.MODELS, paths.REPORTS, paths.MLRUNS, runs.OUTBOX)
UPLOADING = ".artifact.uploading.*"  # what MLflow calls a file of a run while it copies it
CACHE = Path(".dvc/cache/files/md5")
DVC_STATE = (Path(".dvc/tmp/rwlock"),)  # JSON that DVC reads before it runs anything


def repair() -> list[str]:
    """Mend what can be mended; returns what was done, and what could not be."""
    return [line for step in STEPS for line in _tried(step)]


def _tried(step: Callable[[], Iterator[str]]) -> list[str]:
    done: list[str] = []
    try:
        done.extend(step())
    except (InputError, OSError) as error:
        done.append(f"not repaired: {error}")
    return done


def _temporaries() -> Iterator[str]:
    for place in PLACES:
        for path in sorted(place.glob(f".*{tables.TEMPORARY}")):
            (shutil.rmtree if path.is_dir() else Path.unlink)(path)
            yield f"{path}, half written, is deleted"


def _uploads() -> Iterator[str]:
    for path in sorted(paths.MLRUNS.rglob(UPLOADING)):
        path.unlink()
        yield f"{path}, which was being copied into the store, is deleted"


def _deliveries() -> Iterator[str]:
    """Rows as they came, personal data among them, of an ingest that was killed."""
    for folder in sorted(paths.DATA.glob(".ingest-*")):
        shutil.rmtree(folder)
        yield f"{folder}, a delivery that was being read, is deleted"


def _spilled() -> Iterator[str]:
    """Tables of an engine that was killed."""
    for folder in sorted(Path(params.read().engine.spill_folder).glob(f"{paths.SPILLED}*")):
        shutil.rmtree(folder)
        yield f"{folder}, tables that did not fit the memory, is deleted"


def _dvc_files() -> Iterator[str]:
    for path in (written.DVC_LOCK, *DVC_STATE):
        if path.exists() and not params.is_mapping(path):
            path.unlink()
            yield f"{path} was cut off and is deleted: the next `dvc repro` runs the stages anew"


def _cache() -> Iterator[str]:
    """Objects of DVC's cache that are no longer what they are called: DVC would put them in place of good files."""
    for path in sorted(CACHE.glob("??/*")):
        if digest_of(path, "md5") != path.parent.name + path.name.removesuffix(".dir"):
            path.unlink()
            yield f"{path}, damaged in DVC's cache, is deleted: the next `dvc repro --force` makes it anew"


def _store() -> Iterator[str]:
    """Only in a store of this project's own: in another one it may be a run of somebody else's."""
    uri = address.tracking_uri()
    if address.database_file(uri) is None or address.is_missing(uri):
        return
    yield from runs.end_killed()
    yield from registry.mend()


STEPS = (_temporaries, _uploads, _deliveries, _spilled, _dvc_files, _cache, _store)

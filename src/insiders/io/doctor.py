"""What the project needs from this machine: one finding per need, each with what to do where it is not met."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement

from insiders.errors import InputError
from insiders.io import params, paths, tables
from insiders.io.delivery import files, sources
from insiders.io.tracking import address, connection, registry

PYTHON = (3, 11)
LOCK = Path("requirements.lock")
FREE_BYTES = 1 << 30  # the sample takes a tenth of it


@dataclass(frozen=True)
class Finding:
    """`advice` is empty where all is well."""

    name: str
    found: str
    advice: str = ""

    @property
    def ok(self) -> bool:
        return not self.advice


def examine() -> list[Finding]:
    """Look at everything, whatever fails."""
    return [_guarded(name, check) for name, check in CHECKS.items()]


def _guarded(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except InputError as error:
        return Finding(name, str(error), "see the message")


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    wanted = ".".join(map(str, PYTHON))
    return Finding("python", version, "" if sys.version_info >= PYTHON else f"install Python {wanted} or newer")


def _environment() -> Finding:
    """Hold the direct dependencies against the lock; what they bring along follows them."""
    tables.require(LOCK)
    wrong = [
        f"{name} {_installed(name) or 'missing'}, locked {version}"
        for name, version in _locked().items()
        if name in _direct() and _installed(name) != version
    ]
    found = "; ".join(wrong) or f"{len(_direct())} direct dependencies as locked"
    return Finding("environment", found, "run `make env`" if wrong else "")


def _locked() -> dict[str, str]:
    """Name -> version of the lock's lines that hold on this machine."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalnum()]
    here = (pin for pin in pins if pin.marker is None or pin.marker.evaluate())
    return {pin.name: str(pin.specifier).removeprefix("==") for pin in here}


def _direct() -> set[str]:
    needs = [Requirement(line) for line in metadata.requires("insiders") or []]
    return {need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})}


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _settings() -> Finding:
    params.read()
    return Finding("params.yaml", "every value is there and in its range")


def _dvc() -> Finding:
    if find_spec("dvc") is None:
        return Finding("dvc", "not installed", "run `make env`")
    if not Path(".dvc").is_dir() or not Path("dvc.yaml").exists():
        return Finding("dvc", "no .dvc/ or dvc.yaml here", "run the command in the project's top folder")
    run = "the stages have run" if Path("dvc.lock").exists() else "the stages have not run yet: `dvc repro`"
    return Finding("dvc", f"{metadata.version('dvc')}, {run}")


def _store() -> Finding:
    uri = connection.without_password(address.tracking_uri())
    database = address.database_file(address.tracking_uri())
    if database is not None and not database.exists():
        return Finding("mlflow", f"{uri}: not there yet, the first stage makes it")
    moved = connection.moved_from(address.tracking_uri())
    connection.connect()  # refuses a schema that is not this MLflow's, and mends a store that was moved
    note = f", moved from {moved}: its paths were rewritten" if moved else ""
    return Finding("mlflow", f"{uri}: reachable, schema {connection.schema_version(address.tracking_uri())}{note}")


def _champion() -> Finding:
    database = address.database_file(address.tracking_uri())
    champion = None if database is not None and not database.exists() else registry.champion()
    if champion is None:
        return Finding("champion", "none yet")
    registry.load(champion)
    return Finding("champion", f"version {champion.number}, its model can be read")


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    advice = "" if free >= FREE_BYTES else "make room: at least 1 GB"
    return Finding("disk", f"{free / (1 << 30):,.1f} GB free", advice)


def _source() -> Finding:
    source = params.read().ingest.source
    shown = sources.shown(source)
    local = source != sources.SAMPLE and "://" not in source
    if local and not Path(source).exists():
        return Finding("source", f"{shown} is not there", "correct ingest.source in params.yaml, or put the file there")
    if not paths.SOURCE.exists():
        return Finding("source", f"{shown}: not read yet, run `dvc repro`")
    record = tables.read_json(paths.SOURCE)
    if local and files.changed_since(record):
        return Finding(
            "source", f"{shown} has changed since it was read", "run `dvc repro --force ingest`, then `dvc repro`"
        )
    return Finding("source", f"{shown}: as it was read")


CHECKS: dict[str, Callable[[], Finding]] = {
    "python": _python,
    "environment": _environment,
    "params.yaml": _settings,
    "dvc": _dvc,
    "mlflow": _store,
    "champion": _champion,
    "disk": _disk,
    "source": _source,
}

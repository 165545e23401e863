"""What the project needs from this machine: one finding per need, each with what to do where it is not met."""

import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement

from insiders.errors import InputError
from insiders.io import addresses, params, paths, tables, written
from insiders.io.delivery import files
from insiders.io.tracking import address, connection, registry

PYTHON = (3, 11)
LOCK = Path("requirements.lock")
FREE_BYTES = 1 << 30  # the sample takes a tenth of it


@dataclass(frozen=True)
class Finding:
    """The state of one need; `advice` is empty where it is met."""

    need: str
    state: str
    advice: str = ""

    @property
    def ok(self) -> bool:
        return not self.advice


def examine() -> list[Finding]:
    """Look at every need, also after one that is not met."""
    return [_finding(need, check) for need, check in CHECKS.items()]


def _finding(need: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except (InputError, OSError, ValueError) as error:  # a damaged file must not end the examination
        return Finding(need, str(error), "see the message")


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    minimum = ".".join(map(str, PYTHON))
    return Finding("python", version, "" if sys.version_info >= PYTHON else f"install Python {minimum} or newer")


def _environment() -> Finding:
    """Compare the direct dependencies with the lock of a clone, else with what the installed package declares."""
    direct = _on_this_machine(metadata.requires("insiders") or [])
    origin, wanted = ("locked", _locked()) if LOCK.exists() else ("declared", direct)
    wrong = [
        f"{name} {_installed(name) or 'missing'}, {origin} {need.specifier}"
        for name, need in wanted.items()
        if name in direct and not _is_met(need)
    ]
    mend = "run `make env`" if LOCK.exists() else "install them with pip"
    state = "; ".join(wrong) or f"{len(direct)} direct dependencies as {origin}"
    return Finding("environment", state, mend if wrong else "")


def _locked() -> dict[str, Requirement]:
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    return _on_this_machine(line.rstrip(" \\") for line in lines if line[:1].isalnum())


def _on_this_machine(requirements: Iterable[str]) -> dict[str, Requirement]:
    """By name, without what is for another system, another Python or an extra."""
    needs = map(Requirement, requirements)
    return {need.name: need for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})}


def _is_met(need: Requirement) -> bool:
    version = _installed(need.name)
    return version is not None and need.specifier.contains(version, prereleases=True)


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
        return Finding("dvc", "not installed", "run `make env`, or install it with pip")
    if not Path(".dvc").is_dir() or not Path("dvc.yaml").exists():
        return Finding("dvc", "no .dvc/ or dvc.yaml here", "run the command in the project's top folder")
    run = "the stages have run" if Path("dvc.lock").exists() else "the stages have not run yet: `dvc repro`"
    return Finding("dvc", f"{metadata.version('dvc')}, {run}")


def _store() -> Finding:
    uri = address.tracking_uri()
    name = connection.without_password(uri)
    if address.is_missing(uri):
        return Finding("mlflow", f"{name}: not there yet, the first stage makes it")
    moved_from = connection.moved_from(uri)
    connection.connect()  # refuses a schema that is not this MLflow's, and repairs a store that was moved
    note = f", moved from {moved_from}: its paths were rewritten" if moved_from else ""
    return Finding("mlflow", f"{name}: reachable, schema {connection.schema_version(uri)}{note}")


def _champion() -> Finding:
    champion = None if address.is_missing(address.tracking_uri()) else registry.champion()
    if champion is None:
        return Finding("champion", "none yet")
    registry.load(champion)
    return Finding("champion", f"version {champion.number}, its model can be read")


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    advice = "" if free >= FREE_BYTES else f"make room: at least {FREE_BYTES >> 30} GB"
    return Finding("disk", f"{free / (1 << 30):,.1f} GB free", advice)


def _source() -> Finding:
    source = params.read().ingest.source
    name = addresses.shown(source)
    is_local = source != params.SAMPLE and "://" not in source
    if is_local and not Path(source).exists():
        return Finding("source", f"{name} is not there", "correct ingest.source in params.yaml, or put the file there")
    if not paths.SOURCE.exists():
        return Finding("source", f"{name}: not read yet, run `dvc repro`")
    if is_local and files.changed_since(tables.read_json(paths.SOURCE)):
        mend = "run `dvc repro --force --single-item ingest`, then `dvc repro`"
        return Finding("source", f"{name} has changed since it was read", mend)
    return Finding("source", f"{name}: as it was read")


def _files() -> Finding:
    changed = written.changed()
    if not changed:
        return Finding("files", "as they were written")
    mend = "put them back as they were, or run `insiders doctor --repair`, then `dvc repro --force`"
    return Finding("files", f"{', '.join(map(str, changed))}: changed or damaged since they were written", mend)


CHECKS: dict[str, Callable[[], Finding]] = {
    "python": _python,
    "environment": _environment,
    "params.yaml": _settings,
    "dvc": _dvc,
    "mlflow": _store,
    "champion": _champion,
    "disk": _disk,
    "source": _source,
    "files": _files,
}

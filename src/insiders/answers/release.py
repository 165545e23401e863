"""One release as a whole, for who shows it while the next one may be written: every table of it, read once."""

import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from insiders.answers.inputs import Inputs
from insiders.errors import InputError
from insiders.io import params, paths, tables
from insiders.io.params import Params
from insiders.language import LOCALES, Language
from insiders.report import text

__all__ = ["LANGUAGES", "Language", "Opened", "Release", "State", "as_csv", "labels", "opened", "state"]

FILES = (
    *(paths.CUSTOMERS, paths.ASSIGNMENTS, paths.CONFIDENCE, paths.EXPECTATIONS, paths.MEMBERS, paths.MOVEMENT),
    *(paths.MEMBERSHIPS, paths.PLACES, paths.INSIDERS, paths.AUDIENCES, paths.ANSWERS, paths.LEDGER, paths.INTAKE),
)
TRIES, PAUSE_SECONDS = 20, 0.25  # until files that are just being written have come to rest
LANGUAGES = tuple(LOCALES)

State = tuple[tuple[int, int], ...]  # of each file: time of its last change, size


class Release(NamedTuple):
    """The tables of one release, and the settings they were made by."""

    name: str
    as_of: date
    settings: Params
    answers: Mapping[str, Any]  # reports/answers.json
    customers: pd.DataFrame  # Inputs.members with `place` and `score`
    insiders: pd.DataFrame  # schemas.INSIDERS
    past: pd.DataFrame  # schemas.MEMBERSHIPS
    coordinates: pd.DataFrame  # schemas.PLACES
    ledger: pd.DataFrame
    intake: str  # Markdown

    def speak(self, language: str) -> Language:
        """One of LANGUAGES, with the shop's currency."""
        return Language(language, self.settings.preprocess.currency)

    def wordings(self, language: Language) -> dict[str, text.Wording]:
        """Question and answer of each of the nine, in a language."""
        environment = text.environment(language)
        return {key: text.wording(environment, key, numbers) for key, numbers in self.answers.items()}


class Opened(NamedTuple):
    """A release, or why there is none to show."""

    release: Release | None
    problem: str


def state() -> State:
    """What tells one release's files from the next one's; (0, 0) for a file that is not there."""
    return tuple((stat.st_mtime_ns, stat.st_size) if (stat := _stat(path)) else (0, 0) for path in FILES)


def _stat(path: Path) -> Any:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def opened() -> Opened:
    """The release whose files lie in the working folder, once none of them changes while they are read."""
    problem = ""
    for attempt in range(TRIES):
        before = state()
        try:
            release, problem = _read(), ""
        except InputError as error:
            release, problem = None, str(error)
        if release is not None and state() == before and _agree(release):
            return Opened(release, "")
        if release is None and state() == before and attempt:
            break
        time.sleep(PAUSE_SECONDS)
    return Opened(None, problem or "the files of one release are still being written: wait for `dvc repro` to end")


def _read() -> Release:
    inputs = Inputs(params.read())
    answers = tables.read_json(paths.ANSWERS)
    for path in (paths.AUDIENCES, paths.INTAKE):
        tables.require(path)
    return Release(
        inputs.terms["release"],
        inputs.as_of,
        inputs.settings,
        answers,
        inputs.members,
        inputs.insiders,
        tables.read(paths.MEMBERSHIPS),
        tables.read(paths.PLACES),
        inputs.ledger,
        paths.INTAKE.read_text(encoding="utf-8"),
    )


def _agree(release: Release) -> bool:
    """Whether list, tables and answers are of one release."""
    listed = set(release.insiders["release"]) | set(release.customers["release"])
    return listed <= {release.name} and release.answers["who"]["count"] == len(release.insiders)


def labels(language: Language) -> Mapping[str, str]:
    """Readable names of columns."""
    return text.labels(language)


def as_csv(rows: pd.DataFrame) -> str:
    """Rows as a file that is safe to open in a spreadsheet."""
    return tables.spreadsheet_safe(rows).to_csv(index=False)

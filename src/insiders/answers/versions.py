"""The versions of the model: which serves, which challenges it, what each was judged by; and to change that by hand."""

from typing import NamedTuple

from insiders.errors import InputError
from insiders.io.tracking import registry, server


class Version(NamedTuple):
    """A registered version; `card` is its model card in Markdown, with its gates and the sort that it beat."""

    number: str
    aliases: tuple[str, ...]
    passed: bool
    card: str


def listed() -> list[Version]:
    """All versions, the newest first; none where nothing was ever registered."""
    return [Version(each.number, each.aliases, each.passed, each.card) for each in reversed(registry.versions())]


def promote(number: str) -> str:
    """Make a version the champion. -> what was done, or why not."""
    try:
        chosen = registry.promote(number)
    except InputError as error:
        return str(error)
    return f"version {chosen.number} serves: run `dvc repro`" if chosen else "nothing changed"


def roll_back() -> str:
    """Make the champion before this one the champion again. -> what was done, or why not."""
    try:
        return f"version {registry.rollback().number} serves again: run `dvc repro`"
    except InputError as error:
        return str(error)


def mlflow_address(port: int = 5000) -> str:
    """Where `insiders ui` shows the same versions."""
    return server.ui_address(port)

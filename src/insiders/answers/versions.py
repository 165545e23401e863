"""The versions of the model: which serves, which challenges it, what each was judged by; and to change that by hand."""

from collections.abc import Callable

from insiders.errors import InputError
from insiders.io import workspace
from insiders.io.tracking import registry, server
from insiders.io.tracking.registry import Version


def listed() -> list[Version]:
    """All versions, the newest first; none where nothing was ever registered."""
    return registry.versions()[::-1]


@workspace.alone("insiders promote")
def promote(number: str | None = None) -> str:
    """Make a version the champion, without a number the challenger. -> what was done."""
    chosen = registry.promote(number)
    if chosen is None:
        return "nothing changed"
    warning = "" if chosen.passed else " (it has not passed every gate)"
    return f"version {chosen.number} serves{warning}: run `dvc repro`"


@workspace.alone("insiders rollback")
def roll_back() -> str:
    """Make the champion before this one the champion again. -> what was done."""
    return f"version {registry.rollback().number} serves again: run `dvc repro`"


def tried(change: Callable[[], str]) -> str:
    """What a change did, or why it could not be made."""
    try:
        return change()
    except InputError as error:
        return str(error)


def mlflow_address(port: int = 5000) -> str:
    """Where `insiders ui` shows the same versions."""
    return server.ui_address(port)

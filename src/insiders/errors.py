"""The error that users cause and can mend, and how a program ends with its message."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

P = ParamSpec("P")


class InputError(Exception):
    """Its message says what came, where, what was expected and what to do; it is shown without a traceback."""


def exit_on_input_error(program: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Make a function end the process on InputError: with `program: message` on stderr and status 1.

    Any other exception is a bug and keeps its traceback.
    """

    def decorate(main: Callable[P, None]) -> Callable[P, None]:
        @wraps(main)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                main(*args, **kwargs)
            except InputError as error:
                raise SystemExit(f"{program}: {error}") from error  # Python writes it to stderr and ends with status 1

        return run

    return decorate

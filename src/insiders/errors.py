"""The error that users cause and can mend, and how a program ends with its message."""

import errno
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

P = ParamSpec("P")

# What stands in the way of every file alike, and what to do.
UNWRITABLE = {
    errno.ENOSPC: "make room on the disk and repeat",
    errno.EDQUOT: "make room within the quota and repeat",
    errno.EROFS: "work in a folder that can be written to",
    errno.EACCES: "work in a folder that you may write to",
    errno.EPERM: "work in a folder that you may write to",
}


class InputError(Exception):
    """Its message says what came, where, what was expected and what to do; it is shown without a traceback."""


def unwritable(error: OSError, place: object = None) -> InputError | None:
    """The message where a disk is full, or a folder cannot be written to; None for any other error."""
    if error.errno not in UNWRITABLE:
        return None
    name = place or error.filename or "a file"
    return InputError(f"{name} cannot be written: {error.strerror}; {UNWRITABLE[error.errno]}")


def exit_on_input_error(program: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Make a function end the process on InputError: with `program: message` on stderr and status 1.

    So does a disk that is full or cannot be written to. Any other exception is a bug and keeps its traceback.
    """

    def decorate(main: Callable[P, None]) -> Callable[P, None]:
        @wraps(main)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                main(*args, **kwargs)
            except InputError as error:
                raise SystemExit(f"{program}: {error}") from error  # Python writes it to stderr and ends with status 1
            except OSError as error:
                if (told := unwritable(error)) is None:
                    raise
                raise SystemExit(f"{program}: {told}") from error

        return run

    return decorate

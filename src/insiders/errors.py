"""The error that users cause and can mend, and how a stage reports it."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path


class InputError(Exception):
    """Says where, what came, what was expected and what to do; shown without a traceback."""


def reported(main: Callable[[], None]) -> Callable[[], None]:
    """End the process with the message and status 1 where a user's input is at fault; a bug keeps its traceback."""

    @wraps(main)
    def run() -> None:
        try:
            main()
        except InputError as error:
            # By its file: a stage that is run as a module calls itself __main__.
            sys.exit(f"{Path(main.__code__.co_filename).stem}: {error}")

    return run

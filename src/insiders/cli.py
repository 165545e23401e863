"""The command `insiders`: each command is a thin function, what it does stands elsewhere."""

from collections.abc import Callable
from functools import wraps
from typing import Annotated, ParamSpec

import typer

from insiders.errors import InputError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
P = ParamSpec("P")


@app.callback()
def _insiders() -> None:
    """Find the customers whom a loyalty programme should name, and say how sure that is."""


def reported(command: Callable[P, None]) -> Callable[P, None]:
    """End a command with the message and status 1 where its input is at fault."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except InputError as error:
            typer.echo(f"insiders: {error}", err=True)
            raise typer.Exit(1) from error

    return run


@app.command()
@reported
def fetch(
    url: Annotated[str | None, typer.Option(help="Another address than the publisher's.")] = None,
    sha256: Annotated[str | None, typer.Option(help="The digest that the file must have.")] = None,
) -> None:
    """Download the public data set Online Retail from its publisher into data/raw/."""
    from insiders.io import download, paths, sources

    address = url or download.ONLINE_RETAIL
    with sources.naming(address):
        path = download.cached(address, sha256, paths.RAW)
    typer.echo(f"{path} is there. Write into params.yaml, under ingest:\n\n  source: {path}\n\nthen run: dvc repro")

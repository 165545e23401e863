"""Write the board in the form of a tool, or send it there, and say what became of it."""

from collections.abc import Iterator
from pathlib import Path

from insiders.answers import bi
from insiders.errors import InputError
from insiders.io import tables


def metabase(database: int, address: str | None, out: Path | None) -> Iterator[str]:
    """Send the board to a Metabase, write it to a file, or both."""
    from insiders.answers.bi.metabase import bundle
    from insiders.io.metabase import send

    if address is None and out is None:
        raise InputError("nothing to do: name a Metabase with --to, or a file with --out")
    board = bi.read()
    made = bundle(board, database)
    if out is not None:
        tables.write_json(made.as_json(), out)
        yield f"{out} holds {len(made.cards)} cards and the dashboard"
    if address is not None:
        sent = send(made, address)
        yield f"{sent.address}: {sent.created} made, {sent.updated} brought up to date"
    yield from _left_out(board)


def _left_out(board: bi.Board) -> Iterator[str]:
    if board.left_out:
        yield f"left out, since publish.columns keeps back what they show: {', '.join(board.left_out)}"

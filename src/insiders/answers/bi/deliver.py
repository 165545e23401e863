"""Write the board in the form of a tool, or send it there, and say what became of it."""

from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from insiders.answers import bi
from insiders.errors import InputError
from insiders.io import tables

OLDEST = (1980, 1, 1, 0, 0, 0)  # time of all files in an archive, so that the same board is the same bytes


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


def superset(address: str, out: Path) -> Iterator[str]:
    """Write the board as an archive that Superset imports."""
    from insiders.answers.bi.superset import export

    board = bi.read()
    files = export(board, address)
    with tables.atomic_write(out) as temporary, ZipFile(temporary, "w", ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(ZipInfo(name, OLDEST), text, ZIP_DEFLATED)
    yield f"{out} holds {len(board.cards)} charts and the dashboard"
    yield from _left_out(board)


def powerbi(address: str, out: Path) -> Iterator[str]:
    """Write the board as a project that Power BI Desktop opens; what a person made of an earlier one stays."""
    from insiders.answers.bi.powerbi import project, sources

    if out.exists() and (out.is_file() or any(out.iterdir())):
        raise InputError(f"{out} is there already: name another folder, so that nobody's changes to it are lost")
    published = bi.read()
    source = sources.of(address, published.schema)
    board = published.without(*source.lacks)
    for name, text in project(board, source).items():
        tables.write_text(text, out / name)
    yield f"{out} holds {len(board.cards)} visuals: open Insiders.pbip there in Power BI Desktop"
    yield from _left_out(board)


def _left_out(board: bi.Board) -> Iterator[str]:
    if board.left_out:
        yield f"left out, since what they show is not published there: {', '.join(board.left_out)}"

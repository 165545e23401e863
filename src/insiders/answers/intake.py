"""What would be understood of a delivery: ingest and preprocess, without leaving anything."""

from datetime import date
from pathlib import Path

from insiders.answers import cleaning, understanding
from insiders.io import engine, tables
from insiders.io.delivery import intake, sources
from insiders.io.params import Params


def check(settings: Params, today: date | None = None) -> understanding.Understanding:
    """Read and clean what `ingest.source` names, without leaving anything, and say what was understood.

    Raises InputError as ingest and preprocess do: what could not be read, or the question that is open.
    """
    con = engine.connect()
    with tables.temporary_folder() as folder, sources.naming(settings.ingest.source):
        delivery = intake.read(con, sources.open_source(settings), settings.ingest, Path(folder), today=today)
        return cleaning.clean(con, delivery.transactions, settings.preprocess).understood(delivery.record)

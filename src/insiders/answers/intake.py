"""What would be understood of a delivery: ingest and preprocess, without leaving anything."""

from pathlib import Path
from tempfile import TemporaryDirectory

from insiders.answers import cleaning, understanding
from insiders.io import engine, paths
from insiders.io.delivery import intake, sources
from insiders.io.params import Params


def check(settings: Params) -> understanding.Understanding:
    """Read and clean what `ingest.source` names, without leaving anything, and say what was understood.

    Raises InputError as ingest and preprocess do: what could not be read, or the question that is open.
    """
    with TemporaryDirectory(prefix="insiders-check-") as name, sources.naming(settings.ingest.source):
        folder = Path(name)
        record = intake.take(sources.open_source(settings), settings.ingest, folder)
        con = engine.connect()
        transactions = engine.scan(con, folder / paths.TRANSACTIONS.name)
        return cleaning.clean(con, transactions, settings.preprocess).understood(record)

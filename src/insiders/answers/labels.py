"""A table of any number of customers: the segment of each by a model, a block at a time, in the memory of one block.

What is said here of a customer depends on nobody else. Who is a member does: `assignments` says it, and holds them all.
"""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from insiders import schemas
from insiders.answers import assignments
from insiders.answers.assignments import Server
from insiders.errors import InputError
from insiders.io import tables
from insiders.io.package import Package
from insiders.io.params import Params

KEYS = ("customer_id", "as_of")
ROWS = 100_000  # of a block: few for the memory, enough to spread what a call costs


def write(source: Path, target: Path, version: str | None, settings: Params) -> str:
    """Write schemas.LABELS of a table in the form of schemas.CUSTOMERS, in its order; returns the version that serves.

    InputError where the table cannot be read or is of several days, or where no model serves.
    """
    as_of = _day(source)
    server = assignments.named(version, settings, as_of)
    if not isinstance(server.labeller, Package):
        raise InputError(
            f"{target} is to hold what a model says, and {server.version} serves, which names the first of all "
            "customers: name a --version, or a folder as --out"
        )
    columns = list(dict.fromkeys([*KEYS, *server.labeller.contract]))
    blocks = (_refuse_other_days(block, as_of, source) for block in tables.read_blocks(source, columns, ROWS))
    tables.write_parts_together({target: (_labelled(server, server.labeller, blocks), schemas.LABELS)})
    return server.version


def _day(source: Path) -> pd.Timestamp:
    for block in tables.read_blocks(source, KEYS, 1):
        return pd.Timestamp(block["as_of"].iloc[0])
    raise InputError(f"{source} has no customers: expected a table in the form of data/customers.parquet")


def _refuse_other_days(block: pd.DataFrame, as_of: pd.Timestamp, source: Path) -> pd.DataFrame:
    others = block.loc[block["as_of"] != as_of, "as_of"]
    if len(others):
        raise InputError(f"{source} has customers as of {as_of} and of {others.iloc[0]}: expected those of one day")
    return block


def _labelled(server: Server, package: Package, blocks: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for block in blocks:
        said = package.predict(block)
        yield (
            block[list(KEYS)].join(said).assign(model_version=pd.Series(server.version, index=block.index, dtype="str"))
        )

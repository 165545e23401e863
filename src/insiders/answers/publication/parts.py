"""The customers of a run in parts, so that a publish does not hold all of them in memory."""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import ibis

from insiders.answers.inputs import Inputs
from insiders.io import engine, paths

if TYPE_CHECKING:
    import ibis.expr.types as ir

CUSTOMERS = engine.ROW_GROUP  # of a part: the files are sorted by id, so that a part reads little of the others' rows


class Range(NamedTuple):
    """Ids from `first` on to those before `end`; None: without a limit."""

    first: str | None
    end: str | None

    def of(self, table: "ir.Table") -> "ir.Table":
        """The rows of these customers."""
        kept = table if self.first is None else table.filter(table.customer_id >= self.first)
        return kept if self.end is None else kept.filter(kept.customer_id < self.end)


class Part(Inputs):
    """The files of a run as far as they tell of a range of customers."""

    def __init__(self, whole: Inputs, scan: "Callable[[Path], ir.Table]", ids: Range) -> None:
        super().__init__(whole.settings)
        self.connection, self.as_of = whole.connection, whole.as_of
        self.scan_whole, self.ids = scan, ids

    def scan(self, path: Path) -> "ir.Table":
        """The rows of these customers, of a file that has the column `customer_id`."""
        return self.ids.of(self.scan_whole(path))


def parts(whole: Inputs) -> Iterator[Part]:
    """All customers in the order of their ids."""
    scan = cache(whole.scan)  # which looks whether a file was changed: once is enough
    for first, end in pairwise([None, *_borders(whole), None]):
        yield Part(whole, scan, Range(first, end))


def _borders(whole: Inputs) -> list[str]:
    """The first id of each part but the first."""
    customers = whole.scan(paths.CUSTOMERS).select("customer_id")
    numbered = customers.mutate(number=ibis.row_number().over(order_by=customers.customer_id))
    borders = numbered.filter((numbered.number > 0) & (numbered.number % CUSTOMERS == 0))
    return sorted(whole.fetch(borders)["customer_id"])

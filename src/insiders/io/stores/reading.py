"""A release as it is read back from a store: whole, also while another one is published."""

from typing import TYPE_CHECKING, NamedTuple

from insiders.errors import InputError
from insiders.io.stores.release import Columns, Row, Store
from insiders.schemas.published import BY_NAME

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

TRIES = 5


class Reading(NamedTuple):
    """A release's row in `releases`, and those of its tables that were asked for."""

    row: Row
    tables: "dict[str, pd.DataFrame]"


def read(store: Store, columns: Columns) -> Reading | None:
    """The current release; None where nothing is published.

    What was read counts only where the store still holds it afterwards. Raises InputError where columns are missing, or
    one publication takes away the other.
    """
    for _ in range(TRIES):
        before = store.current()
        if before is None:
            return None
        tables = store.tables(columns, before["release"])
        if store.holds(before):
            return Reading(before, {name: _frame(name, table, columns) for name, table in tables.items()})
    raise InputError(f"{TRIES} releases in turn were published while they were read: try again")


def _frame(name: str, table: "pa.Table", columns: Columns) -> "pd.DataFrame":
    """Whole numbers stay whole where some are missing."""
    if missing := sorted(set(columns[name]) - set(table.column_names)):
        raise InputError(
            f"the published table {name} has no {', '.join(missing)}, which are needed here: publish.columns in "
            "params.yaml keeps them back, or an earlier version published it; publish again"
        )
    frame = table.select(columns[name]).to_pandas(date_as_object=False)
    counts = [each for each in columns[name] if BY_NAME[name].columns[each].kind == "count"]
    return frame.astype({each: "Int64" for each in counts if frame[each].isna().any()})

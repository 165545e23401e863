"""From a source to transactions and quarantine: nothing is lost on the way, and both become visible together or not."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from insiders import schemas
from insiders.errors import InputError
from insiders.io import engine, paths
from insiders.io.delivery import blocks, columns, rows
from insiders.io.delivery.blocks import PROBLEM, ROW
from insiders.io.delivery.sources import Source, shown
from insiders.io.params import Ingest

ORDER = ("invoiced_at", "invoice", "product_code")
EXAMPLE_LENGTH = 120


class Refused(NamedTuple):
    """How many rows one reason keeps out, and the number of the first of them."""

    reason: str
    rows: int
    first: int


def take(source: Source, settings: Ingest) -> dict[str, Any]:
    """Read all rows, write those that can be read and those that cannot, and give the record of what was read.

    Raises InputError where the source has no row, too many that cannot be read, or a form that is open.
    """
    mapping = columns.recognise(source.columns, settings.columns)
    paths.DATA.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix=".ingest-", dir=paths.DATA) as folder:
        landed = Path(folder) / "landed.parquet"
        delivered = blocks.store(source.blocks, landed)
        con = engine.connect()
        raw = con.read_parquet(landed)
        form = rows.form(raw, mapping, settings.date_format, settings.decimal or source.decimal)
        read = engine.materialize(con, rows.read(raw, mapping, form))
        refused = _refused(read)
        _judge(raw, delivered, refused, settings.quarantine_share_max)
        written = [Path(folder) / path.name for path in (paths.TRANSACTIONS, paths.QUARANTINE)]
        good = read.filter(read[PROBLEM].isnull()).select(list(schemas.TRANSACTIONS.columns))
        transactions = engine.write(con, good, written[0], schemas.TRANSACTIONS, ORDER)
        engine.write(con, rows.quarantine(raw, read), written[1], None, [ROW])
        _reconcile(delivered, written)
        facts = _record(source, settings, mapping, form) | _count(transactions, delivered, refused)
        for path in written:
            path.replace(paths.DATA / path.name)
    return facts


def _refused(read: Any) -> list[Refused]:
    bad = read.filter(read[PROBLEM].notnull())
    counted = bad.group_by(reason=bad[PROBLEM]).aggregate(rows=bad.count(), first=bad[ROW].min())
    found = [Refused(**each) for each in engine.fetch_records(counted)]
    return sorted(found, key=lambda each: (-each.rows, each.reason))


def _judge(raw: Any, delivered: int, refused: list[Refused], share_max: float) -> None:
    count = sum(each.rows for each in refused)
    if count <= share_max * delivered and count < delivered:
        return
    reasons = "".join(
        f"\n  {each.rows:,} x {each.reason}, first in row {_example(raw, each.first)}" for each in refused
    )
    raise InputError(
        f"{count:,} of {delivered:,} rows ({count / delivered:.2%}) cannot be read; ingest.quarantine_share_max allows "
        f"{share_max:.2%}. Mend the file, or declare its form in params.yaml (ingest.columns, date_format, decimal, "
        f"encoding):{reasons}"
    )


def _example(raw: Any, number: int) -> str:
    found = engine.fetch_records(raw.filter(raw[ROW] == number).drop(ROW, PROBLEM).limit(1))[0]
    text = " | ".join("" if value is None else str(value) for value in found.values())
    return f"{number:,}: {text[:EXAMPLE_LENGTH]}"


def _reconcile(delivered: int, written: list[Path]) -> None:
    """Count the rows of the files themselves: each row that came is in one of them."""
    from pyarrow import parquet

    counts = [parquet.read_metadata(path).num_rows for path in written]
    if sum(counts) != delivered:
        raise RuntimeError(f"{delivered} rows came, {counts} were written to {[path.name for path in written]}")


def _record(source: Source, settings: Ingest, mapping: Mapping[str, str | None], form: rows.Form) -> dict[str, Any]:
    return {
        "source": shown(settings.source),
        "kind": source.kind,
        **source.facts,
        "columns": dict(mapping),
        "date_format": list(form.date_forms),
        "decimal": form.decimal,
    }


def _count(transactions: Any, delivered: int, refused: list[Refused]) -> dict[str, Any]:
    """Count the rows; `total` is the exact sum of quantity x price of those that could be read, as text."""
    amount = transactions.quantity.cast("decimal(18, 0)") * transactions.unit_price
    (totals,) = engine.fetch_records(transactions.aggregate(rows=transactions.count(), total=amount.sum()))
    return {
        "rows_read": delivered,
        "rows": totals["rows"],
        "rows_quarantined": delivered - totals["rows"],
        "reasons": {each.reason: each.rows for each in refused},
        "total": str(totals["total"]),
    }

"""From a source to transactions and quarantine: nothing is lost on the way, and both become visible together or not."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import ibis

from insiders.errors import InputError
from insiders.io import addresses, engine, paths
from insiders.io.delivery import blocks, columns, dates, discounts, identities, rows, sampling, unread, worth
from insiders.io.delivery.blocks import PROBLEM, ROW
from insiders.io.delivery.sources import Source
from insiders.io.params import SAMPLE, Ingest

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

Table = Any  # Ibis has no types that mypy could follow

ORDER = ("invoiced_at", "invoice", "product_code")
EXAMPLE_LENGTH = 120
ZONES = 1  # day: somewhere on earth it is tomorrow already
STRAY_SHARE_MAX = 0.05  # of the rows: more of them far from the others are no slips but another part of the history


class Refused(NamedTuple):
    """How many rows one reason keeps out, and the number of the first of them."""

    reason: str
    rows: int
    first: int


class Delivery(NamedTuple):
    """A source as its rows: those that can be read, those that cannot (with the reason), and the record of both."""

    transactions: Table
    quarantine: Table
    record: dict[str, Any]


def take(source: Source, settings: Ingest, into: Path = paths.DATA, *, today: date | None = None) -> dict[str, Any]:
    """Read all rows, write those that can be read and those that cannot, and give the record of what was read.

    Where `today` is given, dates after it are asked about.

    Raises InputError where the source has no row, too many that cannot be read, or a form that is open.
    """
    from insiders import schemas  # the contracts' library takes as long to import as a small file to read

    into.mkdir(exist_ok=True)
    con = engine.connect()
    with TemporaryDirectory(prefix=".ingest-", dir=into) as name:
        folder = Path(name)
        delivery = read(con, source, settings, folder, today=today)
        written = [folder / path.name for path in (paths.TRANSACTIONS, paths.QUARANTINE)]
        engine.write(con, delivery.transactions, written[0], schemas.TRANSACTIONS, ORDER)
        engine.write(con, delivery.quarantine, written[1], None, [ROW])
        _reconcile(delivery.record["rows_read"], written)
        for path in written:
            path.replace(into / path.name)
    return delivery.record


def read(con: "Backend", source: Source, settings: Ingest, folder: Path, *, today: date | None = None) -> Delivery:
    """Read all rows, as `take` does, and write nothing but the raw ones: into `folder`, from which they are read on."""
    recognised = columns.recognise(source.columns, settings.columns, settings.ignore)
    mapping = recognised.columns
    landed = folder / "landed.parquet"
    delivered = blocks.store(source.blocks, landed)
    raw = sampling.of_sample(con, con.read_parquet(landed), mapping, settings)
    if settings.sample is not None:
        delivered = engine.fetch_records(raw.aggregate(rows=raw.count()))[0]["rows"]
    others = unread.summary(raw, mapping)
    unread.refuse(others, mapping, settings.ignore)
    unread.refuse_order_number(raw, others, mapping, settings.ignore)
    unread.refuse_quantity(raw, others, mapping, settings.ignore)
    texts = rows.texts(raw, mapping)
    form = rows.form(texts, mapping, settings.date_format, settings.decimal or source.decimal)
    parsed = rows.completed(engine.materialize(con, rows.read(raw, texts, mapping, form)), mapping)
    if worth.are_of_lines(parsed, mapping, engine.fetch_records):
        parsed, mapping = worth.with_line_totals(parsed, mapping)
        recognised = recognised._replace(columns=mapping)
    known = None if form.discount == "percent" else recognised.discount_is  # a sign in the file says more than its form
    declared = worth.Declared(
        settings.price_is, settings.discount_is or known, form.discount, recognised.preset is not None
    )
    basis = worth.basis(parsed, mapping, declared, engine.fetch_records)
    parsed = _within_span(con, parsed, mapping, settings)
    if today and not settings.last_day and settings.source != SAMPLE:
        _refuse_future(parsed, str(mapping["invoiced_at"]), today + timedelta(days=ZONES))
    refused = _refused(parsed)
    _judge(raw, delivered, refused, settings.quarantine_share_max)
    priced = worth.settled(worth.priced(_converted(parsed, mapping, settings, basis), basis), mapping, basis)
    good = priced.filter(priced[PROBLEM].isnull()).drop(ROW, PROBLEM, *worth.STEPS)
    transactions = identities.merged(con, good, settings.identities)
    bad = rows.quarantine(raw, parsed)
    facts = _record(source, settings, recognised, form, basis) | _count(transactions, delivered, refused)
    facts |= _said_besides(others, parsed, mapping)
    return Delivery(transactions, bad if source.has_order else rows.numbered(bad), facts)


def _within_span(con: Any, read: Any, mapping: Mapping[str, str | None], settings: Ingest) -> Any:
    """Set apart the rows of dates that lie far from all others, or after the last day that is declared."""
    if settings.last_day:
        late = read.invoiced_at.date() > settings.last_day
        reason = f"{mapping['invoiced_at']} lies after ingest.last_day ({settings.last_day})"
        read = engine.materialize(con, read.mutate(**{PROBLEM: read[PROBLEM].coalesce(late.ifelse(reason, None))}))
    good = read.filter(read[PROBLEM].isnull())
    counted = good.group_by(day=good.invoiced_at.date()).aggregate(rows=good.count())
    days = [dates.Day(**each) for each in engine.fetch_records(counted)]
    gap_max, column = settings.gap_days_max or dates.GAP_MAX, str(mapping["invoiced_at"])
    if not (span := dates.span(days, gap_max, STRAY_SHARE_MAX)):
        return read
    inside = [day for day in days if span[0] <= day.day <= span[1]]
    if not settings.gap_days_max:
        dates.refuse_stray(inside, column)
    if len(inside) == len(days):
        return read
    far = ~read.invoiced_at.date().between(*span)
    reason = f"{column} lies over {gap_max} days from all other dates"
    return engine.materialize(con, read.mutate(**{PROBLEM: read[PROBLEM].coalesce(far.ifelse(reason, None))}))


def _refuse_future(read: Any, column: str, last: date) -> None:
    late = read.filter(read[PROBLEM].isnull() & (read.invoiced_at.date() > last))
    (seen,) = engine.fetch_records(
        late.aggregate(rows=late.count(), first=late.invoiced_at.min().date(), last=late.invoiced_at.max().date())
    )
    if seen["rows"]:
        raise InputError(
            f"column {column!r} has {seen['rows']:,} rows after today, from {seen['first']} to {seen['last']}: are "
            "they slips, or orders booked ahead? Say in params.yaml up to which day rows count, ingest.last_day: "
            f'"{seen["first"] - timedelta(days=1)}" leaves them out, "{seen["last"]}" keeps them'
        )


def _converted(parsed: Any, mapping: Mapping[str, str | None], settings: Ingest, basis: worth.Basis) -> Any:
    """Bring amounts of several currencies to one, by the rates that are stated. Raises InputError where none are."""
    if not mapping["currency"]:
        return parsed
    parsed = parsed.mutate(currency=parsed.currency.upper())
    codes = sorted(each["code"] for each in engine.fetch_records(_codes(parsed)))
    rates = {code.upper(): rate for code, rate in settings.rates.items()}
    if len(codes) > 1 and (missing := [code for code in codes if code not in rates]):
        example = ", ".join(f"{code}: ..." for code in codes)
        raise InputError(
            f"column {mapping['currency']!r} holds amounts in several currencies ({', '.join(codes)}): deliver one, or "
            f"say in params.yaml what one unit of each is worth in preprocess.currency, ingest.rates: {{{example}}}; "
            f"missing: {', '.join(missing)}"
        )
    if not set(codes) & set(rates):
        return parsed
    of_order = parsed.currency.max().over(ibis.window(group_by="invoice"))  # which some write on its first line only
    parsed = parsed.mutate(currency=parsed.currency.coalesce(of_order))
    (silent,) = engine.fetch_records(parsed.aggregate(rows=parsed.currency.isnull().sum().coalesce(0)))
    if silent["rows"]:
        raise InputError(
            f"column {mapping['currency']!r} is empty in {silent['rows']:,} rows, in whose orders no line has one, and "
            f"holds {', '.join(codes)} in others: fill it, or leave these rows out"
        )
    rate = ibis.cases(*((parsed.currency == code, float(rates[code])) for code in codes if code in rates), else_=1.0)
    moneys = [ours for ours in rows.MONEYS if ours != "discount" or basis.discount in discounts.MONEYS]
    return parsed.mutate(
        **{ours: (parsed[ours].cast("float64") * rate).round(4).cast(discounts.EXACT) for ours in moneys}
    )


def _codes(parsed: Any) -> Any:
    return parsed.filter(parsed.currency.notnull()).select(code=parsed.currency).distinct()


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


def _record(
    source: Source, settings: Ingest, recognised: columns.Recognised, form: rows.Form, basis: worth.Basis
) -> dict[str, Any]:
    """What was understood of the file, for data/source.json."""
    mapping = recognised.columns
    return {
        "source": addresses.shown(settings.source),
        "kind": source.kind,
        **source.facts,
        "preset": recognised.preset,
        "columns": dict(mapping),
        "sample": settings.sample,
        "identities": identities.record(settings.identities),
        "several": {ours: list(names) for ours, names in recognised.open.items()},
        "date_format": list(form.date_forms),
        "offsets": list(form.offsets),
        "dates_filled": form.fills_dates,
        "decimal": form.decimal,
        "currency_signs": form.currencies,
        "money": basis._asdict(),
    }


def _said_besides(others: list[unread.Unread], parsed: Any, mapping: Mapping[str, str | None]) -> dict[str, Any]:
    """What the columns say that are not read, and the codes of the currency."""
    codes = engine.fetch_records(_codes(parsed)) if mapping["currency"] else []
    return {
        "not_read": [each._asdict() | {"common": list(each.common[: unread.SHOWN])} for each in others],
        "currencies": sorted(each["code"] for each in codes),
    }


def _count(transactions: Any, delivered: int, refused: list[Refused]) -> dict[str, Any]:
    """Count the rows; `total` is the exact sum of the amounts that could be read, as text.

    Beside it, by how much it is above quantity x unit_price: discounts and rounding.
    """
    priced = transactions.quantity.cast("decimal(18, 0)") * transactions.unit_price
    off = (transactions.amount - priced).sum()
    (totals,) = engine.fetch_records(
        transactions.aggregate(
            rows=transactions.count(),
            total=transactions.amount.sum(),
            rounding=off,
            first=transactions.invoiced_at.min().date(),
            last=transactions.invoiced_at.max().date(),
        )
    )
    return {
        "rows_read": delivered,
        "rows": totals["rows"],
        "rows_quarantined": delivered - totals["rows"],
        "reasons": {each.reason: each.rows for each in refused},
        "total": str(totals["total"]),
        "amounts_above_price": str(totals["rounding"]),
        "first_day": str(totals["first"]),
        "last_day": str(totals["last"]),
    }

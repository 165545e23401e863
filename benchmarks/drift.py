"""Which faults of a delivery are stopped before a model is used on it, and how many healthy months are.

    python benchmarks/drift.py FOLDER [--file CSV] [--seeds 11 12 13]

Shops: three simulated ones, and the real one where CSV is given. Healthy months: at the beginning of each of the last
nine months a model is taken to be trained, and the next month arrives. Faults: each is planted once in the 30 days
since the model was trained, and once in all days. Printed is what stopped it in each; it counts as stopped where both
were, in every shop. Everything is read into FOLDER.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import ibis
from ibis import _

from insiders.answers import drift
from insiders.errors import InputError
from insiders.evidence.drift.profile import Fault
from insiders.io import engine, params
from insiders.io.delivery import intake, sources

MONTHS = 9  # healthy ones of a shop
TRAINED_BACK = 30  # days before the end of the history, where faults are planted
HISTORY_DAYS = 90
GOAL_STOPPED, GOAL_ALARMS = 11, 1
Table = Any


def part(rows: Table, share: float) -> Table:
    """True for that share of the invoices, by the digest of their number."""
    return rows.invoice.hexdigest("sha256")[:4] < f"{round(share * 65536):04x}"


def priced(rows: Table, factor: float, where: Any) -> Table:
    changed = {
        name: where.ifelse((rows[name] * factor).cast("decimal(18, 4)"), rows[name]).cast("decimal(18, 4)")
        for name in ("unit_price", "amount")
    }
    return rows.mutate(**changed)


def shifted(rows: Table, where: Any) -> Table:
    """Each id becomes the next one, as where a column slipped by a row in a table of customers."""
    ids = rows.filter(_.customer_id.notnull()).select("customer_id").distinct()
    following = ids.mutate(following=_.customer_id.lead().over(ibis.window(order_by="customer_id")))
    joined = rows.mutate(is_hit=where).left_join(following, "customer_id")
    return joined.mutate(customer_id=_.is_hit.ifelse(_.following, _.customer_id)).select(list(rows.columns))


def doubled(rows: Table, where: Any) -> Table:
    return rows.union(rows.filter(where))


PLANTS: Mapping[str, Callable[[Table, Any, date], Table]] = {
    "price x 100": lambda rows, where, _end: priced(rows, 100, where),
    "price x 1.25": lambda rows, where, _end: priced(rows, 1.25, where),
    "pence, in half the invoices": lambda rows, where, _end: priced(rows, 100, where & part(rows, 0.5)),
    "one row of ten left": lambda rows, where, _end: rows.filter(~where | part(rows, 0.1)),
    "sixty days missing": lambda rows, _where, end: rows.filter(
        ~rows.invoiced_at.date().between(end - timedelta(days=70), end - timedelta(days=11))
    ),
    "ids shifted": lambda rows, where, _end: shifted(rows, where),
    "delivered twice": lambda rows, where, _end: doubled(rows, where),
    "euros for pounds": lambda rows, where, _end: priced(rows, 1.17, where),
    "clock seven hours on": lambda rows, where, _end: rows.mutate(
        invoiced_at=where.ifelse(rows.invoiced_at + ibis.interval(hours=7), rows.invoiced_at)
    ),
    "returns missing": lambda rows, where, _end: rows.filter(~where | (rows.amount >= 0)),
    "new country, a fifth of the invoices": lambda rows, where, _end: rows.mutate(
        country=(where & part(rows, 0.2)).ifelse("Atlantis", rows.country)
    ),
    "half the customers gone": lambda rows, where, _end: rows.filter(
        ~where | rows.customer_id.isnull() | (rows.customer_id.hexdigest("sha256")[:1] < "8")
    ),
}


def read(settings: params.Params, source: str, folder: Path) -> Table:
    """The shop's transactions, read once."""
    own = settings.model_copy(update={"ingest": settings.ingest.model_copy(update={"source": source})})
    if not (folder / "transactions.parquet").exists():
        folder.mkdir(parents=True, exist_ok=True)
        intake.take(sources.open_source(own), own.ingest, folder)
    return engine.scan(engine.connect(), folder / "transactions.parquet")


def seeded(settings: params.Params, seed: int) -> params.Params:
    own = settings.simulate.model_copy(update={"customers": 1500})
    return settings.model_copy(update={"seed": seed, "simulate": own})


def span(rows: Table) -> tuple[date, date]:
    first, last = engine.fetch_row(
        rows.get_backend(), rows.aggregate(_.invoiced_at.min().date(), last=_.invoiced_at.max().date())
    )
    return first, last + timedelta(days=1)


def until(rows: Table, day: date) -> Table:
    return rows.filter(rows.invoiced_at.date() < day)


def judged(before: Table, after: Table, trained: date, as_of: date, settings: params.Params) -> list[Fault]:
    """What is said of `after` by the profile of `before`."""
    known, now = (drift.Shop(until(*each), {"source": "shop"}, "GBP") for each in ((before, trained), (after, as_of)))
    return drift.faults(drift.delivery(known, trained), now, as_of, drift.delivery_limits(settings))


def months(first: date, end: date) -> list[date]:
    starts = [date(year, month, 1) for year in range(first.year, end.year + 1) for month in range(1, 13)]
    return [day for day in [*starts, end] if first + timedelta(days=HISTORY_DAYS) <= day <= end][-MONTHS - 1 :]


def healthy(rows: Table, settings: params.Params) -> list[tuple[date, list[Fault]]]:
    days = months(*span(rows))
    return [(day, judged(rows, rows, before, day, settings)) for before, day in pairwise(days)]


def planted(rows: Table, settings: params.Params) -> dict[str, tuple[list[Fault], list[Fault]]]:
    """Of each fault what is said where the days since have it, and where all have."""
    _first, end = span(rows)
    trained = end - timedelta(days=TRAINED_BACK)
    since = rows.invoiced_at.date() >= trained
    wheres = (since, ibis.literal(True))
    return {
        name: tuple(judged(rows, plant(rows, where, end), trained, end, settings) for where in wheres)  # type: ignore[misc]
        for name, plant in PLANTS.items()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--file")
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    given = parser.parse_args(arguments)
    settings = params.read()
    shops = {f"seed {seed}": (seeded(settings, seed), params.SAMPLE) for seed in given.seeds}
    if given.file:
        shops["file"] = (settings, given.file)
    alarms, total, stopped = 0, 0, dict.fromkeys(PLANTS, True)
    for name, (own, source) in shops.items():
        rows = read(own, source, given.folder / name.replace(" ", "-"))
        for day, faults in healthy(rows, own):
            total, alarms = total + 1, alarms + bool(faults)
            print(f"{name:8} healthy {day}", *(f"{fault.name}: {fault.text}" for fault in faults), sep="\n    ")
        for fault, (since, whole) in planted(rows, own).items():
            stopped[fault] &= bool(since) and bool(whole)
            names = [", ".join(each.name for each in side) or "NOT STOPPED" for side in (since, whole)]
            print(f"{name:8} {fault:38} {names[0]:40} {names[1]}", flush=True)
    count = sum(stopped.values())
    print(f"{count} of {len(stopped)} faults stopped in every shop, {alarms} of {total} healthy months")
    return 0 if count >= GOAL_STOPPED and alarms <= GOAL_ALARMS else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except InputError as error:
        sys.exit(f"drift: {error}")

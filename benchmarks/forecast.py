"""The forecast of the list on real shops: at every month start, what was expected of the next 90 days, and what came.

    python benchmarks/forecast.py FOLDER [FILE ...]

FOLDER keeps what is fetched and made (real_shops.py), one project per shop; FILE is a further one, as both years of
Online Retail II. At each date the list is the SHARE of the customers with the highest net revenue until then, and
everything is forecast by what was known then, as the report does it (value.forecast.outlook).
"""

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

import real_shops
from insiders.explore.cohorts import sums
from insiders.io import engine
from insiders.tables import cutoffs, features
from insiders.value import forecast
from insiders.value.forecast import Group, Outlook, SpanOutcome
from insiders.value.forecast.combination import naive

HORIZON, SHARE = 90, 0.06
HISTORY_DAYS = 30  # before the first date
YEAR = 12
MONTHS = (4, YEAR)  # known at a date: those from the first on, and from the second on, are told apart


class Tested(NamedTuple):
    """A date, the full months known at it, and what its forecast and the way that it used came to."""

    known_months: int
    way: str
    outcome: SpanOutcome


def groups(project: Path) -> list[Group]:
    """The list of a project's shop at every month start."""
    con = engine.connect()
    lines, orders = (engine.scan(con, project / f"data/{name}.parquet") for name in ("lines", "orders"))
    first, last = engine.fetch_row(con, cutoffs.span(lines))
    end = last + timedelta(days=1)
    starts = pd.date_range(first + timedelta(days=HISTORY_DAYS), end, freq="MS")
    table = features.customers(orders, lines, [day.date() for day in starts], features.Windows(first, HORIZON, 240))
    everyone = engine.fetch(con, table)
    amounts = sums.monthly(orders, end).select("customer_id", "month", "net_revenue")
    revenue = forecast.monthly(engine.fetch(con, amounts), pd.Timestamp(first), pd.Timestamp(end))
    listed = forecast.past_members(everyone.assign(is_insider=False), everyone, SHARE)
    return forecast.groups(revenue, everyone, listed, HORIZON)


def tested(shop: Sequence[Group]) -> list[Tested]:
    """Every date whose next months have ended, as it was seen then."""
    return [
        _tested(group, outlook(shop[: place + 1]))
        for place, group in enumerate(shop)
        if group.known_months >= MONTHS[0] and not np.isnan(group.actual).any()
    ]


def outlook(shop: Sequence[Group]) -> Outlook:
    """That of the last group's date, at which nothing later is known."""
    as_of = shop[-1].as_of
    known = [each._replace(actual=np.where(each.ended(as_of), each.actual, np.nan)) for each in shop]
    return forecast.outlook(known, as_of, HORIZON)


def _tested(group: Group, told: Outlook) -> Tested:
    """The horizon's days of the months ahead are taken at the rate of each month, of what came too."""
    before = np.cumsum(group.days) - group.days
    days = np.clip(HORIZON - before, 0, group.days)
    days[-1] += HORIZON - days.sum()
    outcome: SpanOutcome = {
        "as_of": f"{group.as_of:%Y-%m-%d}",
        "members": group.members,
        **{key: told[key] for key in ("expected", "low", "high")},
        "actual": float(group.actual @ days),
        "naive": float(np.exp(naive(group)) @ days),
    }
    return Tested(group.known_months, told["way"], outcome)


def report(name: str, shop: Sequence[Tested]) -> None:
    for each in shop:
        row = each.outcome
        parts = [f"{row[key] / row['actual']:.2f}" for key in ("expected", "low", "high", "naive")]
        print("|", " | ".join([name, row["as_of"], str(each.known_months), each.way, *parts]), "|")
    for least in MONTHS:
        rows = [each.outcome for each in shop if each.known_months >= least]
        if rows:
            error, held = forecast.mase(rows), forecast.coverage(rows)
            print(f"{name}: {len(rows)} dates with {least} months or more: error / naive {error:.2f}, held {held:.2f}")


def main() -> None:
    print("| shop | date | months known | way | expected ÷ came | low | high | as the last quarter |")
    print("| --- |" + " --- |" * 7)
    with threadpool_limits(1):
        for name, project in real_shops.projects(Path(sys.argv[1]), sys.argv[2:]).items():
            report(name, tested(groups(project)))


if __name__ == "__main__":
    main()

"""How much of the best list's true expected value a list of simulated customers holds.

    python benchmarks/true_value.py FOLDER [FOLDER ...]

Each folder is a project in which `dvc repro` has ended on the embedded shop (`ingest.source: sample`; another `seed` is
another shop). The truth is what each customer can be expected to bring in the period after as_of by someone who knows
their rates, and who has left. Nobody who sees orders alone can know that: `informed` is the list of someone who knows
the process and all its parameters, and judges every customer by their orders (a Bayes estimate by importance sampling).
"""

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.simulate import expected_revenue, process
from insiders.value import scores

Values = NDArray[np.float64]
PARTICLES = 8_000  # possible customers of each class
STEPS = 12  # into which the silence since the last order is cut


class Shop(NamedTuple):
    customers: pd.DataFrame
    orders: pd.DataFrame
    truth: pd.DataFrame
    insiders: pd.DataFrame
    horizon_days: int

    @property
    def as_of(self) -> pd.Timestamp:
        return self.customers["as_of"].iloc[0]


class Possible(NamedTuple):
    """Draws from the process: rates per day, log of an order's median value, what comes of them, log of the weight."""

    rate: Values
    dropout: Values
    value: Values
    worth: Values
    weight: Values


def read(folder: Path) -> Shop:
    tables = (pd.read_parquet(folder / f"data/{name}.parquet") for name in ("customers", "orders", "truth"))
    listed = pd.read_csv(folder / "reports/insiders.csv", dtype={"customer_id": str})
    judged = json.loads((folder / "models/registered.json").read_text(encoding="utf-8"))["validation"]
    return Shop(*tables, listed, judged["horizon_days"])


def true_value(shop: Shop) -> Values:
    """In the customers' order."""
    end = (shop.as_of + timedelta(days=shop.horizon_days)).date()
    found = expected_revenue(shop.truth, shop.as_of.date(), end)
    return pd.Series(found.to_numpy(), shop.truth["customer_id"]).loc[shop.customers["customer_id"]].to_numpy()


def informed(shop: Shop) -> Values:
    """Expected value of each customer for someone who knows the process and sees the orders."""
    start = shop.truth["arrived_on"].min().normalize()
    days = (shop.as_of - start).days
    season = np.concatenate([[0.0], np.cumsum(process.season(start.date(), days))])
    possible = _possible(process.season(shop.as_of.date(), shop.horizon_days))
    return np.array([_expected(possible, season, *history) for history in _histories(shop, start)])


def _histories(shop: Shop, start: pd.Timestamp) -> Iterator[tuple[int, int, int, float]]:
    """Number, first and last day of each customer's orders, and the sum of the logs of their amounts."""
    sold = shop.orders[shop.orders["is_sale"] & (shop.orders["ordered_at"] < shop.as_of)]
    told = sold.assign(day=(sold["ordered_at"] - start).dt.days, log=np.log(sold["gross_revenue"].astype(float)))
    grouped = told.groupby("customer_id").agg(n=("day", "size"), a=("day", "min"), z=("day", "max"), log=("log", "sum"))
    for row in grouped.loc[shop.customers["customer_id"]].itertuples(index=False):
        yield int(row.n), int(row.a), int(row.z), float(row.log)


def _possible(coming: Values) -> Possible:
    rng = np.random.default_rng(0)
    drawn = [_drawn(kind, rng) for kind in (process.RETAIL, process.WHOLESALE)]
    rate, dropout, mean = (np.concatenate(each) for each in zip(*drawn, strict=True))
    alive = np.exp(-np.outer(dropout, np.arange(len(coming))))
    weight = np.repeat(np.log([process.RETAIL.share, process.WHOLESALE.share]), PARTICLES)
    return Possible(rate, dropout, np.log(mean) - process.ORDER_SIGMA**2 / 2, alive @ coming * rate * mean, weight)


def _drawn(kind: process.Class, rng: np.random.Generator) -> tuple[Values, Values, Values]:
    pace = np.maximum(rng.gamma(kind.rate_shape, size=PARTICLES) / kind.rate_shape, 1e-9)
    hazard = np.maximum(rng.gamma(kind.dropout_shape, size=PARTICLES) / kind.dropout_shape, 1e-9)
    spread = rng.standard_normal(PARTICLES).clip(-process.VALUE_LIMIT, process.VALUE_LIMIT)
    mean = kind.value_median * np.exp(kind.value_sigma * spread) * pace**process.RATE_ELASTICITY
    return pace * kind.rate_mean, hazard * kind.dropout_mean, mean


def _expected(possible: Possible, season: Values, n: int, first: int, last: int, logs: float) -> float:
    rate, dropout = possible.rate, possible.dropout
    bought = (n - 1) * np.log(rate) - rate * (season[last + 1] - season[first + 1]) - dropout * (last - first)
    spent = -0.5 * (n * possible.value**2 - 2 * possible.value * logs) / process.ORDER_SIGMA**2
    active, gone = _silence(possible, season, last)
    log = possible.weight + bought + spent + np.log(active + gone + 1e-300)
    weight = np.exp(log - log.max())
    return float((weight * active / (active + gone + 1e-300) * possible.worth).sum() / weight.sum())


def _silence(possible: Possible, season: Values, last: int) -> tuple[Values, Values]:
    """Probability of no order since the last one, if still active today, and if gone in the meantime."""
    days = len(season) - 1
    ends = np.unique(np.linspace(last, days, STEPS).astype(int))
    quiet = np.maximum(np.interp((ends[:-1] + ends[1:]) / 2, np.arange(days + 1), season) - season[last + 1], 0)
    survived = np.exp(-np.outer(ends - last, possible.dropout))
    gone = (np.exp(-np.outer(quiet, possible.rate)) * (survived[:-1] - survived[1:])).sum(axis=0)
    return np.exp(-possible.rate * max(season[days] - season[last + 1], 0)) * survived[-1], gone


def measured(shop: Shop) -> dict[str, float]:
    """By way to choose as many customers as are listed: their true expected value, as a share of the best."""
    truth, n = true_value(shop), len(shop.insiders)
    best = np.sort(truth)[::-1][:n].sum()
    by_way = scores.scorer(shop.customers, shop.horizon_days)(shop.customers) | {"informed": informed(shop)}
    listed = shop.customers["customer_id"].isin(shop.insiders["customer_id"]).to_numpy()
    ways = ("informed", scores.LIFETIME, "faded_revenue", scores.SPREADSHEET)
    return {"list": truth[listed].sum() / best} | {
        name: truth[np.argsort(-by_way[name], kind="stable")[:n]].sum() / best for name in ways
    }


def main() -> None:
    for folder in map(Path, sys.argv[1:]):
        shop = read(folder)
        shares = ", ".join(f"{name} {share:.3f}" for name, share in measured(shop).items())
        print(f"{folder.name}: {len(shop.insiders)} of {len(shop.customers)} customers; {shares}")


if __name__ == "__main__":
    main()

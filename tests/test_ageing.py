"""What a model loses while nobody trains another, by pairs of dates."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from insiders.evidence import ageing, validation
from insiders.evidence.ageing import AgeRecord
from insiders.evidence.validation import Period
from insiders.evidence.windows import VALIDATION, Window, windows
from insiders.value.score_model import Horizon
from population import FEATURES, customers, snapshots
from test_search import RECIPE, SETTINGS

HORIZON = 90


@pytest.fixture(scope="module")
def period() -> Period:
    brought = customers(300)[["customer_id", "next_revenue"]]
    return validation.last_period(windows(snapshots(300), HORIZON, FEATURES), brought, Horizon(HORIZON, 1), 1.24)


def aged(period: Period) -> list[AgeRecord]:
    return ageing.ageing(validation.fits(RECIPE, period, SETTINGS), SETTINGS.share)


def moved(window: Window, days: int) -> Window:
    later = pd.Timedelta(days=days)
    return Window(*(each.assign(as_of=each["as_of"] + later) for each in (window.customers, window.past)))


def test_every_pair_of_dates_counts_at_its_age(period: Period) -> None:
    found = aged(period)
    assert [(row["days"], row["pairs"]) for row in found] == [(30, 2), (60, 1), (90, 1), (120, 1), (150, 1)]
    assert all(0.5 < row["foresight_kept"] < 1.5 for row in found)


def test_where_nothing_changes_nothing_is_lost(period: Period) -> None:
    one = period.cut["1"]
    still = Period({"1": one, VALIDATION: moved(one, 30)}, moved(one, 30).customers, period.horizon, 1.0)
    assert aged(still) == [{"days": 30, "pairs": 1, "foresight_kept": 1.0, "value_kept": 1.0}]


class Upside(NamedTuple):
    """Stands for a fit: it orders customers by their revenue, or by the contrary, and its segments are the halves."""

    sign: float
    parts: tuple[str, ...] = ("net_revenue",)

    def score(self, customers: pd.DataFrame) -> np.ndarray:
        return (self.sign * customers["net_revenue"]).to_numpy()

    def embed(self, customers: pd.DataFrame) -> np.ndarray:
        return customers[list(self.parts)].rank(pct=True).to_numpy()[:, 0]

    def label(self, embedded: np.ndarray) -> np.ndarray:
        return (embedded > 0.5).astype(int)


def test_what_a_fit_is_worth_by_hand(period: Period) -> None:
    window = period.cut["1"]
    ordered = window.customers.sort_values("net_revenue")["next_revenue"]
    places = round(0.1 * len(ordered))
    assert ageing.worth(Upside(1), window, 0.1).value == pytest.approx(ordered.tail(places).sum())
    assert ageing.worth(Upside(-1), window, 0.1).value == pytest.approx(ordered.head(places).sum())
    seeing, blind = (ageing.worth(Upside(1, (part,)), window, 0.1) for part in ("net_revenue", "customer_id"))
    assert seeing.foresight > 0.1 > blind.foresight


def test_the_last_period_touches_no_pair_of_earlier_dates(period: Period) -> None:
    other = replace(period, later=period.later.assign(next_revenue=period.later["next_revenue"].to_numpy()[::-1]))
    before, after = (aged(each) for each in (period, other))
    assert before[:2] == after[:2]
    assert before[2:] != after[2:]


def test_a_period_that_brought_nothing_tells_nothing_of_age(period: Period) -> None:
    one = period.cut["1"]
    empty = moved(one, 30).customers.assign(next_revenue=0.0)
    [row] = aged(Period({"1": one, VALIDATION: moved(one, 30)}, empty, period.horizon, 1.0))
    assert (row["foresight_kept"], row["value_kept"]) == (None, None)

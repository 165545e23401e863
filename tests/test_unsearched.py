"""Where there is nothing to judge a search by: what is written instead of a candidate."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from insiders.evidence import search, unsearched
from insiders.evidence.windows import windows
from population import FEATURES, customers
from test_search import SETTINGS


def young(tenure_days: int) -> pd.DataFrame:
    return customers(20).assign(tenure_days=tenure_days, next_revenue=None)


@pytest.mark.parametrize(("tenure_days", "day"), [(31, date(2025, 2, 25)), (209, date(2024, 8, 31))])
def test_a_young_shop_says_from_when_on_a_search_can_be_judged(tenure_days: int, day: date) -> None:
    cut = windows(young(tenure_days).assign(as_of=pd.Timestamp("2024-06-01")), 90, FEATURES)
    assert unsearched.first_judged(cut, 90, 30) == day
    written = unsearched.candidate(SETTINGS, day)
    assert unsearched.is_unsearched(written)
    assert (written["judged_from"], written["folds"]) == (f"{day}", 0)
    assert f"{day}" in written["reason"]


def test_an_old_one_says_that_nobody_came_back() -> None:
    cut = windows(young(400).assign(as_of=pd.Timestamp("2024-06-01")), 90, FEATURES)
    assert unsearched.first_judged(cut, 90, 30) is None
    assert "no customer came back" in unsearched.candidate(replace(SETTINGS, trials=1), None)["reason"]


def test_without_trials_there_are_still_their_columns() -> None:
    rows = search.rows([], {})
    assert rows.empty
    assert {"number", "state", "feasible", "foresight_mean"} <= set(rows.columns)

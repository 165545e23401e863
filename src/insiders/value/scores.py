"""Sorts: the ways to make a list without any clustering. Each is a score; those who have most of it are listed.

`net_revenue` is the spreadsheet that a clustering has to beat.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.units import list_size
from insiders.value import lifetime

Values = NDArray[np.float64]
Score = Callable[[pd.DataFrame], dict[str, Values]]

Known = Mapping[str, Values]  # columns of other customers, among whom one is ranked; a table is one too

RFM = {"recency_days": -1, "order_count": 1, "net_revenue": 1}  # trait -> 1 where more is better, else -1
SPREADSHEET, QUINTILES, LIFETIME, CHANCE = "net_revenue", "rfm_quintiles", "lifetime_value", "random"


def scorer(among: pd.DataFrame, horizon_days: int) -> Score:
    """Score by the name of its sort: a function of any customers, fitted on (and ranked among) these."""
    model = lifetime.fit(among)

    def scores(customers: pd.DataFrame) -> dict[str, Values]:
        return {**simple(customers, among), LIFETIME: lifetime.expected_revenue(model, customers, horizon_days)}

    return scores


def score(name: str, customers: pd.DataFrame, horizon_days: int) -> Values:
    """By one sort, among these customers themselves: of all of them only lifetime value is fitted."""
    if name == LIFETIME:
        return scorer(customers, horizon_days)(customers)[name]
    return simple(customers, customers)[name]


def simple(customers: pd.DataFrame, among: pd.DataFrame) -> dict[str, Values]:
    """The scores that need no fit."""
    own = {name: score(customers, among) for name, score in PLAIN.items()}
    return own | {CHANCE: np.zeros(len(customers))}  # all tied: every customer counts by the mean


def members(score: Values, share: float) -> NDArray[np.bool_]:
    """The first by a score, as many as the share says; customers tied at the boundary are all in."""
    return np.asarray(score >= np.sort(score)[-list_size(share, len(score))])


def _column(name: str) -> Callable[[pd.DataFrame, Known], Values]:
    return lambda customers, among: customers[name].to_numpy(dtype=float)  # noqa: ARG005 (as RFM's signature)


def _rfm(customers: pd.DataFrame, among: Known) -> Values:
    """Sum of the quintiles 1-5 of recency (recent is high), order count and net revenue: marketing's RFM score."""
    columns = [(sign * customers[name].to_numpy(), sign * np.asarray(among[name])) for name, sign in RFM.items()]
    return np.sum([np.clip(np.ceil(rank_share(values, known) * 5), 1, 5) for values, known in columns], axis=0)


def rank_share(values: Values, among: Values) -> Values:
    """Rank of each value among others as a share of their number; equal ones share the mean rank."""
    ordered = np.sort(among)
    below, not_above = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    return (below + not_above + 1) / 2 / len(ordered)


# The plain sorts, by name: functions of customers and of those among whom they are ranked, which only RFM asks for.
PLAIN: dict[str, Callable[[pd.DataFrame, Known], Values]] = {
    SPREADSHEET: _column(SPREADSHEET),
    "gross_revenue": _column("gross_revenue"),
    "net_revenue_180d": _column("net_revenue_180d"),
    "net_revenue_365d": _column("net_revenue_365d"),
    "faded_revenue": _column("faded_revenue"),
    QUINTILES: _rfm,
}
SORTS = (*PLAIN, LIFETIME)  # what a list has to be as good as

"""Who is about to leave: members in grace, and those who are away for long by their own rhythm of ordering."""

from math import fsum
from typing import TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders import units
from insiders.programme.actions.targeting import reachable
from insiders.programme.members import GRACE

Floats = NDArray[np.float64]

SHAPES = (0.1, 100.0)  # bounds of the regularity: from orders in bursts to clockwork; 1 is a Poisson process
GAPS_MIN = 2  # gaps of which a sample deviation exists
FIGURES = ("recency_days", "tenure_days", "gap_mean_days", "gap_std_days")  # of a rhythm of ordering
FOLLOWED = ["customer_id", "as_of", "is_insider", *FIGURES]  # columns of customers that `backtest` needs
LEAVING = [
    *("customer_id", "segment", "status", "until", "recency_days", "gap_mean_days", "probability", "net_revenue"),
    "arm",
]


def gap_counts(customers: pd.DataFrame) -> Floats:
    """Number of gaps between order days that each customer has had; 0 for those with one order day."""
    first_to_last = (customers["tenure_days"] - customers["recency_days"]).to_numpy(float)
    return units.gap_counts(first_to_last, customers["gap_mean_days"].to_numpy(float, na_value=np.nan))


def regularity(customers: pd.DataFrame) -> float:
    """Shape of the gamma distribution of gaps around each customer's mean: 1 for a Poisson process, more if regular.

    One shape for the whole shop, since few gaps tell a customer's mean but not their shape. Estimated by moments: of n
    gamma gaps, the expectation of the squared sample deviation over the squared mean is n / (n x shape + 1). 1 where
    nobody has two gaps.
    """
    from scipy.optimize import brentq

    n = gap_counts(customers)
    measured = (n >= GAPS_MIN) & customers["gap_std_days"].notna().to_numpy(bool)
    if not measured.any():
        return 1.0
    variation = (customers["gap_std_days"] / customers["gap_mean_days"]).to_numpy(float, na_value=np.nan)[measured] ** 2
    lengths, counts = np.unique(n[measured], return_counts=True)

    def excess(shape: float) -> float:
        return fsum(variation) - fsum(counts * lengths / (lengths * shape + 1))

    low, high = SHAPES
    if excess(low) >= 0 or excess(high) <= 0:
        return low if excess(low) >= 0 else high
    return float(brentq(excess, low, high))


def waiting_probability(customers: pd.DataFrame, shape: float) -> Floats:
    """Probability that a customer's gap lasts at least as long as they have been away; NaN without a gap.

    Gaps are gamma distributed with the given shape. Their mean is known from n gaps only, so the share of the new gap
    in the sum of all is beta distributed with the parameters `shape` and n x `shape` (Aitchison and Dunsmore 1975,
    "Statistical Prediction Analysis").
    """
    from scipy.special import betainc

    n, away = gap_counts(customers), customers["recency_days"].to_numpy(float)
    total = n * customers["gap_mean_days"].to_numpy(float, na_value=np.nan)
    share = away / (away + np.where(n > 0, total, 1.0))
    return np.where(n > 0, 1 - betainc(shape, np.maximum(n, 1) * shape, share), np.nan)


def about_to_leave(customers: pd.DataFrame, probability_max: float) -> pd.DataFrame:
    """Members who are invited (LEAVING): those in grace, the earliest end first, then by how improbable the absence is.

    Not in grace are those whose absence had at most that probability. `customers` holds all customers with their
    `status`: the shop's regularity is estimated from all of them.
    """
    waiting = customers.assign(probability=waiting_probability(customers, regularity(customers)).round(9))
    leaving = waiting[(waiting["status"] == GRACE) | (waiting["probability"] <= probability_max)]
    ours = reachable(leaving[leaving["is_insider"]], for_members=True)
    order = ["until", "probability", "net_revenue", "recency_days", "customer_id"]
    ranked = ours.sort_values(order, ascending=[True, True, False, False, True], na_position="last")
    return ranked[LEAVING].reset_index(drop=True)


class Returned(TypedDict):
    """Members at earlier dates, and the share of them who ordered again within the horizon."""

    members: int
    ordered_share: float | None


class Backtest(TypedDict):
    """What became of the members who were late at earlier dates, and of those who were not."""

    dates: int
    horizon_days: int
    late: Returned
    on_time: Returned


def backtest(checks: pd.DataFrame, horizon_days: int, probability_max: float) -> Backtest:
    """Follow the members of earlier dates for the horizon.

    `checks` holds FOLLOWED at several dates (is_insider as of then), today's last. Each date is followed until the
    first other one at least `horizon_days` later, and is left out where there is none. A member counts once at every
    date. Members without a rhythm of their own are left out.
    """
    by_date, horizon = dict(list(checks.groupby("as_of", sort=True))), pd.Timedelta(days=horizon_days)
    pairs = [(start, [end for end in by_date if end - start >= horizon]) for start in by_date]
    outcomes = [_outcomes(by_date[start], by_date[ends[0]], probability_max) for start, ends in pairs if ends]
    pooled = pd.concat(outcomes) if outcomes else pd.DataFrame({"late": [], "ordered": []}, dtype=bool)
    return {
        "dates": len(outcomes),
        "horizon_days": horizon_days,
        "late": _returned(pooled.loc[pooled["late"], "ordered"]),
        "on_time": _returned(pooled.loc[~pooled["late"], "ordered"]),
    }


def _outcomes(before: pd.DataFrame, after: pd.DataFrame, probability_max: float) -> pd.DataFrame:
    """Members with a rhythm at the first date: whether they were late, and whether they ordered by the second."""
    probability = waiting_probability(before, regularity(before)).round(9)
    days = (after["as_of"].iloc[0] - before["as_of"].iloc[0]).days
    ordered = before["customer_id"].map(after.set_index("customer_id")["recency_days"]) <= days
    outcomes = pd.DataFrame({"late": probability <= probability_max, "ordered": ordered.to_numpy(bool)})
    return outcomes[before["is_insider"].to_numpy(bool) & ~np.isnan(probability)]


def _returned(ordered: "pd.Series[bool]") -> Returned:
    return {"members": len(ordered), "ordered_share": float(ordered.mean()) if len(ordered) else None}

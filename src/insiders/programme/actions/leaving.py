"""Who is about to leave: away for long against their own rhythm of ordering."""

from math import fsum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SHAPES = (0.1, 100.0)  # from orders in clumps to a clockwork; 1 is pure chance
GAPS_LEAST = 2  # gaps of which a deviation is known


def gaps(customers: pd.DataFrame) -> Floats:
    """Times between two order days that each customer has had; 0 for those with one order day."""
    first_to_last = (customers["tenure_days"] - customers["recency_days"]).to_numpy(float)
    mean = customers["gap_mean_days"].to_numpy(float, na_value=np.nan)
    return np.asarray(np.nan_to_num(np.round(first_to_last / np.where(mean > 0, mean, np.nan))))


def regularity(customers: pd.DataFrame) -> float:
    """Shape of the gamma distribution of gaps around each customer's own mean: 1 by pure chance, more if regular.

    One for the whole shop, as few gaps tell a customer's mean but not their shape. By moments: of n gamma gaps the
    squared sample deviation over the squared mean is expected to be n / (n x shape + 1). 1 where nobody has two gaps.
    """
    from scipy.optimize import brentq

    n = gaps(customers)
    known = (n >= GAPS_LEAST) & customers["gap_std_days"].notna().to_numpy(bool)
    if not known.any():
        return 1.0
    spread = (customers["gap_std_days"] / customers["gap_mean_days"]).to_numpy(float, na_value=np.nan)[known] ** 2
    lengths, counts = np.unique(n[known], return_counts=True)

    def excess(shape: float) -> float:
        return fsum(spread) - fsum(counts * lengths / (lengths * shape + 1))

    low, high = SHAPES
    if excess(low) >= 0 or excess(high) <= 0:
        return low if excess(low) >= 0 else high
    return float(brentq(excess, low, high))


def waiting_probability(customers: pd.DataFrame, shape: float) -> Floats:
    """Probability that a gap of somebody with this rhythm lasts as long as they have been away; NaN without a gap.

    Gaps are gamma with the given shape; the mean is known by n gaps only, so the share of the new one in the sum of all
    is beta distributed with `shape` and n x `shape` (Aitchison and Dunsmore 1975, "Statistical Prediction Analysis").
    """
    from scipy.special import betainc

    n, away = gaps(customers), customers["recency_days"].to_numpy(float)
    total = n * customers["gap_mean_days"].to_numpy(float, na_value=np.nan)
    share = away / (away + np.where(n > 0, total, 1.0))
    return np.where(n > 0, 1 - betainc(shape, np.maximum(n, 1) * shape, share), np.nan)


def late(customers: pd.DataFrame, probability_max: float) -> pd.DataFrame:
    """Members whose wait so long had at most that probability, the least probable first.

    customer_id, segment, recency_days, gap_mean_days, probability, net_revenue. `customers` holds all customers with
    `is_insider`: the shop's regularity is told from all of them.
    """
    waiting = customers.assign(probability=waiting_probability(customers, regularity(customers)).round(9))
    found = waiting[waiting["is_insider"] & (waiting["probability"] <= probability_max)]
    order = ["probability", "net_revenue", "recency_days", "customer_id"]
    columns = ["customer_id", "segment", "recency_days", "gap_mean_days", "probability", "net_revenue"]
    return found.sort_values(order, ascending=[True, False, False, True])[columns].reset_index(drop=True)


def tested(checks: pd.DataFrame, horizon_days: int, probability_max: float) -> dict[str, Any]:
    """Of the members who were late at earlier dates, and of those who were not: how many ordered again in time.

    `checks` holds customers at several dates (as_of, is_insider as of then), today's last. Each date is followed until
    the first other one at least `horizon_days` later, and is left out where there is none; a member counts once at
    every date. Members without a rhythm of their own are not among either.
    """
    by_date, horizon = dict(list(checks.groupby("as_of", sort=True))), pd.Timedelta(days=horizon_days)
    pairs = [(at, [later for later in by_date if later - at >= horizon]) for at in by_date]
    seen = [_followed(by_date[at], by_date[ends[0]], probability_max) for at, ends in pairs if ends]
    whole = pd.concat(seen) if seen else pd.DataFrame({"late": [], "ordered": []}, dtype=bool)
    sides = {"late": whole.loc[whole["late"], "ordered"], "on_time": whole.loc[~whole["late"], "ordered"]}
    told = {name: {"members": len(side), "ordered_share": _share(side)} for name, side in sides.items()}
    return {"dates": len(seen), "horizon_days": horizon_days, **told}


def _followed(before: pd.DataFrame, after: pd.DataFrame, probability_max: float) -> pd.DataFrame:
    """Members with a rhythm at the first date: whether they were late, and whether they had ordered by the second."""
    probability = waiting_probability(before, regularity(before)).round(9)
    days = (after["as_of"].iloc[0] - before["as_of"].iloc[0]).days
    ordered = before["customer_id"].map(after.set_index("customer_id")["recency_days"]) <= days
    told = pd.DataFrame({"late": probability <= probability_max, "ordered": ordered.to_numpy(bool)})
    return told[before["is_insider"].to_numpy(bool) & ~np.isnan(probability)]


def _share(flags: "pd.Series[bool]") -> float | None:
    return float(flags.mean()) if len(flags) else None

"""The experiment that alone can prove that the programme pays: who is kept out by lot, and what could be found.

Earlier lists show what chosen customers spend anyway. What the programme adds shows only against Insiders who were not
invited, by lot. The metric is net revenue per customer and 30 days of everybody drawn, whether they take part or not
(intention to treat), two things done to it that are fixed before the start: amounts of a month above a cap count as the
cap, and what the customer brought before is subtracted as far as it foretells (CUPED: Deng et al. 2013, doi
10.1145/2433396.2433413).
"""

import hashlib
import math
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from ibis import _
from numpy.typing import NDArray
from scipy.stats import norm

from insiders.units import MONTH_DAYS

Table = Any  # Ibis has no types that mypy could follow
Values = NDArray[np.float64]

CONTROL, INVITED = "control", "invited"
STRATA = 4  # groups of equal size by past net revenue, each with its share of the control group
CAP_QUANTILE = 0.95  # of the list's customer-months before the start; what is above counts as this
YEAR_MONTHS = 12
MONTHS_MAX = 36  # an experiment that needs longer is no plan
LEAST = 10  # customers with a known past and future, below which no variance is stated
FIRST = ("first_at", "first_revenue", "first_items")
FIGURES = (
    *("cap", "mean", "uplift", "uplift_plain", "uplift_year", "uplift_halves", "money", "enough"),
    *("needed_insiders", "needed_months", "reduction_by_cap", "reduction_by_past"),
)


@dataclass(frozen=True)
class Design:
    """What params.yaml asks for: shares and error rates between 0 and 1."""

    control_share: float
    power: float
    alpha: float
    minimum_uplift: float


@dataclass(frozen=True)
class Spread:
    """Of one customer's metric: mean and variances per month, those between customers staying however long it lasts."""

    mean: float
    between: float
    within: float

    def variance(self, months: float) -> float:
        """Of a customer's mean over so many months."""
        return self.between + self.within / months


# --- who is kept out ---


def first_orders(orders: Table, as_of: date) -> Table:
    """One row per customer: time, amount and pieces of the first order, which no later order changes."""
    sales = orders.filter(orders.is_sale & (orders.ordered_at < as_of))
    first = sales.group_by("customer_id").aggregate(first_at=_.ordered_at.min())
    return (
        first.inner_join(sales, [first.customer_id == sales.customer_id, first.first_at == sales.ordered_at])
        .group_by("customer_id", "first_at")
        .aggregate(first_revenue=_.gross_revenue.sum().cast("decimal(18, 4)"), first_items=_.item_count.sum())
    )


def arms(insiders: pd.DataFrame, design: Design, seed: int) -> pd.DataFrame:
    """Deal the Insiders (customer_id, net_revenue, FIRST) out: customer_id, arm, stratum, the highest stratum first.

    Everybody has a lot that comes from the seed and their first order, so that it stays the same month after month,
    whatever they are called. In each stratum the lowest lots are the control group: its share is right everywhere, and
    an arm changes only for the few whose stratum's share runs out next to their lot. Equal lots fall by past revenue.
    """
    drawn = insiders.assign(lot=[_lot(seed, *first) for first in insiders[list(FIRST)].itertuples(index=False)])
    ordered = drawn.sort_values(["net_revenue", "lot"], ascending=[False, True], kind="stable", ignore_index=True)
    ordered["stratum"] = np.arange(len(ordered)) * STRATA // max(len(ordered), 1) + 1
    quota = _quotas(np.bincount(ordered["stratum"], minlength=STRATA + 1)[1:], design.control_share)
    rank = ordered.sort_values(["lot", "net_revenue"], kind="stable").groupby("stratum").cumcount()
    kept_out = rank.sort_index() < ordered["stratum"].map(dict(enumerate(quota, start=1)))
    named = ordered.assign(arm=np.where(kept_out, CONTROL, INVITED))
    return named[["customer_id", "arm", "stratum"]].astype({"customer_id": "str", "arm": "str", "stratum": "int64"})


def _lot(seed: int, first_at: Any, revenue: Any, items: Any) -> int:
    told = f"{seed}|{pd.Timestamp(first_at).isoformat()}|{float(revenue):.4f}|{int(items)}"
    return int.from_bytes(hashlib.sha256(told.encode()).digest()[:7])


def _quotas(sizes: NDArray[np.int64], share: float) -> list[int]:
    """Controls of each stratum: what is rounded off in one is made up for in the next."""
    upto = np.round(np.cumsum(sizes) * share).astype(int)
    return [int(each) for each in np.diff(upto, prepend=0)]


# --- what could be found ---


def monthly(orders: Table, start: date, days: int) -> Table:
    """One row per customer and whole month of 30 days in the stretch from `start` on with an order or a return.

    Columns customer_id, month (0, 1, ...) and net_revenue.
    """
    age = orders.ordered_at.date().delta(start, unit="day").cast("int64")
    placed = orders.mutate(month=age // MONTH_DAYS).filter((age >= 0) & (age < days // MONTH_DAYS * MONTH_DAYS))
    summed = placed.group_by("customer_id", "month").aggregate(net_revenue=_.net_revenue.sum().cast("float64"))
    return summed.mutate(month=summed.month.cast("int64"))


def grid(listed: pd.Series, done: pd.DataFrame, months: int) -> Values:
    """Net revenue of the listed customers, shape (customers, months), 0 where they did nothing."""
    wide = done.pivot_table(index="customer_id", columns="month", values="net_revenue", aggfunc="sum")
    return wide.reindex(index=pd.Index(listed), columns=range(months)).fillna(0.0).to_numpy(float)


def plan(before: Values, after: Values, insiders: int, design: Design) -> dict[str, Any]:
    """What an experiment with so many Insiders can find, from an earlier list's months before and after its day.

    `before`, `after`: net revenue, shape (customers, months). Uplifts are shares of the metric's mean. Figures are null
    where the earlier list was too small, or brought nothing.
    """
    sizes = _sizes(insiders, design.control_share)
    known = {"insiders": insiders, **sizes, **asdict(design), "observed": len(after), "months": after.shape[1]}
    known |= {"strata": STRATA, "months_max": MONTHS_MAX, "month_days": MONTH_DAYS}
    if len(after) < LEAST or min(before.shape[1], after.shape[1]) == 0:
        return {**known, **dict.fromkeys(FIGURES)}
    cap, variants = _variants(before, after)
    if not all(each.mean > 0 for each in variants.values()):
        return {**known, **dict.fromkeys(FIGURES)}
    return {**known, "cap": cap, **_possible(variants, after.shape[1], sizes, design)}


def _possible(variants: dict[str, Spread], months: int, sizes: dict[str, int], design: Design) -> dict[str, Any]:
    adjusted = variants["adjusted"]
    least = detectable(adjusted, months, sizes, design)
    relative = {name: each.variance(months) / each.mean**2 for name, each in variants.items()}
    return {
        "mean": adjusted.mean,
        "uplift": least,
        "uplift_plain": detectable(variants["plain"], months, sizes, design),
        "uplift_year": detectable(adjusted, YEAR_MONTHS, sizes, design),
        "uplift_halves": detectable(adjusted, months, _sizes(sum(sizes.values()), 1 / 2), design),
        "money": None if least is None else least * adjusted.mean,
        "enough": least is not None and least <= design.minimum_uplift,
        "needed_insiders": needed_insiders(adjusted, months, design),
        "needed_months": needed_months(adjusted, sizes, design),
        "reduction_by_cap": _less(relative["plain"], relative["capped"]),
        "reduction_by_past": _less(relative["capped"], relative["adjusted"]),
    }


def _less(variance: float, reduced: float) -> float | None:
    return 1 - reduced / variance if variance > 0 else None


def detectable(spread: Spread, months: float, sizes: dict[str, int], design: Design) -> float | None:
    """Smallest uplift, as a share of the mean, that is found with the stated power (two-sided); None without groups."""
    if not sizes[CONTROL] or not sizes[INVITED]:
        return None
    error = math.sqrt(spread.variance(months) * (1 / sizes[CONTROL] + 1 / sizes[INVITED]))
    return _deviates(design) * error / spread.mean


def needed_insiders(spread: Spread, months: float, design: Design) -> int:
    """How many Insiders in both groups find the minimum uplift in so many months."""
    ratio = _deviates(design) / (design.minimum_uplift * spread.mean)
    share = design.control_share * (1 - design.control_share)
    return math.ceil(ratio**2 * spread.variance(months) / share)


def needed_months(spread: Spread, sizes: dict[str, int], design: Design) -> int | None:
    """How many months find the minimum uplift with these groups; None where no MONTHS_MAX do.

    Longer helps only against what varies from month to month; differences between customers that the past does not
    foretell stay.
    """
    lasting = range(1, MONTHS_MAX + 1)
    found = ((months, detectable(spread, months, sizes, design)) for months in lasting)
    return next((months for months, least in found if least is not None and least <= design.minimum_uplift), None)


def _deviates(design: Design) -> float:
    return float(norm.ppf(1 - design.alpha / 2) + norm.ppf(design.power))


def _sizes(insiders: int, share: float) -> dict[str, int]:
    control = round(insiders * share)
    return {CONTROL: control, INVITED: insiders - control}


def _variants(before: Values, after: Values) -> tuple[float, dict[str, Spread]]:
    """The cap, and the spread of plain revenue, of capped revenue, and of that adjusted for the past.

    What was given back counts down to the same amount below 0.
    """
    cap = max(0.0, float(np.quantile(before, CAP_QUANTILE)))
    capped, past = np.clip(after, -cap, cap), np.clip(before, -cap, cap).mean(axis=1)
    return cap, {"plain": spread(after), "capped": spread(capped), "adjusted": spread(capped, past)}


def spread(monthly_revenue: Values, past: Values | None = None) -> Spread:
    """Mean and variance components of a metric, shape (customers, months), by analysis of variance.

    With a `past` (one value per customer) the metric is adjusted by the least-squares multiple of it; the degrees of
    freedom that this and the mean take are allowed for. With one month all variance counts as lasting.
    """
    customers, months = monthly_revenue.shape
    own = monthly_revenue.mean(axis=1)
    rest, free = own - own.mean(), customers - 1
    if past is not None and past.std() > 0:
        slope = float(((past - past.mean()) * rest).sum() / ((past - past.mean()) ** 2).sum())
        rest, free = rest - slope * (past - past.mean()), customers - 2
    total = math.fsum(rest**2) / free
    if months == 1:
        return Spread(float(own.mean()), total, 0.0)
    around = monthly_revenue - monthly_revenue.mean(axis=0) - own[:, None] + own.mean()
    within = math.fsum((around**2).ravel()) / ((customers - 1) * (months - 1))
    return Spread(float(own.mean()), max(0.0, total - within / months), min(within, total * months))

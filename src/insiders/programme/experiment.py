"""The experiment that alone can prove that the programme pays: who is kept out by lot, and what it could detect.

Earlier lists show what the chosen customers spend anyway. What the programme adds shows only beside Insiders who were
not invited, drawn by lot. The metric is net revenue per customer and 30 days of everybody drawn, whether they take part
or not (intention to treat). Two adjustments are fixed before the start: a customer's amounts of a month above a cap
count as the cap, and the part that past revenue predicts is subtracted (CUPED: Deng et al. 2013, doi
10.1145/2433396.2433413).
"""

import math
from dataclasses import dataclass
from datetime import date
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple, TypedDict

import numpy as np
import pandas as pd
from ibis import _
from numpy.typing import NDArray

from insiders.programme import arms
from insiders.units import MONTH_DAYS, round_off

if TYPE_CHECKING:
    from ibis import Table

Values = NDArray[np.float64]

NORMAL = NormalDist()
CAP_QUANTILE = 0.95  # of the list's customer-months before the start
YEAR_MONTHS = 12
MONTHS_MAX = 36  # longer experiments are not planned
CUSTOMERS_MIN = 10  # on the earlier list, for an estimate of variances


@dataclass(frozen=True)
class Design:
    """Shares and error rates between 0 and 1 (programme.held_out_share and report.experiment of params.yaml)."""

    control_share: float
    power: float
    alpha: float
    minimum_uplift: float


class ArmSizes(TypedDict):
    control: int
    invited: int


class Metric(NamedTuple):
    """Mean of the metric per month, its variance between customers, and within a customer from month to month."""

    mean: float
    between: float
    within: float

    def variance(self, months: float) -> float:
        """Variance of a customer's mean over so many months."""
        return self.between + self.within / months


class Detectable(TypedDict):
    """What the experiment can detect; null where the earlier list was too small, or brought nothing.

    Uplifts are the smallest that are detected with the stated power, as shares of `mean`.
    """

    cap: float | None  # of a customer's month, in the shop's currency
    mean: float | None  # of the metric
    uplift: float | None
    uplift_plain: float | None  # without cap and adjustment
    uplift_year: float | None  # in an experiment of a year
    uplift_halves: float | None  # with half of the Insiders in the control group
    money: float | None  # the uplift per customer and month
    enough: bool | None  # whether the uplift is no larger than `minimum_uplift`
    needed_insiders: int | None  # to detect `minimum_uplift` in the same months
    needed_months: int | None  # to detect it with the same Insiders
    reduction_by_cap: float | None  # of the relative variance
    reduction_by_past: float | None


class PlanNumbers(Detectable):
    """The plan of the experiment: sizes, the design, what it is estimated from, and what it can detect."""

    insiders: int
    control: int
    invited: int
    control_share: float
    power: float
    alpha: float
    minimum_uplift: float
    observed: int  # customers of the earlier list
    months: int
    strata: int
    months_max: int
    month_days: int


# --- what it could detect ---


def monthly_revenue(orders: "Table", start: date, days: int) -> "Table":
    """One row per customer and month (0, 1, ...) with an order or a return: customer_id, month, net_revenue.

    Months are of 30 days, counted from `start`; only whole ones within `days` are in it.
    """
    age = orders.ordered_at.date().delta(start, unit="day").cast("int64")
    placed = orders.mutate(month=age // MONTH_DAYS).filter((age >= 0) & (age < days // MONTH_DAYS * MONTH_DAYS))
    summed = placed.group_by("customer_id", "month").aggregate(net_revenue=_.net_revenue.sum().cast("float64"))
    return summed.mutate(month=summed.month.cast("int64"))


def as_matrix(revenue: pd.DataFrame, customers: "pd.Series[str]", months: range) -> Values:
    """Monthly revenue of the given customers, shape (customers, months), 0 where there is no row."""
    matrix = np.zeros((len(customers), len(months)))
    row = pd.Index(customers).get_indexer(revenue["customer_id"])
    column = revenue["month"].to_numpy(np.int64) - months.start
    inside = (row >= 0) & (column >= 0) & (column < len(months))
    matrix[row[inside], column[inside]] = revenue["net_revenue"].to_numpy(float)[inside]
    return matrix


def plan(before: Values, after: Values, sizes: ArmSizes, design: Design) -> PlanNumbers:
    """What an experiment with these arms can detect, estimated from an earlier list.

    `before`, `after`: net revenue of the list's customers before and after its day, shape (customers, months).
    """
    return {
        "insiders": sizes["control"] + sizes["invited"],
        **sizes,
        "control_share": design.control_share,
        "power": design.power,
        "alpha": design.alpha,
        "minimum_uplift": design.minimum_uplift,
        "observed": len(after),
        "months": after.shape[1],
        "strata": arms.STRATA,
        "months_max": MONTHS_MAX,
        "month_days": MONTH_DAYS,
        **_detectable(before, after, sizes, design),
    }


def _detectable(before: Values, after: Values, sizes: ArmSizes, design: Design) -> Detectable:
    if len(after) < CUSTOMERS_MIN or min(before.shape[1], after.shape[1]) == 0:
        return NOTHING_DETECTABLE
    metrics, months = _metrics(before, after), after.shape[1]
    variants = (metrics.plain, metrics.capped, metrics.adjusted)
    if not all(each.mean > 0 for each in variants):
        return NOTHING_DETECTABLE
    plain, capped, adjusted = (each.variance(months) / each.mean**2 for each in variants)
    uplift = detectable_uplift(metrics.adjusted, months, sizes, design)
    halves = split(sizes["control"] + sizes["invited"], 1 / 2)
    return {
        "cap": metrics.cap,
        "mean": metrics.adjusted.mean,
        "uplift": uplift,
        "uplift_plain": detectable_uplift(metrics.plain, months, sizes, design),
        "uplift_year": detectable_uplift(metrics.adjusted, YEAR_MONTHS, sizes, design),
        "uplift_halves": detectable_uplift(metrics.adjusted, months, halves, design),
        "money": None if uplift is None else uplift * metrics.adjusted.mean,
        "enough": uplift is not None and uplift <= design.minimum_uplift,
        "needed_insiders": needed_insiders(metrics.adjusted, months, design),
        "needed_months": needed_months(metrics.adjusted, sizes, design),
        "reduction_by_cap": _reduction(plain, capped),
        "reduction_by_past": _reduction(capped, adjusted),
    }


NOTHING_DETECTABLE: Detectable = {
    "cap": None,
    "mean": None,
    "uplift": None,
    "uplift_plain": None,
    "uplift_year": None,
    "uplift_halves": None,
    "money": None,
    "enough": None,
    "needed_insiders": None,
    "needed_months": None,
    "reduction_by_cap": None,
    "reduction_by_past": None,
}


def _reduction(variance: float, reduced: float) -> float | None:
    return 1 - reduced / variance if variance > 0 else None


def detectable_uplift(metric: Metric, months: float, sizes: ArmSizes, design: Design) -> float | None:
    """Smallest uplift, as a share of the mean, that a two-sided test detects with the stated power.

    None where an arm is empty.
    """
    if not sizes["control"] or not sizes["invited"]:
        return None
    error = math.sqrt(metric.variance(months) * (1 / sizes["control"] + 1 / sizes["invited"]))
    return standard_errors(design) * error / metric.mean


def needed_insiders(metric: Metric, months: float, design: Design) -> int:
    """How many Insiders in both arms detect the minimum uplift in so many months."""
    ratio = standard_errors(design) / (design.minimum_uplift * metric.mean)
    share = design.control_share * (1 - design.control_share)
    return math.ceil(ratio**2 * metric.variance(months) / share)


def needed_months(metric: Metric, sizes: ArmSizes, design: Design) -> int | None:
    """How many months detect the minimum uplift with these arms; None where MONTHS_MAX are not enough.

    More months reduce the variance within customers only; that between customers stays.
    """
    for months in range(1, MONTHS_MAX + 1):
        uplift = detectable_uplift(metric, months, sizes, design)
        if uplift is not None and uplift <= design.minimum_uplift:
            return months
    return None


def standard_errors(design: Design) -> float:
    """How many standard errors an effect must measure to be detected with the stated power."""
    return float(round_off(NORMAL.inv_cdf(1 - design.alpha / 2) + NORMAL.inv_cdf(design.power)))


def power(uplift: float, error: float, design: Design) -> float:
    """Probability that a two-sided test detects this uplift, where it is measured with this standard error."""
    return float(round_off(NORMAL.cdf(uplift / error - NORMAL.inv_cdf(1 - design.alpha / 2)))) if error > 0 else 1.0


def split(insiders: int, share: float) -> ArmSizes:
    """So many Insiders with this share of them held out, rounded to whole people."""
    control = round(insiders * share)
    return {"control": control, "invited": insiders - control}


class _Metrics(NamedTuple):
    """Revenue as it is, with amounts capped, and capped and adjusted for the past."""

    cap: float
    plain: Metric
    capped: Metric
    adjusted: Metric


def _metrics(before: Values, after: Values) -> _Metrics:
    """The cap is a quantile of the months before; returns are capped at the same amount below 0."""
    cap = max(0.0, float(np.quantile(before, CAP_QUANTILE)))
    capped, past = np.clip(after, -cap, cap), np.clip(before, -cap, cap).mean(axis=1)
    return _Metrics(cap, estimate(after), estimate(capped), estimate(capped, past))


def estimate(revenue: Values, past: Values | None = None) -> Metric:
    """Mean and variance components of revenue, shape (customers, months), by analysis of variance.

    With `past` (one value per customer), the part that a linear regression on it predicts is subtracted, at the price
    of one degree of freedom. With a single month all variance counts as that between customers.
    """
    customers, months = revenue.shape
    own = revenue.mean(axis=1)
    residual, freedom = own - own.mean(), customers - 1
    if past is not None and past.std() > 0:
        slope = float(((past - past.mean()) * residual).sum() / ((past - past.mean()) ** 2).sum())
        residual, freedom = residual - slope * (past - past.mean()), customers - 2
    total = math.fsum(residual**2) / freedom
    if months == 1:
        return Metric(float(own.mean()), total, 0.0)
    around = revenue - revenue.mean(axis=0) - own[:, None] + own.mean()
    within = math.fsum((around**2).ravel()) / ((customers - 1) * (months - 1))
    return Metric(float(own.mean()), max(0.0, total - within / months), min(within, total * months))

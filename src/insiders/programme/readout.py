"""The experiment read: what the programme brings per member, from the decisions and what was bought since.

Whoever a recorded decision had in the programme takes part from that day on, whatever became of them (intention to
treat), in the arm of their lot. The metric is the one that was planned (`experiment`): net revenue per customer and 30
days, amounts of a month capped, what the months before foretell subtracted (CUPED). The arms are compared by Welch's
test. Since each reading is one more chance to find what is not there, the verdict waits until the arms are large
enough for the smallest uplift worth finding; when that is depends on the spread of the amounts, not on the difference.
"""

import math
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, TypedDict

import numpy as np
import pandas as pd
from ibis import _

from insiders.programme import experiment, membership
from insiders.programme.arms import HELD_OUT, INVITED
from insiders.programme.experiment import CAP_QUANTILE, MONTHS_MAX, YEAR_MONTHS, Design, Metric, Values
from insiders.units import MONTH_DAYS, round_off

if TYPE_CHECKING:
    from ibis import Table

INSIDE = [event.name.lower() for event in membership.INSIDE]
ARM_MIN = 2  # customers with a whole month in each arm, for a variance
MISMATCH_P = 0.001  # p-value of the sample ratio below which the arms are not those that were drawn
TOO_EARLY, PAYS, HARMS, NOT_FOUND, BROKEN = "too_early", "pays", "harms", "not_found", "broken"


class Arm(TypedDict):
    """One arm; amounts per customer and 30 days, null where nobody has been in it for a whole month."""

    arm: str
    drawn: int
    customers: int  # for a whole month or longer
    net_revenue: float | None  # as it is
    metric: float | None  # capped and adjusted


class Effect(TypedDict):
    """What the programme adds to the metric per member and 30 days, with the interval of level 1 - alpha.

    `uplift` is that as a share of what the held-out bring; null, as its bounds, where they bring nothing.
    """

    money: float
    money_low: float
    money_high: float
    uplift: float | None
    uplift_low: float | None
    uplift_high: float | None
    p: float
    total: float  # money of all customer-months of the invited so far
    total_low: float
    total_high: float


class PowerSoFar(TypedDict):
    """What these arms can detect until now; null where the held-out bring nothing."""

    power: float | None  # of detecting the smallest uplift worth finding
    detectable: float | None  # uplift that is detected with the wanted power
    needed_months: int | None  # in which it detects the smallest uplift; null where MONTHS_MAX are not enough


class ReadOut(TypedDict):
    """The reading of one day. `effect` and `power` are null until each arm has customers with a whole month."""

    verdict: str  # too_early, pays, harms, not_found; broken: the arms are not those that were drawn
    first: str  # day of the first decision
    until: str
    months: int  # whole ones since the first decision
    months_max: int
    month_days: int
    alpha: float
    minimum_uplift: float
    wanted_power: float
    arms: list[Arm]
    sample_ratio_p: float
    cap: float | None
    effect: Effect | None
    power: PowerSoFar | None


class Reading(NamedTuple):
    """How far back the shop knows its customers, and the day of the reading."""

    first: date
    until: date


# --- who takes part ---


def participants(members: pd.DataFrame, movement: pd.DataFrame) -> pd.DataFrame:
    """Who takes part, by customer_id: the `arm`, and `enrolled_on`, the day of the first decision that had them in.

    `members` is schemas.MEMBERS, `movement` schemas.MOVEMENT, of which what was not decided does not count.
    """
    inside = movement[movement["decided"] & movement["event"].isin(INSIDE)]
    enrolled = inside.groupby("customer_id", as_index=False)["as_of"].min().rename(columns={"as_of": "enrolled_on"})
    drawn = members.loc[members["arm"].isin((INVITED, HELD_OUT)), ["customer_id", "arm"]]
    joined = enrolled.merge(drawn, on="customer_id", validate="one_to_one")
    return joined.sort_values("customer_id", ignore_index=True)


def monthly_revenue(orders: "Table", enrolled: "Table") -> "Table":
    """One row per customer and month with an order or a return: customer_id, month, net_revenue.

    Months are of 30 days and count from the customer's own `enrolled_on` (`enrolled`: customer_id, enrolled_on); those
    before it are negative, -1 the last.
    """
    placed = orders.inner_join(enrolled, "customer_id")
    age = placed.ordered_at.date().delta(placed.enrolled_on.date(), unit="day").cast("int64")
    dated = placed.mutate(month=(age + SHIFT_MONTHS * MONTH_DAYS) // MONTH_DAYS - SHIFT_MONTHS)
    summed = dated.group_by("customer_id", "month").aggregate(net_revenue=_.net_revenue.sum().cast("float64"))
    return summed.mutate(month=summed.month.cast("int64"))


SHIFT_MONTHS = 1200  # a century: engines divide negative numbers differently


# --- the reading ---


class _Sample(NamedTuple):
    """Participants with a whole month: arm, months, mean revenue per month as it is, and the metric."""

    invited: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
    months: Values
    plain: Values
    metric: Values  # capped, and what the past foretells subtracted
    within: float  # variance of a customer's month around their own mean, capped
    cap: float

    def sides(self, values: Values) -> tuple[Values, Values]:
        """Of the invited and of the held-out."""
        return values[self.invited], values[~self.invited]


def read(drawn: pd.DataFrame, revenue: pd.DataFrame, reading: Reading, design: Design) -> ReadOut | None:
    """The reading of a day; None where nothing was ever decided.

    `drawn` is `participants`, `revenue` the rows of `monthly_revenue` of the orders before the day of the reading.
    """
    if drawn.empty:
        return None
    start = drawn["enrolled_on"].min().date()
    sample = _sample(drawn, revenue, reading)
    compared = sample is not None and min(map(len, sample.sides(sample.plain))) >= ARM_MIN
    effect = _effect(sample, design) if sample is not None and compared else None
    power = _power(sample, design) if sample is not None and compared else None
    ratio = _sample_ratio(drawn, design)
    months = (reading.until - start).days // MONTH_DAYS
    return {
        "verdict": _verdict(effect, power, ratio, months, design),
        "first": f"{start}",
        "until": f"{reading.until}",
        "months": months,
        "months_max": MONTHS_MAX,
        "month_days": MONTH_DAYS,
        "alpha": design.alpha,
        "minimum_uplift": design.minimum_uplift,
        "wanted_power": design.power,
        "arms": _arms(drawn, sample),
        "sample_ratio_p": ratio,
        "cap": None if sample is None else sample.cap,
        "effect": effect,
        "power": power,
    }


def _verdict(effect: Effect | None, power: PowerSoFar | None, ratio: float, months: int, design: Design) -> str:
    if ratio < MISMATCH_P:
        return BROKEN
    if effect is None or power is None or power["power"] is None:
        return TOO_EARLY
    if power["power"] < design.power and months < MONTHS_MAX:
        return TOO_EARLY
    if effect["money_low"] > 0:
        return PAYS
    return HARMS if effect["money_high"] < 0 else NOT_FOUND


def _sample(drawn: pd.DataFrame, revenue: pd.DataFrame, reading: Reading) -> _Sample | None:
    """None where nobody has been in for a whole month."""
    known = drawn.assign(
        months=(pd.Timestamp(reading.until) - drawn["enrolled_on"]).dt.days // MONTH_DAYS,
        before=((drawn["enrolled_on"] - pd.Timestamp(reading.first)).dt.days // MONTH_DAYS).clip(0, YEAR_MONTHS),
    )
    known = known[known["months"] > 0].reset_index(drop=True)
    if known.empty:
        return None
    spans = range(int(known["months"].max())), range(-YEAR_MONTHS, 0)
    after, before = (experiment.as_matrix(revenue, known["customer_id"], span) for span in spans)
    months, past_months = known["months"].to_numpy(float), known["before"].to_numpy(float)
    is_after = np.arange(after.shape[1]) < months[:, None]
    is_before = np.arange(-YEAR_MONTHS, 0) >= -past_months[:, None]
    cap = _cap(before[is_before])
    capped = np.clip(after, -cap, cap)
    own = (capped * is_after).sum(axis=1) / months
    past = (np.clip(before, -cap, cap) * is_before).sum(axis=1) / np.maximum(past_months, 1)
    around = np.where(is_after, capped - own[:, None], 0.0)
    freedom = max(1.0, (months - 1).sum())
    return _Sample(
        invited=known["arm"].eq(INVITED).to_numpy(bool),
        months=months,
        plain=(after * is_after).sum(axis=1) / months,
        metric=_adjusted(own, past),
        within=math.fsum((around**2).ravel()) / freedom,
        cap=cap,
    )


def _cap(before: Values) -> float:
    """A quantile of the customer-months before the start, so that nothing which came after can move it."""
    return max(0.0, float(np.quantile(before, CAP_QUANTILE))) if len(before) else math.inf


def _adjusted(capped: Values, past: Values) -> Values:
    """Capped revenue without what the past foretells, by one slope over both arms."""
    around = past - past.mean()
    spread = math.fsum(around**2)
    slope = math.fsum(around * capped) / spread if spread > 0 else 0.0
    adjusted: Values = capped - slope * around
    return adjusted


class _Side(NamedTuple):
    """Mean of the metric in an arm, the variance of that mean, and its degrees of freedom."""

    mean: float
    variance: float
    freedom: int


def _side(values: Values) -> _Side:
    return _Side(float(values.mean()), float(values.var(ddof=1)) / len(values), len(values) - 1)


def _effect(sample: _Sample, design: Design) -> Effect:
    from scipy.special import stdtr, stdtrit  # Student's t; half a second, which nobody pays before a decision

    invited, held_out = map(_side, sample.sides(sample.metric))
    variance = invited.variance + held_out.variance
    error, freedom = math.sqrt(variance), _welch(invited, held_out)
    bound = float(stdtrit(freedom, 1 - design.alpha / 2))
    money = invited.mean - held_out.mean
    months = math.fsum(sample.months[sample.invited])
    low, high = (float(round_off(money + side * bound * error)) for side in (-1, 1))
    uplift = _uplift(invited, held_out, bound)
    return {
        "money": money,
        "money_low": low,
        "money_high": high,
        "uplift": uplift[0],
        "uplift_low": uplift[1],
        "uplift_high": uplift[2],
        "p": 1.0 if error == 0 else float(2 * stdtr(freedom, -abs(money) / error)),
        "total": money * months,
        "total_low": low * months,
        "total_high": high * months,
    }


def _welch(*sides: _Side) -> float:
    """Degrees of freedom of Welch and Satterthwaite."""
    parts = [(side.variance, side.freedom) for side in sides]
    below = sum(variance**2 / freedom for variance, freedom in parts)
    return sum(variance for variance, _ in parts) ** 2 / below if below > 0 else float(parts[0][1])


def _uplift(invited: _Side, held_out: _Side, bound: float) -> tuple[float | None, float | None, float | None]:
    """Ratio of the means less 1, with an interval by the delta method on its logarithm."""
    if min(invited.mean, held_out.mean) <= 0:
        return None, None, None
    ratio = invited.mean / held_out.mean
    error = math.sqrt(sum(side.variance / side.mean**2 for side in (invited, held_out)))
    return ratio - 1, ratio * math.exp(-bound * error) - 1, ratio * math.exp(bound * error) - 1


def _power(sample: _Sample, design: Design) -> PowerSoFar:
    invited, held_out = map(_side, sample.sides(sample.metric))
    if held_out.mean <= 0:
        return {"power": None, "detectable": None, "needed_months": None}
    error = math.sqrt(invited.variance + held_out.variance) / held_out.mean
    size: experiment.ArmSizes = {"invited": invited.freedom + 1, "control": held_out.freedom + 1}
    return {
        "power": experiment.power(design.minimum_uplift, error, design),
        "detectable": experiment.standard_errors(design) * error,
        "needed_months": experiment.needed_months(_metric(sample, held_out.mean), size, design),
    }


def _metric(sample: _Sample, mean: float) -> Metric:
    """Variance between customers and within them, from customers who were in for different times."""
    total = float(np.concatenate([side - side.mean() for side in sample.sides(sample.metric)]).var(ddof=2))
    between = total - sample.within * float((1 / sample.months).mean())
    return Metric(mean, max(0.0, between), sample.within)


def _sample_ratio(drawn: pd.DataFrame, design: Design) -> float:
    """p-value of as many held-out as there are, where each had the stated chance to be (a binomial test)."""
    from scipy.stats import binomtest  # 0.7 s, which nobody pays who only names the types of this module

    if design.control_share == 0:
        return 1.0
    held_out = int(drawn["arm"].eq(HELD_OUT).sum())
    return float(binomtest(held_out, len(drawn), design.control_share).pvalue)


def _arms(drawn: pd.DataFrame, sample: _Sample | None) -> list[Arm]:
    none = np.array([])
    plain = (none, none) if sample is None else sample.sides(sample.plain)
    metric = (none, none) if sample is None else sample.sides(sample.metric)
    return [
        {
            "arm": name,
            "drawn": int(drawn["arm"].eq(name).sum()),
            "customers": len(plain[side]),
            "net_revenue": float(plain[side].mean()) if len(plain[side]) else None,
            "metric": float(metric[side].mean()) if len(metric[side]) else None,
        }
        for side, name in enumerate((INVITED, HELD_OUT))
    ]

"""The group at each date as it was chosen then: its months before and after, and what its members promised."""

from collections.abc import Sequence
from math import ceil, fsum
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from insiders.units import MONTH_DAYS
from insiders.value import lifetime
from insiders.value.forecast.accuracy import UPPER_TAIL, chance_error

Array = NDArray[np.float64]

LOOKED_AT = ("customer_id", "as_of", *lifetime.HISTORY)  # columns of customers that `groups` and `past_members` need
FLOOR = 0.01  # of what the members promise: a month below it, or below 0 by refunds, counts as this
TINY = 1e-9
LEARN_FROM = 3  # full months that a group must have known for its errors to count
NEW_DAYS = 180  # a customer who came within them is a newcomer
NEW_MONTHS = 3  # full months whose revenue tells how much newcomers bring


class Group(NamedTuple):
    """The members at one date. Rates are net revenue per day; the months ahead begin with the date's own.

    `actual` is NaN for months that have not ended. `chance` is the standard deviation of a month's revenue by the
    members' chance alone, as a share of it: large where few customers carry the group.
    """

    as_of: pd.Timestamp
    members: int
    months: pd.DatetimeIndex  # full ones before the date, oldest first
    rates: Array  # in these months
    shop: Array  # the same of all customers
    ahead: pd.DatetimeIndex
    days: Array  # of each month ahead that lie on or after the date
    actual: Array  # rates in the months ahead
    bottom_up: Array  # expected rates in the months ahead, by the members' lifetime value
    chance: float
    newcomers: float = 0.0  # share of those who came within NEW_DAYS in the shop's revenue of the last full months

    @property
    def known_months(self) -> int:
        """Number of full months before the date."""
        return len(self.months)

    @property
    def teaches(self) -> bool:
        """Whether enough months were known for its errors to count."""
        return self.known_months >= LEARN_FROM

    def ended(self, as_of: pd.Timestamp) -> NDArray[np.bool_]:
        """Which of its months ahead were over by a later date."""
        return np.asarray(self.ahead + pd.offsets.MonthBegin(1) <= as_of) & ~np.isnan(self.actual)

    # Logarithms of rates, from FLOOR of the first promise on.

    @property
    def past_logs(self) -> Array:
        return np.log(np.maximum(self.rates, self._floor))

    @property
    def actual_logs(self) -> Array:
        return np.log(np.maximum(self.actual, self._floor))

    @property
    def promised_logs(self) -> Array:
        return np.log(np.maximum(self.bottom_up, TINY))

    @property
    def _floor(self) -> float:
        return max(FLOOR * float(self.bottom_up[0]), TINY)


def monthly(sums: pd.DataFrame, first_day: pd.Timestamp, as_of: pd.Timestamp) -> pd.DataFrame:
    """Revenue by customer (rows) and full calendar month (columns): months that the data cover in part are left out.

    `sums` holds customer_id, month (its first day) and net_revenue; months without any order are zero.
    """
    start = first_day if first_day.day == 1 else first_day + pd.offsets.MonthBegin(1)
    full = pd.date_range(start.normalize(), as_of - pd.Timedelta(days=1), freq="MS")
    ended = full[full + pd.offsets.MonthBegin(1) <= as_of]
    dated = sums.assign(month=pd.to_datetime(sums["month"]), net_revenue=sums["net_revenue"].astype(float))
    wide = dated.pivot_table(index="customer_id", columns="month", values="net_revenue", aggfunc="sum", fill_value=0.0)
    return wide.reindex(columns=ended, fill_value=0.0)


def past_members(memberships: pd.DataFrame, history: pd.DataFrame, share: float) -> pd.DataFrame:
    """Who was in the group at each past date, as customer_id and as_of.

    Those whom the list's rule names (schemas.MEMBERSHIPS); where it names nobody, the `share` of the customers of
    `history` (schemas.HISTORY) that the list holds today, by the sort. Nobody without a list today (`share` 0).
    """
    by_rule = memberships.loc[memberships["is_insider"], ["customer_id", "as_of"]]
    without = history[~history["as_of"].isin(by_rule["as_of"])] if share else history.iloc[:0]
    return pd.concat([by_rule if share else by_rule.iloc[:0], _by_sort(without, share)], ignore_index=True)


def _by_sort(history: pd.DataFrame, share: float) -> pd.DataFrame:
    """At each date that share of the customers, those with the highest net revenue until then."""
    order = ["as_of", "net_revenue", "recency_days", "tenure_days"]
    ranked = history.sort_values(order, ascending=[True, False, True, False], kind="stable")
    sizes = ranked.groupby("as_of")["customer_id"].transform("size")
    is_first = ranked.groupby("as_of").cumcount() < (share * sizes).round()
    return ranked.loc[is_first, ["customer_id", "as_of"]].reset_index(drop=True)


def groups(revenue: pd.DataFrame, history: pd.DataFrame, members: pd.DataFrame, horizon_days: int) -> list[Group]:
    """One group per date of `history` with a member, earliest first, looking `horizon_days` ahead in whole months.

    `revenue` is what `monthly` gives, `history` LOOKED_AT of all customers at each date (schemas.HISTORY and, for the
    forecast itself, schemas.CUSTOMERS), `members` the group (customer_id, as_of). Dates at which nobody had brought
    anything yet are left out.
    """
    ids = {as_of: pd.Index(names) for as_of, names in members.groupby("as_of")["customer_id"]}
    dates = [
        (customers, pd.Series(ids[as_of].get_indexer(customers["customer_id"]) >= 0, customers.index))
        for as_of, customers in history.groupby("as_of")
        if as_of in ids and (customers["net_revenue"] > 0).any()
    ]
    return [_group(revenue, customers, inside, horizon_days) for customers, inside in dates if inside.any()]


def _group(revenue: pd.DataFrame, customers: pd.DataFrame, inside: "pd.Series[bool]", horizon_days: int) -> Group:
    as_of = customers["as_of"].iloc[0]
    before = revenue.columns[revenue.columns + pd.offsets.MonthBegin(1) <= as_of]
    ahead = months_ahead(as_of, horizon_days)
    own = revenue.reindex(customers.loc[inside, "customer_id"], fill_value=0.0)
    bottom_up, chance = _bottom_up(customers, inside, len(ahead))
    return Group(
        as_of=as_of,
        members=int(inside.sum()),
        months=pd.DatetimeIndex(before),
        rates=_rates(own, before),
        shop=_rates(revenue, before),
        ahead=ahead,
        days=(ahead + pd.offsets.MonthBegin(1) - np.maximum(ahead, as_of)).days.to_numpy(dtype=float),
        actual=_actual(own, ahead, as_of),
        bottom_up=bottom_up,
        chance=chance,
        newcomers=_newcomers(revenue, customers, before),
    )


def months_ahead(as_of: pd.Timestamp, horizon_days: int) -> pd.DatetimeIndex:
    """As many months as the horizon holds; one more, the rest of the running month, where the date lies within one."""
    count = ceil(horizon_days / MONTH_DAYS) + (as_of.day > 1)
    return pd.date_range(as_of.normalize().replace(day=1), periods=count, freq="MS")


def _newcomers(revenue: pd.DataFrame, customers: pd.DataFrame, before: pd.Index) -> float:
    new = customers.loc[customers["tenure_days"] <= NEW_DAYS, "customer_id"]
    last = before[-NEW_MONTHS:]
    own, total = (fsum(each[last].to_numpy().ravel()) for each in (revenue[revenue.index.isin(new)], revenue))
    return own / total if total > 0 else 0.0


def _rates(amounts: pd.DataFrame, months: Sequence[pd.Timestamp]) -> Array:
    """Per day; summed exactly, so that the order of the customers does not matter."""
    return np.array([fsum(amounts[month]) / month.days_in_month for month in months])


def _actual(amounts: pd.DataFrame, ahead: pd.DatetimeIndex, as_of: pd.Timestamp) -> Array:
    """NaN also for the month that had begun before the date: a part of it was known then."""
    ended = [month for month in ahead if month in amounts.columns and month >= as_of]
    return pd.Series(_rates(amounts, ended), index=pd.DatetimeIndex(ended), dtype=float).reindex(ahead).to_numpy()


def _bottom_up(customers: pd.DataFrame, inside: "pd.Series[bool]", months: int) -> tuple[Array, float]:
    """What the members are expected to bring per day, month by month from the date on, and the chance of one month."""
    model, members = lifetime.fit(customers), customers[inside]
    ends = [MONTH_DAYS * (month + 1) for month in range(months)]
    total = np.array([0.0, *(fsum(lifetime.expect(model, members, end)["expected_revenue"]) for end in ends)])
    if not np.isfinite(total).all():  # a fit at the edge of its bounds: the pace so far, as if all brought as much
        pace = fsum(members["net_revenue"].clip(lower=0) / members["tenure_days"])
        return np.full(months, pace), 1 / float(np.sqrt(len(members)))
    deviation = chance_error(lifetime.predict(model, members, MONTH_DAYS)) / float(ndtri(UPPER_TAIL))
    return np.diff(total) / MONTH_DAYS, deviation / total[1] if total[1] > 0 else 0.0

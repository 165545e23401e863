"""The days as of which customers are described, and which of these tables the search may see.

`as_of` is the first day that is not known; the holdout is the period before it, and the search sees none of it.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import ibis
from ibis import _

from insiders.errors import InputError
from insiders.tables.features import GRAIN, stamp
from insiders.units import YEAR_DAYS


class CutoffPlan(NamedTuple):
    """How cut-offs are laid out, as params.yaml has it (featurize)."""

    horizon_days: int  # length of the period that follows a cut-off
    history_days_min: int  # a cut-off with a shorter history is left out
    folds: int  # rolling origins
    fold_step_days: int  # between two of them


@dataclass(frozen=True)
class Cutoffs:
    """The days from which the search looks at the past; each begins at midnight and knows what came before it.

    `validation` is the first day of the holdout. The period after an origin ends by then, and the period after a
    training date ends by the origin (or the validation date) that it serves. There is none of either where the history
    is too short.
    """

    validation: date
    origins: tuple[date, ...]
    training: tuple[date, ...]

    @property
    def days(self) -> list[date]:
        return sorted({self.validation, *self.origins, *self.training})


class Periods(NamedTuple):
    """The customers by what may be known of them."""

    customers: ibis.Table  # as of today; what they bring next is not known yet
    snapshots: ibis.Table  # as of the cut-offs; next_revenue is null where the holdout would show
    holdout: ibis.Table  # next_revenue from the validation date on


def span(lines: ibis.Table) -> ibis.Table:
    """One row: the first and the last day of the history."""
    return lines.aggregate(first=_.ordered_at.min().date(), last=_.ordered_at.max().date())


def trading_days(lines: ibis.Table) -> ibis.Table:
    """One row per `day` on which something was sold, in order."""
    return lines.filter(_.kind == "sale").select(day=_.ordered_at.date()).distinct().order_by("day")


def resolve_as_of(declared: date | None, first_day: date, last_day: date, horizon_days: int) -> date:
    """Return the declared day, else the day after the last line.

    A declared day may lie inside the history (later lines are ignored) or a little after it. Raises InputError where it
    has no line before it, or none in the `horizon_days` before it to judge a list by.
    """
    as_of = declared or last_day + timedelta(days=1)
    latest = last_day + timedelta(days=horizon_days)
    if not first_day < as_of <= latest:
        raise InputError(
            f"featurize.as_of is {as_of}, but the lines are from {first_day} to {last_day}: expected a day after "
            f"{first_day} and not after {latest}, or null for {last_day + timedelta(days=1)}"
        )
    return as_of


def cutoffs(trading: Sequence[date], as_of: date, plan: CutoffPlan) -> Cutoffs:
    """Lay the cut-offs backwards from `as_of`; those with too short a history are left out.

    `trading` are the days with a sale, in order. A cut-off after which nothing was sold is passed over for the next
    earlier one, at most a year back: so those of a shop that closes for months lie where it traded. Raises InputError
    where the validation date itself has too short a history.
    """
    horizon = timedelta(days=plan.horizon_days)
    validation = as_of - horizon
    if validation < trading[0] + timedelta(days=plan.history_days_min):
        raise InputError(_too_short(trading[0], as_of, plan))
    origins = _traded(trading, validation - horizon, plan)[: plan.folds]
    before = (_traded(trading, day - horizon, plan)[:1] for day in (validation, *origins))
    return Cutoffs(validation, tuple(origins), tuple(sorted({day for days in before for day in days}, reverse=True)))


def _traded(trading: Sequence[date], latest: date, plan: CutoffPlan) -> list[date]:
    """Days from `latest` back whose history is long enough and whose next period has a sale, at most a year back."""
    earliest = max(trading[0] + timedelta(days=plan.history_days_min), latest - timedelta(days=YEAR_DAYS))
    steps = range((latest - earliest).days // plan.fold_step_days + 1) if latest >= earliest else ()
    days = (latest - timedelta(days=step * plan.fold_step_days) for step in steps)
    return [day for day in days if _sells(trading, day, plan.horizon_days)]


def _sells(trading: Sequence[date], day: date, horizon_days: int) -> bool:
    """Whether anything was sold in the period that follows a day."""
    following = bisect_left(trading, day)
    return following < len(trading) and trading[following] < day + timedelta(days=horizon_days)


def _too_short(first_day: date, as_of: date, plan: CutoffPlan) -> str:
    days = (as_of - first_day).days
    return (
        f"the history is too short: {days} days from the first line ({first_day}) to as_of ({as_of}), but "
        f"{plan.history_days_min + plan.horizon_days} are needed: featurize.history_days_min "
        f"({plan.history_days_min}) to learn from and featurize.horizon_days ({plan.horizon_days}) to judge by. Bring "
        "a longer history, or set featurize.as_of later or featurize.horizon_days lower"
    )


def month_starts(first_day: date, as_of: date, history_days: int, months: int) -> list[date]:
    """The last `months` first days of a month before `as_of` that have `history_days` behind them, earliest first."""
    this_month = as_of.year * 12 + as_of.month - 1
    starts = (date(*_year_and_month(this_month - back), 1) for back in range(months + 1))
    earliest = first_day + timedelta(days=history_days)
    return sorted([day for day in starts if earliest <= day < as_of][:months])


def _year_and_month(months: int) -> tuple[int, int]:
    """Of a number of months since the year 0."""
    year, month = divmod(months, 12)
    return year, month + 1


def past(everyone: ibis.Table, months: Sequence[date]) -> ibis.Table:
    """The customers as of these days (schemas.HISTORY), with nothing of what followed."""
    return _as_of(everyone, months).drop("next_revenue")


def split(everyone: ibis.Table, cutoffs: Cutoffs, as_of: date, horizon_days: int) -> Periods:
    """Split the customers of all days into those of today, the search's snapshots, and the holdout."""
    has_ended = _.as_of <= stamp(cutoffs.validation - timedelta(days=horizon_days))
    return Periods(
        customers=_as_of(everyone, [as_of]).drop("next_revenue"),
        snapshots=_as_of(everyone, cutoffs.days).mutate(next_revenue=has_ended.ifelse(_.next_revenue, ibis.null())),
        holdout=_as_of(everyone, [cutoffs.validation]).select(*GRAIN, "next_revenue"),
    )


def _as_of(everyone: ibis.Table, days: Sequence[date]) -> ibis.Table:
    return everyone.filter(_.as_of.isin([stamp(day) for day in days]))

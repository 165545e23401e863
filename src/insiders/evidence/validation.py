"""The untouched last period: a recipe fitted on what was known before it, judged by what it brought.

What is registered is the same recipe fitted on everything; how far the two lists agree is part of the answer.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from insiders.evidence import foresight, holdout, quality, scoring
from insiders.evidence.foresight import RFM_CELLS, Group
from insiders.evidence.judge import Recipe, Settings
from insiders.evidence.scoring import Date, Draws
from insiders.evidence.windows import VALIDATION, Window
from insiders.model.segment_model import SegmentModel
from insiders.units import round_each, without_nan
from insiders.value import forecast, lifetime, scores
from insiders.value.forecast import SpanOutcome
from insiders.value.score_model import Horizon

Flags = NDArray[np.bool_]
Labels = NDArray[np.int64]
TIED = 0.1  # share by which ties may make a list larger than the programme


class SortLift(TypedDict):
    """The lift of a list over the best plain sort of the *other* dates, pooled over origins and last period.

    `best_sort` is that of the last period, chosen on the origins; the interval of 95 % is over customers and dates.
    """

    best_sort: str
    sort_lift: float | None
    sort_lift_low: float | None
    sort_lift_high: float | None


class Validation(SortLift):
    """What a list captured in the last period (holdout.Capture), beside baselines of the same size; null: no revenue.

    `n` customers were listed on `as_of`; `low` and `high` are the ends of 95 % intervals over customers.
    """

    value_capture: float | None
    value_lift: float | None
    value_oracle: float | None
    value_over_random: float | None
    value_lift_low: float | None
    value_lift_high: float | None
    value_over_random_low: float | None
    value_over_random_high: float | None
    top_n_capture: float | None
    clv_capture: float | None
    foresight: float | None  # of the segments, in the last period
    foresight_rfm: float | None  # of RFM's 125 cells
    baselines: dict[str, float | None]
    n: int
    as_of: str
    horizon_days: int


class BaselineRecord(TypedDict):
    """The sort that serves, and how many of today's customers it names."""

    name: str
    n: int
    horizon_days: int


class ServingRecord(TypedDict):
    """The recipe that serves with its measures in the search; a sort has no embedding."""

    embedding: str | None
    clusterer: str
    measures: Mapping[str, float | None]


class Fallback(NamedTuple):
    """The sort that serves where no model may, and what is known of it."""

    baseline: BaselineRecord | None
    serving: ServingRecord
    validation: Validation
    backtest: list[SpanOutcome]


class Fit(NamedTuple):
    """A model, and the window at which it was fitted."""

    window: Window
    model: SegmentModel


class Listed(NamedTuple):
    """A list at the start of the last period, and the sort that made it; the period's customers, in its order.

    `segments` are those of the customers one horizon earlier, and theirs; None where there are none.
    """

    sort: str
    flags: Flags
    segments: tuple[Labels, Labels] | None = None


@dataclass(frozen=True)
class Period:
    """The last period: who was known at its start, and what the rolling origins before it had been.

    `later` is the customers of the validation window, in its order, with the `next_revenue` that the period brought;
    `unseen_season` is that of lifetime.calibrate.
    """

    cut: Mapping[str, Window]
    later: pd.DataFrame
    horizon: Horizon
    unseen_season: float

    @property
    def horizon_days(self) -> int:
        return self.horizon.days

    @property
    def window(self) -> Window:
        return self.cut[VALIDATION]

    @property
    def folds(self) -> list[str]:
        """Rolling origins, earliest first."""
        return sorted((name for name in self.cut if name != VALIDATION), key=int, reverse=True)

    @property
    def windows(self) -> list[Window]:
        """The rolling origins, earliest first, and the start of the period, with what followed each."""
        return [*(self.cut[name] for name in self.folds), Window(self.later, self.window.past)]

    @cached_property
    def dates(self) -> list[Date]:
        """Every candidate's score at each of the windows."""
        return scoring.dates_of(self.windows, self.horizon)


def last_period(cut: Mapping[str, Window], brought: pd.DataFrame, horizon: Horizon, unseen_season: float) -> Period:
    """Join what the last period brought (schemas.HOLDOUT) to the customers who were known at its start."""
    customers = cut[VALIDATION].customers
    revenue = brought.set_index("customer_id")["next_revenue"].loc[customers["customer_id"]]
    return Period(cut, customers.assign(next_revenue=revenue.to_numpy()), horizon, unseen_season)


def listed(model: SegmentModel, period: Period, sort: str) -> Listed:
    """What a model that was fitted on the validation window says of its customers."""
    before = model.label(model.embed(period.window.past))
    return Listed(sort, model.listed(period.window.customers), (before, model.labels_))


def judge(chosen: Listed, period: Period, settings: Settings) -> Validation:
    """The figures of a list made at the start of the period, beside baselines of the same size."""
    customers, n = period.later, int(chosen.flags.sum())
    past, revenue = customers["net_revenue"].to_numpy(), customers["next_revenue"].to_numpy()
    weights = holdout.draws(len(customers), settings.bootstrap, settings.seed)
    own = without_nan(holdout.capture(chosen.flags, past, revenue).as_dict())
    ends = without_nan(holdout.intervals(chosen.flags, past, revenue, weights))
    lift, low, high = _whole(own["value_lift"], ends["value_lift_low"], ends["value_lift_high"])
    compared = {name: holdout.by_score(score, customers, n) for name, score in period.dates[-1].scores.items()}
    captures = without_nan({name: measures["value_capture"] for name, measures in compared.items()})
    foretold = without_nan(round_each(_foresight(chosen, period)))
    return {
        "value_capture": own["value_capture"],
        "value_lift": lift,
        "value_oracle": own["value_oracle"],
        "value_over_random": own["value_over_random"],
        "value_lift_low": low,
        "value_lift_high": high,
        "value_over_random_low": ends["value_over_random_low"],
        "value_over_random_high": ends["value_over_random_high"],
        "top_n_capture": captures[scores.SPREADSHEET],
        "clv_capture": captures[scores.LIFETIME],
        **_against_sorts(chosen, period, settings),
        "foresight": foretold["own"],
        "foresight_rfm": foretold["rfm"],
        "baselines": captures,
        "n": n,
        "as_of": f"{customers['as_of'].iloc[0]:%Y-%m-%d}",
        "horizon_days": period.horizon_days,
    }


def _whole(ratio: float | None, *ends: float | None) -> tuple[float | None, ...]:
    """A ratio with its interval, or none of it: where the other list brought nothing, only some draws have a ratio."""
    return (ratio, *ends) if None not in (ratio, *ends) else (None,) * (1 + len(ends))


def _against_sorts(chosen: Listed, period: Period, settings: Settings) -> SortLift:
    """The lift over the plain sort that did best at the other dates, pooled over the origins and the period."""
    share, dates = float(chosen.flags.mean()), period.dates
    rivals = scoring.opponents(dates, scores.SORTS, (share, *scoring.SHARES))
    pooled = scoring.pooled(dates, (chosen.sort, rivals), share, Draws(settings.bootstrap, settings.seed))
    known = without_nan(round_each(pooled._asdict()))
    return {
        "best_sort": rivals[-1],
        "sort_lift": known["mean"],
        "sort_lift_low": known["low"],
        "sort_lift_high": known["high"],
    }


def _foresight(chosen: Listed, period: Period) -> dict[str, float]:
    """Foresight in the last period, and that of RFM's cells; NaN where there are no segments, or no date before."""
    before, now = period.window.past, period.later
    if before.empty:
        return {"own": math.nan, "rfm": math.nan}
    rfm = foresight.of_plain_groups(before, now)[RFM_CELLS].both
    if chosen.segments is None:
        return {"own": math.nan, "rfm": rfm}
    pairs = zip(chosen.segments, (before, now), strict=True)
    own = foresight.of_segments(*(Group(labels, each["next_revenue"].to_numpy()) for labels, each in pairs))
    return {"own": own.both, "rfm": rfm}


def baseline_members(customers: pd.DataFrame, name: str, share: float, horizon_days: int) -> Flags:
    """The list of a sort, a share of the customers."""
    return scores.members(scores.score(name, customers, horizon_days), share)


def fallback(customers: pd.DataFrame, period: Period, settings: Settings) -> tuple[Fallback, Flags]:
    """What serves where no model may: the best sort of the rolling origins, and its list of the last period.

    A sort whose ties make its list larger than the programme by more than TIED is passed over. Without origins to
    choose by it is the first of the others: what everybody has brought, which takes no history to believe.
    """

    def choose(earlier: pd.DataFrame) -> Flags:
        return baseline_members(earlier, name, settings.share, period.horizon_days)

    origins, sizes = period.dates[:-1], _sizes_today(customers, settings.share, period.horizon_days)
    most = settings.share * len(customers) * (1 + TIED)
    fitting = [sort for sort in scores.SORTS if sizes[sort] <= most] or [scores.SPREADSHEET]
    name = scoring.choose(origins, fitting, 0.0, (settings.share,)) if origins else fitting[0]
    listed_then = Listed(name, choose(period.later))
    serves = Fallback(
        baseline={"name": name, "n": sizes[name], "horizon_days": period.horizon_days},
        serving={"embedding": None, "clusterer": name, "measures": _measures(origins, name, settings.share)},
        validation=judge(listed_then, period, settings),
        backtest=_backtest([choose(each.customers) for each in period.windows], period),
    )
    return serves, listed_then.flags


def _measures(origins: list[Date], name: str, share: float) -> dict[str, float | None]:
    if not origins:
        return {}
    rivals = scoring.opponents(origins, scores.SORTS, (share, *scoring.SHARES))
    return without_nan(round_each(scoring.figures(origins, name, rivals, share)))


def _sizes_today(customers: pd.DataFrame, share: float, horizon_days: int) -> dict[str, int]:
    """How many customers each sort names, those included who tie with the last; a list by lot is no sort."""
    today = scores.scorer(customers, horizon_days)(customers)
    return {name: int(scores.members(score, share).sum()) for name, score in today.items() if name != scores.CHANCE}


def smallest_segment(model: SegmentModel) -> float:
    """Share of the customers in the smallest segment, 0 where there are fewer than two."""
    sizes = np.bincount(model.labels_[model.labels_ >= 0]) / len(model.labels_)
    return float(sizes.min()) if len(sizes) > 1 else 0.0


def list_agreement(earlier: SegmentModel, final: SegmentModel, customers: pd.DataFrame) -> float:
    """Jaccard of the lists that two fits of a recipe make of the same customers."""
    one, other = (model.predict(customers)["is_insider"].to_numpy() for model in (earlier, final))
    return quality.jaccard(one, other)


def fits(recipe: Recipe, period: Period, settings: Settings) -> list[Fit]:
    """The recipe fitted at each of the period's windows, by what was known there."""
    return [Fit(each, recipe.model(settings).fit(each.customers, each.past)) for each in period.windows]


def backtest(models: Sequence[Fit], period: Period) -> list[SpanOutcome]:
    """What was expected of the list of each fit, at its own window, and what came.

    Earliest first. `naive` is the net revenue of the same customers in the 90 days before, scaled to the horizon; `low`
    and `high` use the misses of those periods only that had ended by then.
    """
    return _backtest([each.model.listed(each.window.customers) for each in models], period)


def _backtest(lists: Sequence[Flags], period: Period) -> list[SpanOutcome]:
    outcomes: list[SpanOutcome] = []
    for chosen, each in zip(lists, period.windows, strict=True):
        outcomes.append(_outcome(chosen, each.customers, period, outcomes))
    return outcomes


def _outcome(chosen: Flags, everybody: pd.DataFrame, period: Period, earlier: list[SpanOutcome]) -> SpanOutcome:
    customers, expectations = everybody[chosen], _expectations(everybody, period)[chosen]
    as_of, horizon = everybody["as_of"].iloc[0], pd.Timedelta(days=period.horizon_days)
    ended = [row for row in earlier if pd.Timestamp(row["as_of"]) + horizon <= as_of]
    expected = math.fsum(expectations["expected_revenue"])
    low, high = forecast.interval(expected, forecast.chance_error(expectations), forecast.level_error(ended))
    return {
        "as_of": f"{as_of:%Y-%m-%d}",
        "members": int(chosen.sum()),
        "expected": expected,
        "low": low,
        "high": high,
        "actual": math.fsum(customers["next_revenue"]),
        "naive": math.fsum(customers["net_revenue_90d"]) * period.horizon_days / 90,
    }


def _expectations(customers: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Each customer's expected revenue, from a model of their own date calibrated on what had ended by then."""
    known = [each.customers for each in period.cut.values()] + [each.past for each in period.cut.values()]
    history = pd.concat([each[["customer_id", *lifetime.PAST]] for each in known])
    history = history.drop_duplicates(["as_of", "customer_id"])
    with threadpool_limits(1):  # several threads make the small steps of a fit slower, and its last bits uncertain
        model = lifetime.calibrate(lifetime.fit(customers), history, period.horizon_days, period.unseen_season)
        return lifetime.predict(model, customers, period.horizon_days)

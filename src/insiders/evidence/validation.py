"""The untouched last period: a recipe fitted on what was known before it, judged by what it brought.

What is registered is the same recipe fitted on everything; how far the two lists agree is part of the answer.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from insiders.evidence import baselines, holdout, quality
from insiders.evidence.judge import VALIDATION, Recipe, Settings, Window
from insiders.evidence.search import without_nan
from insiders.model.segment_model import SegmentModel
from insiders.value import forecast, lifetime, scores

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Period:
    """The last period: who was known at its start, and what the rolling origins before it had been.

    `later` is the customers of the validation window, in its order, with the `next_revenue` that the period brought.
    """

    cut: Mapping[str, Window]
    later: pd.DataFrame
    horizon_days: int

    @property
    def window(self) -> Window:
        return self.cut[VALIDATION]

    @property
    def folds(self) -> list[str]:
        """Rolling origins, earliest first."""
        return sorted((name for name in self.cut if name != VALIDATION), key=int, reverse=True)


def period(cut: Mapping[str, Window], brought: pd.DataFrame, horizon_days: int) -> Period:
    """Join what the last period brought (schemas.HOLDOUT) to the customers who were known at its start."""
    customers = cut[VALIDATION].customers
    revenue = brought.set_index("customer_id")["next_revenue"].loc[customers["customer_id"]]
    return Period(cut, customers.assign(next_revenue=revenue.to_numpy()), horizon_days)


def members(model: SegmentModel) -> Flags:
    """The list among the customers of the fit."""
    return model.listed(model.labels_)


def judge(chosen: Flags, found: Period, settings: Settings) -> dict[str, Any]:
    """The figures of a list made at the start of the period, beside baselines of the same size (holdout.Capture)."""
    customers = found.later
    past, revenue = customers["net_revenue"].to_numpy(), customers["next_revenue"].to_numpy()
    weights = holdout.draws(len(customers), settings.bootstrap, settings.seed)
    compared = baselines.captured(customers, int(chosen.sum()), found.horizon_days)
    figures = {
        **holdout.capture(chosen, past, revenue).as_dict(),
        **holdout.intervals(chosen, past, revenue, weights),
        "top_n_capture": compared[scores.SPREADSHEET]["value_capture"],
        "clv_capture": compared[scores.LIFETIME]["value_capture"],
    }
    return {
        **without_nan(figures),
        "baselines": without_nan({name: measures["value_capture"] for name, measures in compared.items()}),
        "n": int(chosen.sum()),
        "as_of": f"{customers['as_of'].iloc[0]:%Y-%m-%d}",
        "horizon_days": found.horizon_days,
    }


def baseline_members(customers: pd.DataFrame, name: str, share: float, horizon_days: int) -> Flags:
    """The list of a sort, a share of the customers."""
    return scores.members(scores.score(name, customers, horizon_days), share)


def fallback(customers: pd.DataFrame, share: float, found: Period, settings: Settings) -> tuple[dict[str, Any], Flags]:
    """What can be said where no model may serve: of the best baseline of the rolling origins, and its judged list.

    `baseline` says by which score and how many of the `customers` it names, tied ones included; a baseline whose ties
    make its list larger than the programme can take is passed over.
    """

    def choose(known: pd.DataFrame) -> Flags:
        return baseline_members(known, name, share, found.horizon_days)

    measured = baselines.on_origins(found.cut, share, found.horizon_days)
    today = scores.scorer(customers, found.horizon_days)(customers)
    sizes = {each: int(scores.members(today[each], share).sum()) for each in sorted(measured) if each != scores.CHANCE}
    fitting = [each for each, size in sizes.items() if size <= settings.insider_share_max * len(customers)]
    name = max(fitting or [scores.SPREADSHEET], key=lambda each: measured[each]["value_lift_mean"])
    listed = choose(found.later)
    told = {
        "baseline": {"name": name, "n": sizes[name], "horizon_days": found.horizon_days},
        "serving": {"embedding": None, "clusterer": name, "measures": measured[name]},
        "validation": judge(listed, found, settings),
        "backtest": _backtest(lambda each: choose(each.customers), found),
    }
    return told, listed


def smallest_segment(model: SegmentModel) -> float:
    """Share of the customers in the smallest segment, 0 where there are fewer than two."""
    sizes = np.bincount(model.labels_[model.labels_ >= 0]) / len(model.labels_)
    return float(sizes.min()) if len(sizes) > 1 else 0.0


def list_agreement(earlier: SegmentModel, final: SegmentModel, customers: pd.DataFrame) -> float:
    """Jaccard of the lists that two fits of a recipe make of the same customers."""
    one, other = (model.predict(customers)["is_insider"].to_numpy() for model in (earlier, final))
    return quality.jaccard(one, other)


def backtest(recipe: Recipe, found: Period, settings: Settings) -> list[forecast.SpanOutcome]:
    """What was expected of the recipe's list at each rolling origin and at the last cut-off, and what came.

    Earliest first. `naive` is the net revenue of the same customers in the 90 days before, scaled to the horizon; `low`
    and `high` know only the misses of periods that had ended by then.
    """
    return _backtest(lambda each: members(recipe.model(settings).fit(each.customers, each.past)), found)


def _backtest(choose: Callable[[Window], Flags], found: Period) -> list[forecast.SpanOutcome]:
    rows: list[forecast.SpanOutcome] = []
    for each in [*(found.cut[name] for name in found.folds), Window(found.later, found.window.past)]:
        rows.append(_outcome(choose(each), each.customers, found, rows))
    return rows


def _outcome(
    chosen: Flags, known: pd.DataFrame, found: Period, earlier: list[forecast.SpanOutcome]
) -> forecast.SpanOutcome:
    customers, foreseen = known[chosen], _expected(known, found)[chosen]
    as_of = known["as_of"].iloc[0]
    ended = [row for row in earlier if pd.Timestamp(row["as_of"]) + pd.Timedelta(days=found.horizon_days) <= as_of]
    expected = math.fsum(foreseen["expected_revenue"])
    low, high = forecast.interval(expected, forecast.chance_error(foreseen), forecast.level_error(ended))
    return {
        "as_of": f"{as_of:%Y-%m-%d}",
        "members": int(chosen.sum()),
        "expected": expected,
        "low": low,
        "high": high,
        "actual": math.fsum(customers["next_revenue"]),
        "naive": math.fsum(customers["net_revenue_90d"]) * found.horizon_days / 90,
    }


def _expected(customers: pd.DataFrame, found: Period) -> pd.DataFrame:
    """Each customer's expected revenue, from a model of their own date calibrated on what had ended by then."""
    history = pd.concat([each.customers for each in found.cut.values()] + [each.past for each in found.cut.values()])
    history = history.drop_duplicates(["as_of", "customer_id"])
    with threadpool_limits(1):  # several threads make the small steps of a fit slower, and its last bits uncertain
        model = lifetime.calibrate(lifetime.fit(customers), history, found.horizon_days)
        return lifetime.predict(model, customers, found.horizon_days)

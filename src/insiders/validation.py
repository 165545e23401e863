"""The untouched last period: a recipe fitted on what was known before it, judged by what it brought.

What is registered is the same recipe fitted on everything; how far the two lists agree is part of the answer.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from insiders import holdout, quality
from insiders.model import SegmentModel
from insiders.search import Recipe, Settings, Window


@dataclass(frozen=True)
class Judged:
    """The model of the validation cut-off, and what its list captured afterwards (see holdout.Capture)."""

    model: SegmentModel
    measures: dict[str, float]


def judge(recipe: Recipe, window: Window, later: pd.DataFrame, settings: Settings) -> Judged:
    """Fit at the validation cut-off and count the revenue of the period after it.

    `later` has `customer_id` and `next_revenue` of that period for every customer of the window.
    """
    customers = with_later(window.customers, later)
    model = recipe.model(settings).fit(window.customers, window.past)
    chosen = np.isin(model.labels_, model.insider_clusters_)
    past, revenue = customers["net_revenue"].to_numpy(), customers["next_revenue"].to_numpy()
    weights = holdout.draws(len(customers), settings.bootstrap, settings.seed)
    measures = holdout.capture(chosen, past, revenue).as_dict() | holdout.intervals(chosen, past, revenue, weights)
    return Judged(model, measures | {"n": int(chosen.sum()), "segment_share": _smallest(model)})


def with_later(customers: pd.DataFrame, later: pd.DataFrame) -> pd.DataFrame:
    """The customers, in their order, with the `next_revenue` that the untouched period brought."""
    brought = later.set_index("customer_id")["next_revenue"]
    return customers.assign(next_revenue=brought.loc[customers["customer_id"]].to_numpy())


def baselines(window: Window, later: pd.DataFrame, n: int) -> dict[str, dict[str, float]]:
    """The value measures of the n best by each score that needs no clustering."""
    return holdout.baselines(with_later(window.customers, later), n)


def list_agreement(earlier: SegmentModel, final: SegmentModel, customers: pd.DataFrame) -> float:
    """Jaccard of the lists that two fits of a recipe make of the same customers."""
    flags = [model.predict(customers)["is_insider"].to_numpy() for model in (earlier, final)]
    return quality.jaccard(*flags)


def _smallest(model: SegmentModel) -> float:
    """Share of the customers in the smallest segment."""
    labels: Any = model.labels_[model.labels_ >= 0]
    sizes = np.bincount(labels) / len(model.labels_)
    return float(sizes.min()) if len(sizes) > 1 else 0.0

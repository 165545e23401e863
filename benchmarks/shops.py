"""Scores and segments on real shops at several dates: a grocer, CDNOW, the sample and any file that is named.

    python benchmarks/shops.py FOLDER [FILE ...]

FOLDER keeps what is fetched and made (real_shops.py), one project per shop. Each line gives the mean over the earlier
dates / the last date alone, which no choice may look at.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from optuna.trial import FixedTrial
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

import real_shops
from insiders.evidence import foresight, scoring
from insiders.evidence.foresight import Foresight, Group
from insiders.evidence.scoring import Date
from insiders.model.clusterers import CLUSTERERS
from insiders.model.embeddings import EMBEDDINGS, columns
from insiders.model.segment_model import SegmentModel, in_order
from insiders.value import score_model, scores
from insiders.value.score_model import Horizon

HORIZON = Horizon(90, 1)
STEP_DAYS, HISTORY_DAYS = 30, 60  # between two dates; known at least before the earlier date that expectations need
DATES = 5  # the last ones of a shop
SHARE = 0.06  # the programme's size
REFITS = 5  # on bootstrap samples, for the agreement of segments
CHOSEN = "lifetime_faded"  # whose money is checked
FEATURES = (
    *("recency_days", "tenure_days", "order_count", "orders_per_month", "net_revenue", "faded_revenue"),
    *("average_order_value", "items_per_order", "products_per_order", "distinct_product_count", "order_count_90d"),
    *("net_revenue_90d", "net_revenue_180d", "largest_order_share", "returned_revenue_share"),
)
AXES = "lifetime_axes.axes"
PLANE = {"lifetime_plane.future": 0.5, "lifetime_plane.parts": True}
RECIPES: dict[str, tuple[str, str, dict[str, object]]] = {  # label -> embedding, clusterer, params
    "log revenue 7 x past 2": ("lifetime_axes", "cells", {AXES: "log_revenue past", "cells.grid": "7x2"}),
    "past 5 x orders 3": ("lifetime_axes", "cells", {AXES: "past orders", "cells.grid": "5x3"}),
    "log revenue 8": ("lifetime_axes", "cells", {AXES: "log_revenue", "cells.grid": "8x1"}),
    "log revenue 12": ("lifetime_axes", "cells", {AXES: "log_revenue", "cells.grid": "12x1"}),
    "tiers of log revenue, 12": ("lifetime_axes", "tiers", {AXES: "log_revenue", "tiers.clusters": 12}),
    "k-means, log revenue x past, 8": ("lifetime_axes", "kmeans", {AXES: "log_revenue past", "kmeans.clusters": 8}),
    "k-means, log revenue x past, 6": ("lifetime_axes", "kmeans", {AXES: "log_revenue past", "kmeans.clusters": 6}),
    "k-means, log revenue, 6": ("lifetime_axes", "kmeans", {AXES: "log_revenue", "kmeans.clusters": 6}),
    "k-means, plane, 8": ("lifetime_plane", "kmeans", {**PLANE, "kmeans.clusters": 8}),
}


@dataclass(frozen=True)
class Cut:
    """A shop's customers at a date and one horizon earlier, both with the revenue that followed."""

    now: pd.DataFrame
    before: pd.DataFrame

    def groups(self, label: Callable[[pd.DataFrame], np.ndarray]) -> tuple[Group, Group]:
        before, now = (Group(label(each), each["next_revenue"].to_numpy()) for each in (self.before, self.now))
        return before, now


def cuts(by_day: Mapping[date, pd.DataFrame]) -> list[Cut]:
    """The last DATES dates, earliest first, that have an earlier one with enough history."""
    ordered = {day: in_order(rows, [*FEATURES, "next_revenue"]).reset_index(drop=True) for day, rows in by_day.items()}
    found = [Cut(ordered[day], ordered[day - timedelta(HORIZON.days)]) for day in ordered if _has_earlier(day, ordered)]
    return found[-DATES:]


def _has_earlier(day: date, by_day: Mapping[date, pd.DataFrame]) -> bool:
    return day - timedelta(HORIZON.days) in by_day


def recipe_model(label: str, customers: pd.DataFrame) -> SegmentModel:
    embedding, clusterer, params = RECIPES[label]
    trial = FixedTrial(params)
    parts = EMBEDDINGS[embedding](trial, 1), CLUSTERERS[clusterer](trial, 1)
    return SegmentModel(*parts, columns(embedding, FEATURES)).fit(customers, customers)


def segments(shop: Sequence[Cut]) -> pd.DataFrame:
    """One row per grouping: foresight, its ratios to the baselines (means / last date), and agreement of refits."""
    found = {label: [_foresight(label, cut) for cut in shop] for label in RECIPES} | _baselines(shop)
    rows = {name: _ratios(own, found) for name, own in found.items()}
    table = pd.DataFrame(rows).T
    return table.assign(**{"bootstrap ARI": pd.Series({label: _agreement(label, shop[-2].now) for label in RECIPES})})


def _foresight(label: str, cut: Cut) -> Foresight:
    model = recipe_model(label, cut.before)
    return foresight.of_segments(*cut.groups(lambda customers: model.label(model.embed(customers))))


def _baselines(shop: Sequence[Cut]) -> dict[str, list[Foresight]]:
    found: dict[str, list[Foresight]] = {
        "boosting": [foresight.of_boosting(c.before, c.now, FEATURES, 1) for c in shop]
    }
    for cut in shop:
        for name, own in foresight.of_plain_groups(cut.before, cut.now).items():
            found.setdefault(name, []).append(own)
        values = [
            (score_model.fit_parts(each, [], HORIZON)[scores.LIFETIME].score(each), each["next_revenue"].to_numpy())
            for each in (cut.before, cut.now)
        ]
        found.setdefault("lifetime value, 14 quantiles", []).append(foresight.of_quantiles(*values, 14))
    return found


def _ratios(own: list[Foresight], found: Mapping[str, list[Foresight]]) -> dict[str, str]:
    others = {"÷ RFM": "rfm_cells", "÷ score": "lifetime value, 14 quantiles", "÷ boosting": "boosting"}
    cells = {"foresight": f"{np.mean([each.both for each in own[:-1]]):.3f} / {own[-1].both:.3f}"}
    for title, name in others.items():
        pair = [
            foresight.lift(foresight.mean(own[part]), foresight.mean(found[name][part]))
            for part in (slice(None, -1), slice(-1, None))
        ]
        cells[title] = f"{pair[0]:.2f} / {pair[1]:.2f}"
    return cells


def _agreement(label: str, customers: pd.DataFrame) -> float:
    rng = np.random.default_rng(1)
    known = recipe_model(label, customers).labels_
    refits = (
        recipe_model(label, customers.iloc[rng.integers(len(customers), size=len(customers))]) for _ in range(REFITS)
    )
    return round(float(np.mean([adjusted_rand_score(known, each.label(each.embed(customers))) for each in refits])), 2)


def score_table(shop: Sequence[Cut]) -> pd.DataFrame:
    """One row per candidate: lift over all-time net revenue and over the best plain sort, oracle share, hit rate."""
    dates = [_date(cut) for cut in shop]
    sorts = [*scores.PLAIN, scores.LIFETIME]
    return pd.DataFrame({name: _figures(dates, name, sorts) for name in score_model.CANDIDATES}).T


def _date(cut: Cut) -> Date:
    parts = score_model.fit_parts(cut.now, [cut.before], HORIZON)
    later = cut.now["next_revenue"].to_numpy()
    return Date(cut.now["customer_id"].to_numpy(dtype=str), later, score_model.candidate_scores(parts, cut.now))


def _figures(dates: Sequence[Date], name: str, sorts: Sequence[str]) -> dict[str, str]:
    compared = {"÷ net": [scores.SPREADSHEET] * len(dates), "÷ best sort": scoring.opponents(dates, sorts)}
    cells = {}
    for title, names in compared.items():
        table = np.array([scoring.lifts(dates, name, names, share) for share in scoring.SHARES])
        cells[title] = f"{table[:, :-1].mean():.3f} / {table[:, -1].mean():.3f}"
        cells[f"{title}, worst date"] = f"{table.mean(axis=0).min():.3f}"
    rivals = scoring.opponents(dates[:-1], sorts, (SHARE, *scoring.SHARES))
    known = scoring.figures(dates[:-1], name, rivals, SHARE)
    return cells | {"of the oracle": f"{known['oracle_share']:.2f}", "hits": f"{known['hit_rate']:.2f}"}


def money(shop: Sequence[Cut]) -> dict[str, str]:
    """Of CHOSEN at each date: came / expected in sum and by decile, and how many outcomes the intervals held."""
    each = [_came(cut) for cut in shop]
    return {
        "in sum": " ".join(f"{found['sum']:.2f}" for found in each),
        "deciles, last date": " ".join(f"{ratio:.2f}" for ratio in each[-1]["deciles"]),
        "80 % intervals held": " ".join(f"{found['held']:.2f}" for found in each),
    }


def _came(cut: Cut) -> dict[str, object]:
    found = score_model.fit(CHOSEN, cut.now, [cut.before], HORIZON).predict(cut.now)
    came = cut.now["next_revenue"]
    decile = pd.qcut(found["score"].rank(method="first"), 10, labels=False)
    by_decile = came.groupby(decile).sum() / found["expected_revenue"].groupby(decile).sum()
    held = (found["expected_low"] <= came) & (came <= found["expected_high"])
    return {"sum": came.sum() / found["expected_revenue"].sum(), "deciles": list(by_decile), "held": held.mean()}


def markdown(table: pd.DataFrame) -> Iterator[str]:
    yield "| | " + " | ".join(table.columns) + " |"
    yield "| --- |" + " --- |" * len(table.columns)
    for name, row in table.iterrows():
        yield f"| {name} | " + " | ".join(str(each).replace("nan", "") for each in row) + " |"


def main() -> None:
    folder = Path(sys.argv[1])
    for name, project in real_shops.projects(folder, ["sample", *sys.argv[2:]]).items():
        shop = cuts(real_shops.cut(project, HORIZON.days, STEP_DAYS, HISTORY_DAYS))
        days = ", ".join(f"{cut.now['as_of'].iloc[0]:%Y-%m-%d}" for cut in shop)
        print(f"\n### {name}: {len(shop[-1].now):,} customers; {days}\n")
        with threadpool_limits(1):
            for table in (segments(shop), score_table(shop), pd.DataFrame({CHOSEN: money(shop)}).T):
                print("\n".join(markdown(table)), end="\n\n", flush=True)


if __name__ == "__main__":
    main()

"""What each feature adds to foretelling: gradient boosting on all features, and on all but one, out of time.

    python benchmarks/features.py [PROJECT]

PROJECT is a folder in which everything ran. At each rolling origin a model learns from the date before and is asked
about the customers of the origin (foresight.of_boosting): R2 of the next period's revenue, on a log scale, and of
coming back. A feature adds what is lost without it, at the mean and the best origin. Features say much the same, so
little is lost with any one of them: what is lost without a whole family says more.
"""

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.progress import track

from insiders.evidence import foresight
from insiders.evidence.windows import VALIDATION, Window, windows
from insiders.io import params
from insiders.schemas import FEATURES

SEED = 0  # the fit draws nothing
FAMILIES = {
    "recency and tenure": ("recency_days", "tenure_days"),
    "orders": ("order_count", "order_count_90d", "order_count_180d", "orders_per_month"),
    "revenue": (
        *("gross_revenue", "net_revenue", "net_revenue_90d", "net_revenue_180d", "net_revenue_365d"),
        *("faded_revenue", "same_season_revenue"),
    ),
    "returns": ("returned_revenue", "returned_revenue_share", "returned_item_share", "unmatched_revenue"),
    "baskets": (
        *("average_order_value", "items_per_order", "products_per_order", "distinct_product_count"),
        "largest_order_share",
    ),
    "rhythm": ("gap_mean_days", "gap_std_days"),
}


def origins(project: Path) -> list[Window]:
    settings = params.read(project / "params.yaml")
    snapshots = pd.read_parquet(project / "data/snapshots.parquet")
    cut = windows(snapshots, settings.featurize.horizon_days, tuple(FEATURES))
    return [window for name, window in cut.items() if name != VALIDATION]


def foretold(at: Sequence[Window], features: tuple[str, ...]) -> list[float]:
    """Foresight at each origin."""
    return [foresight.of_boosting(each.past, each.customers, features, SEED).both for each in at]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", nargs="?", type=Path, default=Path())
    at, every = origins(parser.parse_args().project), tuple(FEATURES)

    whole = foretold(at, every)
    parts = {name: (name,) for name in every} | {f"all of {name}": family for name, family in FAMILIES.items()}
    rows = []
    for name, gone in track(parts.items(), description="without"):
        without = foretold(at, tuple(each for each in every if each not in gone))
        lost = [one - other for one, other in zip(whole, without, strict=True)]
        rows.append((statistics.fmean(lost), max(lost), name))
    print(f"foresight of all {len(every)} features, mean of {len(at)} origins: {statistics.fmean(whole):.4f}\n")
    print("| without | lost, mean | at the best origin |\n| --- | --- | --- |")
    for mean, best, name in sorted(rows, reverse=True):
        print(f"| {name} | {mean:+.4f} | {best:+.4f} |")


if __name__ == "__main__":
    main()

"""What the search and register leave behind them: trials, the judgement of the last period, and what serves."""

import numpy as np
import pandas as pd

GATES = [
    {
        "name": "sort_lift_low",
        "threshold": 0.97,
        "comparison": ">=",
        "value": 0.985,
        "passed": True,
        "meaning": "the list is not worse than the best plain sort",
    },
    {
        "name": "value_over_random_low",
        "threshold": 1.0,
        "comparison": ">",
        "value": 4.1,
        "passed": True,
        "meaning": "the list is better than chance",
    },
    {
        "name": "list_stability",
        "threshold": 0.75,
        "comparison": ">=",
        "value": 0.88,
        "passed": True,
        "meaning": "the list stays when customers are resampled",
    },
]
VALIDATION = {
    "value_capture": 0.5,
    "value_lift": 1.012,
    "value_lift_low": 0.985,
    "value_lift_high": 1.03,
    "value_oracle": 0.8,
    "value_over_random": 5.0,
    "value_over_random_low": 4.1,
    "top_n_capture": 0.494071,
    "clv_capture": 0.51,
    "best_sort": "faded_revenue",
    "sort_lift": 1.003,
    "sort_lift_low": 0.98,
    "sort_lift_high": 1.02,
    "foresight": 0.26,
    "foresight_rfm": 0.21,
    "baselines": {"net_revenue": 0.494071, "faded_revenue": 0.495, "rfm_quintiles": 0.4, "random": 0.1},
    "n": 36,
    "as_of": "2011-09-11",
    "horizon_days": 90,
}
BACKTEST = [
    {
        "as_of": "2011-06-13",
        "members": 30,
        "expected": 100_000.0,
        "low": 80_000.0,
        "high": 120_000.0,
        "actual": 110_000.0,
        "naive": 80_000.0,
    },
    {
        "as_of": "2011-05-14",
        "members": 28,
        "expected": 90_000.0,
        "low": 75_000.0,
        "high": 105_000.0,
        "actual": 70_000.0,
        "naive": 95_000.0,
    },
]
MEASURES = {
    "value_lift_mean": 1.01,
    "value_lift_min": 0.99,
    "value_oracle_mean": 0.81,
    "value_capture_mean": 0.49,
    "sort_lift": 1.002,
    "oracle_share": 0.79,
    "list_stability": 0.9,
    "foresight_mean": 0.25,
    "foresight_rfm_mean": 0.2,
    "foresight_lift": 1.25,
    "stability": 0.8,
    "stability_rand": 0.88,
    "silhouette": 0.31,
    "control_gap": 0.12,
    "insider_share": 0.1,
    "segments": 3.0,
}


def trials(count: int = 40, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    feasible = rng.random(count) < 0.7
    told = rng.normal(0.24, 0.02, (count, 3))
    frame = pd.DataFrame(
        {
            "number": np.arange(count),
            "state": "COMPLETE",
            "embedding": rng.choice(["scaled", "quantile", "pca", "leaves", "value_plane"], count),
            "clusterer": rng.choice(["kmeans", "mixture", "ward", "hdbscan"], count),
            "segments": np.arange(count) % 5 + 3,
            "foresight_mean": told.mean(axis=1),
            "foresight_min": told.min(axis=1),
            **{f"foresight_{fold + 1}": told[:, fold] for fold in range(3)},
            "foresight_rfm_mean": 0.2,
            "stability_rand": np.where(feasible, rng.uniform(0.5, 0.95, count), np.nan),
            "feasible": feasible,
        }
    )
    frame.loc[17, ["feasible", "stability_rand", "foresight_mean"]] = [True, 0.88, 0.25]
    baseline = {
        "number": [count, count + 1],
        "state": "BASELINE",
        "embedding": "none",
        "clusterer": ["net_revenue", "rfm_quintiles"],
    }
    return pd.concat([frame, pd.DataFrame({**baseline, "sort_lift": [1.0, 0.96]})], ignore_index=True)


RULE = {"stability_floor": 0.8, "seeds_floor": 0.95, "foresight_errors": 1.64, "foresight_lift_min": 1.03}


AGEING = [
    {"days": 30, "pairs": 2, "foresight_kept": 0.99, "value_kept": 1.0},
    {"days": 150, "pairs": 1, "foresight_kept": 0.91, "value_kept": None},
]


def registered() -> dict:
    candidate = {"embedding": "value_plane", "clusterer": "kmeans", "seed": 1, "trial": 17, "folds": 3, "rule": RULE}
    candidate |= {"judged_from": None}
    candidate |= {"score": "lifetime_faded", "share": 0.1}
    return {
        "version": "3",
        "alias": "champion",
        "candidate": {**candidate, "params": {"kmeans.clusters": 4}, "features": ["net_revenue"], "measures": MEASURES},
        "serving": {"embedding": "value_plane", "clusterer": "kmeans", "measures": MEASURES},
        "gates": GATES,
        "passed": True,
        "validation": VALIDATION,
        "agreement": 0.91,
        "segments": [
            {"cluster": 0, "name": "Segment 1", "matched_from": "Segment 1", "shared_customers": 38, "changed": {}},
            {
                "cluster": 1,
                "name": "Segment 2",
                "matched_from": "Segment 2",
                "shared_customers": 100,
                "changed": {"recency_days": [40.0, 71.5], "net_revenue": [900.0, 700.0]},
            },
        ],
        "backtest": BACKTEST,
        "ageing": AGEING,
        "champion_version": "3",
        "regime": "model",
        "baseline": None,
    }

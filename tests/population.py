"""Customers with two dates and what followed, for tests of the modules that work in memory.

A rate and a mean order value per customer are drawn; counts and sums follow from them, so the past tells of the future.
"""

import numpy as np
import pandas as pd

FEATURES = ("recency_days", "order_count", "net_revenue", "faded_revenue", "average_order_value")
DAY = pd.Timestamp("2024-06-01")


def customers(count: int = 400, seed: int = 1, as_of: pd.Timestamp = DAY, known_days: int = 180) -> pd.DataFrame:
    """One row per customer with the columns that models and baselines read, and `next_revenue` of 90 days."""
    rng = np.random.default_rng(seed)
    rate, value = rng.gamma(0.8, 0.02, count), rng.lognormal(4, 0.8, count)
    orders = 1 + rng.poisson(rate * known_days)
    net = np.round(orders * value * rng.uniform(0.8, 1.2, count), 2)
    later = np.round(rng.poisson(rate * 90) * value, 2)
    recency = np.ceil(rng.uniform(1, known_days, count) / orders)
    return pd.DataFrame(
        {
            "customer_id": pd.array([f"{number:05d}" for number in range(count)], dtype="str"),
            "as_of": pd.Series([as_of] * count).astype("datetime64[us]"),
            "recency_days": recency,
            "tenure_days": float(known_days),
            "order_count": orders.astype(float),
            "gross_revenue": net * 1.05,
            "net_revenue": net,
            "net_revenue_90d": net / 2,
            "net_revenue_180d": net * 0.8,
            "net_revenue_365d": net,
            "order_count_90d": np.floor(orders / 2),
            "orders_per_month": orders * 30 / known_days,
            "distinct_product_count": orders * 3.0,
            "faded_revenue": net * np.exp(-recency / 240),
            "average_order_value": net / orders,
            "gap_mean_days": np.where(orders > 1, (known_days - recency) / np.maximum(orders - 1, 1), np.nan),
            "next_revenue": later,
        }
    )


def snapshots(count: int = 400, folds: int = 3, seed: int = 1) -> pd.DataFrame:
    """Cut-offs as featurize makes them: the validation date, rolling origins and their training dates."""
    days = [DAY] + [DAY - pd.Timedelta(days=90 + 30 * place) for place in range(folds + 3)]
    known = [customers(count, seed, day, 300 - (DAY - day).days) for day in days]
    known[0]["next_revenue"] = np.nan
    return pd.concat(known, ignore_index=True)

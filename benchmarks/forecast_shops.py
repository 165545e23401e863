"""How often the intervals of the forecast, and of each customer's value, hold what simulated shops then bring.

    python benchmarks/forecast_shops.py [--shops N] [--customers N] [--first SEED] [--start YYYY-MM-DD]

Each shop (insiders.simulate, its own seed) begins on a day drawn from the year, or on `--start`, and is known for DAYS.
At the day before the last HORIZON of them the customers with the highest past revenue are the group: its next HORIZON
days are forecast from what was known then, as the report does it, and compared with what came; so is every customer's
own revenue (value.py). Before it the back-test of the report runs over the same shop.
"""

import argparse
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from threadpoolctl import threadpool_limits

from insiders.simulate import Settings, Shop
from insiders.value import forecast, lifetime

DAYS, HORIZON = 374, 90
UNSEEN_SEASON = 1.24  # as in params.yaml
SHARE = 0.08  # of the customers: the group
SERVICES = ("POST", "DOT", "C2", "S", "BANK CHARGES", "AMAZONFEE", "CRUK", "B", "M", "D")
EPOCH = pd.Timestamp("2024-01-01")


class Sold(NamedTuple):
    """Net revenue by customer and day, and whether anything was sold."""

    days: pd.DataFrame
    start: pd.Timestamp

    @property
    def cut(self) -> pd.Timestamp:
        return self.start + pd.Timedelta(days=DAYS - HORIZON)


def sold(customers: int, seed: int, start: date) -> Sold:
    """Sales and returns of products of known customers; credits and services are left out."""
    shop = Shop(Settings(customers=customers, start=start, days=DAYS, products=300, anonymous_share=0.01), seed)
    lines = pa.concat_tables(shop.blocks()).to_pandas().dropna(subset=["CustomerID"]).drop_duplicates()
    lines = lines[(lines["UnitPrice"].astype(float) > 0) & ~lines["StockCode"].isin(SERVICES)]
    lines["amount"] = lines["Quantity"] * lines["UnitPrice"].astype(float)
    lines["day"] = lines["InvoiceDate"].dt.normalize()
    lines["is_sale"] = lines["Quantity"] > 0
    by_day = lines.groupby(["CustomerID", "day"], as_index=False).agg(
        amount=("amount", "sum"), is_sale=("is_sale", "any")
    )
    return Sold(by_day.rename(columns={"CustomerID": "customer_id"}), pd.Timestamp(start))


def known(found: Sold, as_of: pd.Timestamp) -> pd.DataFrame:
    """The features that value.py and the group need, and `next_revenue` of the HORIZON."""
    past = found.days[found.days["day"] < as_of]
    orders = past[past["is_sale"]].groupby("customer_id")["day"].agg(["min", "max", "nunique"])
    coming = found.days[found.days["day"].between(as_of, as_of + pd.Timedelta(days=HORIZON - 1))]
    first, last, count = orders["min"], orders["max"], orders["nunique"]
    frame = pd.DataFrame(
        {
            "as_of": as_of,
            "recency_days": (as_of - last).dt.days.astype(float),
            "tenure_days": (as_of - first).dt.days.astype(float),
            "gap_mean_days": (last - first).dt.days / (count - 1).where(count > 1),
            "net_revenue": past.groupby("customer_id")["amount"].sum().reindex(orders.index),
            "next_revenue": coming.groupby("customer_id")["amount"].sum().reindex(orders.index).fillna(0.0),
        }
    )
    return frame.reset_index(names="customer_id")


def measured(found: Sold) -> dict[str, Any]:
    """What was told at the cut, what came, and the shop's own back-test until then."""
    months = pd.date_range(found.start + pd.Timedelta(days=30), found.cut - pd.Timedelta(days=1), freq="MS")
    past = [known(found, month) for month in months]
    now = known(found, found.cut)
    everybody = pd.concat([*past, now], ignore_index=True)
    before = found.days[found.days["day"] < found.cut]
    sums = before.assign(month=before["day"].dt.to_period("M").dt.to_timestamp(), net_revenue=before["amount"])
    chosen = forecast.past_members(everybody.assign(is_insider=False), everybody, SHARE)
    with threadpool_limits(1):
        groups = forecast.groups(forecast.monthly(sums, found.start, found.cut), everybody, chosen, HORIZON)
        told = forecast.outlook(groups, found.cut, HORIZON)
        own = lifetime.predict(
            lifetime.calibrate(lifetime.fit(now), pd.concat(past), HORIZON, UNSEEN_SEASON), now, HORIZON
        )
    inside = now["customer_id"].isin(chosen.loc[chosen["as_of"] == found.cut, "customer_id"]).to_numpy()
    came = now["next_revenue"].to_numpy()
    held = ((own["expected_low"] <= came) & (came <= own["expected_high"])).to_numpy()
    return {
        "held": bool(told["low"] <= came[inside].sum() <= told["high"]),
        "missed": float(np.log(told["expected"] / came[inside].sum())),
        "mase": told["backtest_mase"],
        "quarter_mase": told["quarter_mase"],
        "coverage": told["coverage"],
        "customers_held": float(held.mean()),
        "members_held": float(held[inside].mean()),
    }


def drawn(seed: int) -> date:
    """A first day anywhere in the year, so that the cut falls on all seasons alike."""
    day = int(np.random.default_rng(seed).integers(0, 365))
    return (EPOCH + timedelta(days=day)).date()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shops", type=int, default=100)
    parser.add_argument("--customers", type=int, default=1500)
    parser.add_argument("--first", type=int, default=1, help="seed of the first shop")
    parser.add_argument("--start", type=date.fromisoformat, help="first day of every shop; left out: drawn")
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.shops)
    rows = []
    for seed in seeds:
        rows.append(measured(sold(asked.customers, seed, asked.start or drawn(seed))))
        if len(rows) % 10 == 0:
            tell(pd.DataFrame(rows))


def tell(rows: pd.DataFrame) -> None:
    better = {name: (rows[name].dropna() < 1).mean() for name in ("mase", "quarter_mase")}
    print(
        f"{len(rows)} shops: the quarter ahead within its 80 % interval {rows['held'].mean():.2f}; "
        f"mean miss (log) {rows['missed'].mean():+.2f}, deviation {rows['missed'].std():.2f}; "
        f"back-test: MASE {rows['mase'].mean():.2f}, below 1 in {better['mase']:.2f}, by quarters "
        f"{rows['quarter_mase'].mean():.2f}, below 1 in {better['quarter_mase']:.2f}, months within their interval "
        f"{rows['coverage'].mean():.2f}; customers within theirs {rows['customers_held'].mean():.2f}, "
        f"members {rows['members_held'].mean():.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()

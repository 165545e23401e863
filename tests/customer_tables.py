"""A small shop's tables of customers, as featurize leaves them, for tests of the stages that follow."""

from collections.abc import Mapping
from contextlib import chdir
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from insiders import schemas
from insiders.io import paths, tables
from insiders.model.clusterers import Ward
from insiders.model.embeddings import LogScaler
from insiders.model.segment_model import SegmentModel
from insiders.value.score_model import Scorer

HORIZON = 90
NOW = pd.Timestamp("2011-12-10").as_unit("us")
MONTHS = tuple(pd.Timestamp(day).as_unit("us") for day in ("2011-11-01", "2011-12-01"))
FEATURES = ("recency_days", "order_count", "net_revenue", "returned_revenue_share")


def customers(count: int = 60, as_of: pd.Timestamp = NOW) -> pd.DataFrame:
    """Every tenth customer is large, recent and frequent; the others differ a little."""
    number = np.arange(count)
    large = number % 10 == 0
    orders = np.where(large, 20.0, 2.0) + number % 3
    net = np.where(large, 9000.0, 200.0) + number * 10.0
    recency = np.where(large, 5.0, 100.0) + number % 7
    tenure = recency + (orders - 1) * 9
    known = {
        "customer_id": pd.array([f"c{each:03d}" for each in number], dtype="str"),
        "as_of": pd.Series(as_of, index=range(count)),
        "country": pd.array(["United Kingdom"] * count, dtype="str"),
        "products": pd.array(["\n".join(f"p{each:02d}" for each in range(5 + int(n))) for n in orders], dtype="str"),
        "recency_days": recency,
        "tenure_days": tenure,
        "order_count": orders,
        "orders_per_month": orders / np.maximum(tenure, 30) * 30,
        "gap_mean_days": (tenure - recency) / (orders - 1),
        "gap_std_days": np.where(orders > 2, 2.0, np.nan),
        "gross_revenue": net,
        "net_revenue": net,
        "average_order_value": net / orders,
        "items_per_order": 10.0,
        "products_per_order": 5.0,
        "distinct_product_count": 5.0 + orders,
        "net_revenue_90d": np.where(large, net / 2, 0.0),
        "net_revenue_180d": net / 2,
        "net_revenue_365d": net,
        "order_count_90d": np.where(large, 8.0, 0.0),
        "order_count_180d": np.where(large, 9.0, 1.0),
        "faded_revenue": net * 0.7,
        "largest_order_share": 1 / orders,
        "same_season_revenue": np.nan,
    }
    zeros = dict.fromkeys(set(schemas.FEATURES) - set(known), 0.0)
    return pd.DataFrame({**known, **zeros}).assign(returned_revenue_share=0.0)[list(schemas.CUSTOMERS.columns)]


def fitted(embedding: Any = None, clusterer: Any = None, features: tuple[str, ...] = FEATURES) -> SegmentModel:
    """A model of these customers; by default the large ones are its Insiders."""
    past = customers().assign(next_revenue=lambda each: each["net_revenue"] / 2)
    model = SegmentModel(embedding or LogScaler(), clusterer or Ward(3), features, Scorer("net_revenue"), share=0.1)
    return model.fit(customers(), past)


def write_project(present: pd.DataFrame | None = None) -> None:
    """Write the tables of customers, snapshots, holdout, history and orders below the working directory."""
    for path, content in _tables().items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    if present is not None:
        tables.write(present, paths.CUSTOMERS, schemas.CUSTOMERS)
    copy_params()


@cache
def _tables() -> Mapping[Path, bytes]:
    """The files, written once in a process: to check them against their contracts takes longer than many a test."""
    cut = NOW - pd.Timedelta(days=HORIZON)
    past = customers(as_of=cut)
    last = past[["customer_id", "as_of"]].assign(next_revenue=past["net_revenue"] / 4)
    with TemporaryDirectory() as folder, chdir(folder):
        tables.write(customers(), paths.CUSTOMERS, schemas.CUSTOMERS)
        tables.write(past.assign(next_revenue=np.nan), paths.SNAPSHOTS, schemas.SNAPSHOTS)
        tables.write(last, paths.HOLDOUT, schemas.HOLDOUT)
        write_orders()
        tables.write(pd.concat([customers(40, day) for day in MONTHS]), paths.HISTORY, schemas.HISTORY)
        return {path: path.read_bytes() for path in paths.DATA.iterdir()}


def write_orders() -> None:
    """Everybody ordered on the fifth of every month of half a year, each time as much."""
    days = pd.date_range("2011-06-05", NOW, freq="MS") + pd.Timedelta(days=4)
    people = customers()[["customer_id", "net_revenue"]]
    orders = people.merge(pd.DataFrame({"ordered_at": days.as_unit("us")}), how="cross")
    amounts = [Decimal(f"{amount:.4f}") for amount in orders["net_revenue"] / 10]
    paths.ORDERS.parent.mkdir(exist_ok=True)
    orders.assign(net_revenue=amounts, is_sale=True).to_parquet(paths.ORDERS, index=False)


def copy_params() -> None:
    Path("params.yaml").write_bytes((Path(__file__).parents[1] / "params.yaml").read_bytes())

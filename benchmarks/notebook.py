"""The features of features.py as a notebook writes them: plain pandas, one step after the other, floats for money.

Returns are matched, and gaps between orders taken, customer by customer, as people write it; `at_once` does it for all
by cumulative sums, as somebody does who knows pandas well.
"""

from collections import deque
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from rules import CREDITS, SERVICE_PREFIXES, SERVICES

KEY = "CustomerID"
Gaps = Callable[[pd.DataFrame], pd.DataFrame]


TRANSACTIONS = {  # column of a table that ingest wrote -> of the file
    "invoice": "InvoiceNo",
    "product_code": "StockCode",
    "description": "Description",
    "quantity": "Quantity",
    "invoiced_at": "InvoiceDate",
    "unit_price": "UnitPrice",
    "customer_id": KEY,
    "country": "Country",
}


def read(lines: Path) -> pd.DataFrame:
    if lines.suffix == ".parquet":
        data = pd.read_parquet(lines, columns=list(TRANSACTIONS)).rename(columns=TRANSACTIONS)
        return data.assign(UnitPrice=data["UnitPrice"].astype(float))
    data = pd.read_csv(lines, encoding="latin-1", dtype={"InvoiceNo": str, "StockCode": str, KEY: str})
    data["InvoiceDate"] = pd.to_datetime(data["InvoiceDate"], format="%m/%d/%Y %H:%M")
    return data


def clean(data: pd.DataFrame) -> pd.DataFrame:
    data = data.drop_duplicates().dropna(subset=[KEY])
    data = data[~data["StockCode"].isin(SERVICES) & ~data["StockCode"].str.startswith(SERVICE_PREFIXES)]
    data = data[(data["UnitPrice"] > 0) & (data["Quantity"] != 0)]
    data["is_credit"] = data["StockCode"].isin(CREDITS)
    data = data[~(data["is_credit"] & (data["Quantity"] > 0))]
    data = data[~(data["InvoiceNo"].str.startswith("C") & (data["Quantity"] > 0))]
    data["amount"] = data["Quantity"] * data["UnitPrice"]
    data["is_sale"] = data["Quantity"] > 0
    data["is_return"] = ~data["is_sale"] & ~data["is_credit"]
    data["day"] = data["InvoiceDate"].dt.normalize()
    return data


def match(data: pd.DataFrame) -> pd.Series:
    """Pieces of every return that undo an earlier purchase, oldest first."""
    moves = (
        data[~data["is_credit"]]
        .reset_index(names="line")
        .sort_values(["InvoiceDate", "is_return", "Quantity", "UnitPrice"])
    )
    moves = moves.merge(moves.loc[moves["is_return"], [KEY, "StockCode"]].drop_duplicates(), on=[KEY, "StockCode"])
    matched = {}
    for _product, group in moves.groupby([KEY, "StockCode"]):
        stock: deque[int] = deque()
        for row in group.itertuples():
            if row.Quantity > 0:
                stock.append(row.Quantity)
                continue
            wanted = -row.Quantity
            while wanted and stock:
                taken = min(wanted, stock[0])
                wanted -= taken
                stock[0] -= taken
                if stock[0] == 0:
                    stock.popleft()
            matched[row.line] = -row.Quantity - wanted
    return pd.Series(matched, dtype="int64").reindex(data.index, fill_value=0)


def match_at_once(data: pd.DataFrame) -> pd.Series:
    """The same in closed form: what came back so far, less what was bought, at its highest found nothing to undo."""
    product = [KEY, "StockCode"]
    returned = data.loc[data["is_return"], product].drop_duplicates()
    moves = data[~data["is_credit"]].reset_index(names="line").merge(returned, on=product)
    moves = moves.sort_values([*product, "InvoiceDate", "is_return", "Quantity", "UnitPrice"])
    groups = [moves[name] for name in product]
    unmatched = (-moves["Quantity"]).groupby(groups).cumsum().groupby(groups).cummax().clip(lower=0)
    before = unmatched.groupby(groups).shift(fill_value=0)
    matched = (-moves["Quantity"] - (unmatched - before))[moves["is_return"]]
    return pd.Series(matched.to_numpy(), moves.loc[moves["is_return"], "line"]).reindex(data.index, fill_value=0)


def gaps(orders: pd.DataFrame) -> pd.DataFrame:
    """Days between the days with an order, of each customer: mean and standard deviation."""
    days = orders.groupby(KEY)["day"].apply(lambda days: days.drop_duplicates().diff().dt.days.dropna())
    return days.groupby(level=0).agg(["mean", "std"])


def gaps_at_once(orders: pd.DataFrame) -> pd.DataFrame:
    days = orders[[KEY, "day"]].drop_duplicates().sort_values([KEY, "day"])
    return days.groupby(KEY)["day"].diff().dt.days.groupby(days[KEY]).agg(["mean", "std"])


def total(values: pd.Series, rows: pd.DataFrame, customers: pd.Index) -> pd.Series:
    return values.groupby(rows[KEY]).sum().reindex(customers, fill_value=0)


def sales_features(sales: pd.DataFrame, as_of: pd.Timestamp, between: Gaps) -> pd.DataFrame:
    orders = sales.groupby([KEY, "InvoiceNo", "day"]).agg(
        gross=("amount", "sum"),
        products=("StockCode", "nunique"),
        at=("InvoiceDate", "min"),
        country=("Country", "min"),
    )
    orders = orders.reset_index().sort_values(["at", "country"])
    by_customer = orders.groupby(KEY)
    found = by_customer.agg(
        country=("country", "last"),
        order_count=("InvoiceNo", "size"),
        gross_revenue=("gross", "sum"),
        products_per_order=("products", "mean"),
        largest=("gross", "max"),
    )
    found["recency_days"] = (as_of - by_customer["day"].max()).dt.days
    found["tenure_days"] = (as_of - by_customer["day"].min()).dt.days
    found["orders_per_month"] = found["order_count"] * 30 / found["tenure_days"].clip(lower=30)
    found[["gap_mean_days", "gap_std_days"]] = between(orders)
    for days in (90, 180):
        recent = orders[orders["day"] >= as_of - timedelta(days=days)]
        found[f"order_count_{days}d"] = recent.groupby(KEY).size().reindex(found.index, fill_value=0)
    found["largest_order_share"] = found.pop("largest") / found["gross_revenue"]
    found["distinct_product_count"] = sales.groupby(KEY)["StockCode"].nunique()
    return found


def features(data: pd.DataFrame, horizon_days: int, fade_days: int, between: Gaps) -> pd.DataFrame:
    as_of = data["day"].max() + timedelta(days=1)
    sales, returns, given_back = data[data["is_sale"]], data[data["is_return"]], data[~data["is_sale"]]
    found = sales_features(sales, as_of, between)
    known = found.index
    found["returned_revenue"] = total(-given_back["amount"], given_back, known)
    unmatched = (-given_back["Quantity"] - given_back["matched"]) * given_back["UnitPrice"]
    found["unmatched_revenue"] = total(unmatched, given_back, known)
    found["net_revenue"] = total(data["amount"], data, known)
    sold, back = total(sales["Quantity"], sales, known), total(-returns["Quantity"], returns, known)
    found["returned_revenue_share"] = (found["returned_revenue"] / found["gross_revenue"]).clip(upper=1)
    found["returned_item_share"] = (back / sold).clip(upper=1)
    found["average_order_value"] = found["net_revenue"] / found["order_count"]
    found["items_per_order"] = (sold - total(returns["matched"], returns, known)) / found["order_count"]
    age = (as_of - data["day"]).dt.days
    for days in (90, 180, 365):
        found[f"net_revenue_{days}d"] = total(data["amount"][age <= days], data, known)
    found["faded_revenue"] = total(data["amount"] * np.exp(-age / fade_days).round(6), data, known)
    season = (age <= 365) & (age > 365 - horizon_days)
    year_is_seen = data["day"].min() <= as_of - timedelta(days=365)
    found["same_season_revenue"] = total(data["amount"][season], data, known) if year_is_seen else np.nan
    return found.rename_axis("customer_id").reset_index()


def run(lines: Path, out: Path, horizon_days: int, fade_days: int, *, at_once: bool = False) -> None:
    data = clean(read(lines))
    data["matched"] = (match_at_once if at_once else match)(data)
    features(data, horizon_days, fade_days, gaps_at_once if at_once else gaps).to_parquet(out)

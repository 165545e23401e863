"""The features of notebook.py as a person who knows Polars writes them: lazily, at once for all, floats for money."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
from polars import Expr, LazyFrame, col

from rules import CREDITS, SERVICE_PREFIXES, SERVICES

KEY = "customer_id"
PRODUCT = [KEY, "StockCode"]
COLUMNS = {
    **dict.fromkeys(["InvoiceNo", "StockCode", "Description", "InvoiceDate", "CustomerID", "Country"], pl.String),
    "Quantity": pl.Int64,
    "UnitPrice": pl.Float64,
}


def read(csv: Path) -> LazyFrame:
    data = pl.read_csv(csv, encoding="latin-1", schema_overrides=COLUMNS).lazy()
    return data.with_columns(col("InvoiceDate").str.to_datetime("%m/%d/%Y %H:%M")).rename({"CustomerID": KEY})


def clean(data: LazyFrame) -> LazyFrame:
    code, quantity = col("StockCode"), col("Quantity")
    is_service = code.is_in(SERVICES) | pl.any_horizontal(code.str.starts_with(each) for each in SERVICE_PREFIXES)
    is_credit = code.is_in(CREDITS)
    is_slip = (is_credit | col("InvoiceNo").str.starts_with("C")) & (quantity > 0)
    kept = data.unique().filter(
        col(KEY).is_not_null() & ~is_service & (col("UnitPrice") > 0) & (quantity != 0) & ~is_slip
    )
    return kept.with_columns(
        amount=quantity * col("UnitPrice"),
        is_sale=quantity > 0,
        is_credit=is_credit,
        is_return=(quantity < 0) & ~is_credit,
        day=col("InvoiceDate").dt.date(),
    )


def matched(data: LazyFrame) -> LazyFrame:
    """Pieces of every return that undo an earlier purchase, as notebook.match_at_once finds them."""
    moves = data.filter(~col("is_credit")).join(data.filter("is_return").select(PRODUCT).unique(), on=PRODUCT)
    ordered = moves.sort([*PRODUCT, "InvoiceDate", "is_return", "Quantity", "UnitPrice"])
    unmatched = (-col("Quantity")).cum_sum().over(PRODUCT).cum_max().over(PRODUCT).clip(lower_bound=0)
    found = ordered.with_columns(unmatched=unmatched).with_columns(
        new=col("unmatched") - col("unmatched").shift(fill_value=0).over(PRODUCT)
    )
    return found.filter("is_return").select(KEY, "Quantity", "UnitPrice", matched=-col("Quantity") - col("new"))


def of_orders(data: LazyFrame, as_of: date) -> LazyFrame:
    orders = (
        data.filter("is_sale")
        .group_by(KEY, "InvoiceNo", "day")
        .agg(
            gross=col("amount").sum(),
            products=col("StockCode").n_unique(),
            at=col("InvoiceDate").min(),
            country=col("Country").min(),
        )
        .sort(KEY, "at", "country")
        .with_columns(age=(pl.lit(as_of) - col("day")).dt.total_days())
        .with_columns(gap=(-col("age").diff()).over(KEY))
    )
    gap = col("gap").filter(col("gap") > 0)
    return orders.group_by(KEY).agg(
        country=col("country").last(),
        recency_days=col("age").min(),
        tenure_days=col("age").max(),
        order_count=pl.len(),
        orders_per_month=pl.len() * 30 / col("age").max().clip(lower_bound=30),
        gap_mean_days=gap.mean(),
        gap_std_days=gap.std(),
        gross_revenue=col("gross").sum(),
        products_per_order=col("products").mean(),
        largest_order_share=col("gross").max() / col("gross").sum(),
        **{f"order_count_{days}d": (col("age") <= days).sum() for days in (90, 180)},
    )


def of_lines(data: LazyFrame, as_of: date, horizon_days: int, fade_days: int) -> LazyFrame:
    age, amount = (pl.lit(as_of) - col("day")).dt.total_days(), col("amount")
    season = (age <= 365) & (age > 365 - horizon_days)
    year_is_seen = (pl.lit(as_of) - col("day").min()).dt.total_days() >= 365
    fading = (-age / fade_days).exp().round(6)
    return (
        data.with_columns(seen=year_is_seen)
        .group_by(KEY)
        .agg(
            net_revenue=amount.sum(),
            **{f"net_revenue_{days}d": amount.filter(age <= days).sum() for days in (90, 180, 365)},
            faded_revenue=(amount * fading).sum(),
            same_season_revenue=pl.when(col("seen").first()).then(amount.filter(season).sum()),
            returned_revenue=-amount.filter(~col("is_sale")).sum(),
            distinct_product_count=col("StockCode").filter("is_sale").n_unique(),
            sold=_pieces("is_sale"),
            back=-_pieces("is_return"),
            credits=-amount.filter("is_credit").sum(),
        )
    )


def _pieces(flag: str) -> Expr:
    return col("Quantity").filter(flag).sum()


def features(data: LazyFrame, horizon_days: int, fade_days: int) -> LazyFrame:
    as_of = data.select(col("day").max()).collect().item() + timedelta(days=1)
    undone = (
        matched(data)
        .group_by(KEY)
        .agg(
            undone=col("matched").sum(),
            unmatched=((-col("Quantity") - col("matched")) * col("UnitPrice")).sum(),
        )
    )
    joined = (
        of_orders(data, as_of)
        .join(of_lines(data, as_of, horizon_days, fade_days), on=KEY)
        .join(undone, on=KEY, how="left")
        .with_columns(col("undone", "unmatched").fill_null(0))
    )
    return joined.with_columns(
        unmatched_revenue=col("unmatched") + col("credits"),
        returned_revenue_share=(col("returned_revenue") / col("gross_revenue")).clip(upper_bound=1),
        returned_item_share=(col("back") / col("sold")).clip(upper_bound=1),
        average_order_value=col("net_revenue") / col("order_count"),
        items_per_order=(col("sold") - col("undone")) / col("order_count"),
    ).drop("unmatched", "credits", "undone", "sold", "back")


def run(csv: Path, out: Path, horizon_days: int, fade_days: int) -> None:
    data = clean(read(csv)).collect().lazy()
    features(data, horizon_days, fade_days).collect().write_parquet(out)

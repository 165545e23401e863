"""The features of a customer, each with its type, unit, definition and limits, and what must hold between them."""

import pandera.pandas as in_memory

from insiders.schemas.columns import AT_LEAST_ONE, NOT_NEGATIVE, SHARE, column
from insiders.units import PRODUCT_SEPARATOR

FEATURES_VERSION = 1  # raised when a definition changes: a model of another version no longer serves

# Every feature is known at the end of the day before `as_of`. All float64, so that MLflow's signature takes them.
FEATURES: dict[str, in_memory.Column] = {
    "recency_days": column("float64", "days", "as_of - day of the last order", AT_LEAST_ONE),
    "tenure_days": column("float64", "days", "as_of - day of the first order", AT_LEAST_ONE),
    "order_count": column("float64", "orders", "invoices with at least one sale", AT_LEAST_ONE),
    "orders_per_month": column(
        "float64", "orders per 30 days", "order_count / max(tenure_days, 30) x 30", NOT_NEGATIVE
    ),
    "gap_mean_days": column("float64", "days", "mean time between two order days; null below 2", nullable=True),
    "gap_std_days": column("float64", "days", "sample deviation of the same; null below 3 order days", nullable=True),
    "gross_revenue": column("float64", "currency", "amount of all sale lines", NOT_NEGATIVE),
    "net_revenue": column("float64", "currency", "gross_revenue - returned_revenue"),
    "returned_revenue": column("float64", "currency", "returns and credits, as a positive amount", NOT_NEGATIVE),
    "unmatched_revenue": column("float64", "currency", "part of it that matches no known purchase", NOT_NEGATIVE),
    "returned_revenue_share": column("float64", "share", "min(returned_revenue / gross_revenue, 1)", SHARE),
    "returned_item_share": column("float64", "share", "min(pieces returned / pieces sold, 1)", SHARE),
    "average_order_value": column("float64", "currency", "net_revenue / order_count"),
    "items_per_order": column(
        "float64", "pieces", "(pieces sold - pieces matched to a return) / order_count", NOT_NEGATIVE
    ),
    "products_per_order": column("float64", "products", "mean of the distinct products in an order", NOT_NEGATIVE),
    "distinct_product_count": column("float64", "products", "distinct products ever bought", NOT_NEGATIVE),
    "order_count_90d": column("float64", "orders", "orders of the last 90 days", NOT_NEGATIVE),
    "order_count_180d": column("float64", "orders", "orders of the last 180 days", NOT_NEGATIVE),
    "net_revenue_90d": column("float64", "currency", "net revenue of the last 90 days"),
    "net_revenue_180d": column("float64", "currency", "net revenue of the last 180 days"),
    "net_revenue_365d": column("float64", "currency", "net revenue of the last 365 days"),
    "faded_revenue": column("float64", "currency", "net revenue, each amount times exp(-age in days / fade_days)"),
    "largest_order_share": column("float64", "share", "gross revenue of the largest order / gross_revenue", SHARE),
    "same_season_revenue": column(
        "float64",
        "currency",
        "net revenue of the horizon_days that follow the same day a year earlier; null where the shop's history "
        "does not reach back a full year",
        nullable=True,
    ),
}

PRODUCTS = in_memory.Column(
    "str",
    required=False,  # a table made elsewhere may lack it; an embedding that needs it checks for it
    description="the distinct product codes bought before as_of, one per line, sorted",
)

IDENTITIES = [
    in_memory.Check(lambda t: t["recency_days"] <= t["tenure_days"], name="the last order is not before the first"),
    in_memory.Check(
        lambda t: (
            (t["net_revenue"] - (t["gross_revenue"] - t["returned_revenue"])).abs() <= 1e-6 * (1 + t["gross_revenue"])
        ),
        name="net = gross - returned",
    ),
    in_memory.Check(lambda t: t["order_count_90d"] <= t["order_count_180d"], name="90 days are part of 180"),
    in_memory.Check(lambda t: t["order_count_180d"] <= t["order_count"], name="180 days are part of the whole"),
    in_memory.Check(
        lambda t: (
            "products" not in t
            or (t["products"].str.count(PRODUCT_SEPARATOR) + (t["products"] != "") == t["distinct_product_count"]).all()
        ),
        name="as many products as distinct_product_count",
    ),
]

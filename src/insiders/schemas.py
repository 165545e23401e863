"""The contract of every table: its grain, its columns with unit and definition, and the identities that hold in it.

Tables of invoice lines are checked where they lie, by the engine; tables of customers in memory.
Money is exact (decimal, four places) up to the features, and a float in the shop's currency from there on.
"""

from typing import Any

import ibis.expr.datatypes as dt
import pandera.ibis as on_engine
import pandera.pandas as in_memory

from insiders.units import NO_CLUSTER

MONEY = dt.Decimal(18, 4)
STAMP = dt.Timestamp(scale=6)


def _line(dtype: Any, description: str, *checks: on_engine.Check, nullable: bool = False) -> on_engine.Column:
    return on_engine.Column(dtype, list(checks) or None, nullable=nullable, description=description)


def _column(
    dtype: str, unit: str, description: str, *checks: in_memory.Check, nullable: bool = False
) -> in_memory.Column:
    return in_memory.Column(dtype, list(checks), nullable=nullable, description=description, metadata={"unit": unit})


def _identity(rule: Any, name: str) -> on_engine.Check:
    return on_engine.Check(lambda data: rule(data.table), name=name, error=name)


TRANSACTIONS = on_engine.DataFrameSchema(
    name="transactions",
    title="One row per invoice line as delivered, where it could be read.",
    columns={
        "invoice": _line(dt.string, "number of the invoice or credit note"),
        "product_code": _line(dt.string, "the shop's code of the product or service"),
        "description": _line(dt.string, "the product's text, as delivered", nullable=True),
        "quantity": _line(dt.int64, "pieces; negative: taken back"),
        "invoiced_at": _line(STAMP, "local time of the invoice, as delivered"),
        "unit_price": _line(MONEY, "price of one piece, in the shop's currency"),
        "customer_id": _line(dt.string, "the customer; null: sold without an id", nullable=True),
        "country": _line(dt.string, "country of the customer", nullable=True),
    },
    strict=True,
)

LINES = on_engine.DataFrameSchema(
    name="lines",
    title="One row per cleaned line of a known customer: a sale, a return or a credit.",
    columns={
        "invoice": _line(dt.string, "number of the invoice or credit note"),
        "customer_id": _line(dt.string, "the customer"),
        "product_code": _line(dt.string, "the product; on a credit the code it was booked under"),
        "ordered_at": _line(STAMP, "local time of the invoice"),
        "quantity": _line(dt.int64, "pieces: positive on a sale, negative on a return or credit"),
        "unit_price": _line(MONEY, "price of one piece"),
        "amount": _line(MONEY, "quantity x unit_price: positive on a sale, else negative"),
        "country": _line(dt.string, "country of the customer", nullable=True),
        "kind": _line(dt.string, "sale, return (a product came back) or credit (money back without a product)"),
        "matched_quantity": _line(dt.int64, "pieces of a return that undo earlier purchases, oldest first; else 0"),
    },
    checks=[
        _identity(
            lambda t: (t.kind == "sale") == (t.quantity > 0), "a sale has a positive quantity, others a negative one"
        ),
        _identity(lambda t: t.matched_quantity <= t.quantity.abs(), "no more is matched than came back"),
        _identity(lambda t: (t.kind == "return") | (t.matched_quantity == 0), "only returns are matched"),
    ],
    strict=True,
)

ORDERS = on_engine.DataFrameSchema(
    name="orders",
    title="One row per invoice, known customer and day; credit notes are rows without a sale.",
    columns={
        "invoice": _line(dt.string, "number of the invoice or credit note"),
        "customer_id": _line(dt.string, "the customer"),
        "ordered_at": _line(STAMP, "local time of the first line"),
        "is_sale": _line(dt.boolean, "it has at least one line that sells a product"),
        "line_count": _line(dt.int64, "lines"),
        "product_count": _line(dt.int64, "distinct products sold"),
        "item_count": _line(dt.int64, "pieces sold"),
        "returned_item_count": _line(dt.int64, "pieces that came back by this invoice"),
        "matched_item_count": _line(dt.int64, "of these, pieces that undo an earlier purchase"),
        "gross_revenue": _line(MONEY, "amount of the sale lines"),
        "returned_revenue": _line(MONEY, "money given back: returns and credits, as a positive amount"),
        "unmatched_revenue": _line(MONEY, "of this, what undoes no purchase that is known"),
        "net_revenue": _line(MONEY, "gross_revenue - returned_revenue"),
        "country": _line(dt.string, "country of the customer", nullable=True),
    },
    checks=[
        _identity(lambda t: t.net_revenue == t.gross_revenue - t.returned_revenue, "net = gross - returned"),
        _identity(lambda t: t.unmatched_revenue <= t.returned_revenue, "unmatched is a part of what was returned"),
        _identity(lambda t: t.is_sale == (t.item_count > 0), "a sale has items"),
    ],
    strict=True,
)

NOT_NEGATIVE = in_memory.Check.ge(0)
SHARE = in_memory.Check.in_range(0, 1)

# Every feature is known at the end of the day before `as_of`. All float64, so that MLflow's signature takes them.
FEATURES: dict[str, in_memory.Column] = {
    "recency_days": _column("float64", "days", "as_of - day of the last order", in_memory.Check.ge(1)),
    "tenure_days": _column("float64", "days", "as_of - day of the first order", in_memory.Check.ge(1)),
    "order_count": _column("float64", "orders", "invoices with at least one sale", in_memory.Check.ge(1)),
    "orders_per_month": _column(
        "float64", "orders per 30 days", "order_count / max(tenure_days, 30) x 30", NOT_NEGATIVE
    ),
    "gap_mean_days": _column("float64", "days", "mean time between two order days; null below 2", nullable=True),
    "gap_std_days": _column("float64", "days", "sample deviation of the same; null below 3 order days", nullable=True),
    "gross_revenue": _column("float64", "currency", "amount of all sale lines", NOT_NEGATIVE),
    "net_revenue": _column("float64", "currency", "gross_revenue - returned_revenue"),
    "returned_revenue": _column("float64", "currency", "returns and credits, as a positive amount", NOT_NEGATIVE),
    "unmatched_revenue": _column("float64", "currency", "part of it that undoes no known purchase", NOT_NEGATIVE),
    "returned_revenue_share": _column("float64", "share", "min(returned_revenue / gross_revenue, 1)", SHARE),
    "returned_item_share": _column("float64", "share", "min(pieces returned / pieces sold, 1)", SHARE),
    "average_order_value": _column("float64", "currency", "net_revenue / order_count"),
    "items_per_order": _column(
        "float64", "pieces", "(pieces sold - pieces matched to a return) / order_count", NOT_NEGATIVE
    ),
    "products_per_order": _column("float64", "products", "mean of the distinct products in an order", NOT_NEGATIVE),
    "distinct_product_count": _column("float64", "products", "distinct products ever bought", NOT_NEGATIVE),
    "order_count_90d": _column("float64", "orders", "orders of the last 90 days", NOT_NEGATIVE),
    "order_count_180d": _column("float64", "orders", "orders of the last 180 days", NOT_NEGATIVE),
    "net_revenue_90d": _column("float64", "currency", "net revenue of the last 90 days"),
    "net_revenue_180d": _column("float64", "currency", "net revenue of the last 180 days"),
    "faded_revenue": _column("float64", "currency", "net revenue, each amount times exp(-age in days / fade_days)"),
    "largest_order_share": _column("float64", "share", "gross revenue of the largest order / gross_revenue", SHARE),
    "same_season_revenue": _column(
        "float64",
        "currency",
        "net revenue of the horizon_days that follow the same day a year earlier; null where the shop's history "
        "does not reach back a full year",
        nullable=True,
    ),
}

PRODUCTS = in_memory.Column(
    "str",
    required=False,  # a table made elsewhere may lack it; who needs it says so
    description="the distinct product codes bought before as_of, one per line, sorted",
)

_AS_OF = in_memory.Column("datetime64[us]", description="the day from which we look; only earlier lines are known")
_CUSTOMER_ID = in_memory.Column("str", description="the customer")
_NEXT_REVENUE = _column("float64", "currency", "net revenue of the horizon_days from as_of on", nullable=True)
_KNOWN_IDENTITIES = [
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
            or (t["products"].str.count("\n") + (t["products"] != "") == t["distinct_product_count"]).all()
        ),
        name="as many products as distinct_product_count says",
    ),
]

CUSTOMERS = in_memory.DataFrameSchema(
    name="customers",
    title="One row per known customer with at least one order before as_of.",
    columns={
        "customer_id": _CUSTOMER_ID,
        "as_of": _AS_OF,
        "country": in_memory.Column("str", nullable=True, description="country of the last order"),
        "products": PRODUCTS,
        **FEATURES,
    },
    checks=_KNOWN_IDENTITIES,
    unique=["customer_id"],
    strict=True,
)

SNAPSHOTS = in_memory.DataFrameSchema(
    name="snapshots",
    title="One row per customer and cut-off, none later than the start of the untouched last period.",
    columns={
        **CUSTOMERS.columns,
        "next_revenue": _NEXT_REVENUE,
    },
    checks=_KNOWN_IDENTITIES,
    unique=["customer_id", "as_of"],
    strict=True,
)

HOLDOUT = in_memory.DataFrameSchema(
    name="holdout",
    title="One row per customer of the last cut-off: what the untouched last period brought. Only register reads it.",
    columns={
        "customer_id": _CUSTOMER_ID,
        "as_of": _AS_OF,
        "next_revenue": _column("float64", "currency", "net revenue of the horizon_days from as_of on"),
    },
    unique=["customer_id"],
    strict=True,
)

JUDGED = in_memory.DataFrameSchema(
    name="judged",
    title="One row per customer of the last cut-off: whether what serves now would have listed them on that day.",
    columns={
        "customer_id": _CUSTOMER_ID,
        "as_of": _AS_OF,
        "is_insider": in_memory.Column(
            "bool", description="on the list made from what was known then; nobody is where no such list is known"
        ),
    },
    unique=["customer_id"],
    strict=True,
)

EXPERIMENT = in_memory.DataFrameSchema(
    name="experiment",
    title="One row per Insider: who is invited, and who is kept out by lot.",
    columns={
        "customer_id": _CUSTOMER_ID,
        "arm": in_memory.Column("str", in_memory.Check.isin(["control", "invited"]), description="control: kept out"),
        "stratum": in_memory.Column(
            "int64", in_memory.Check.ge(1), description="quarter of the Insiders by past net revenue, 1: the highest"
        ),
    },
    unique=["customer_id"],
    strict=True,
)

HISTORY = in_memory.DataFrameSchema(
    name="history",
    title="One row per customer and month start of the past, from what was known then. The search never reads it.",
    columns=CUSTOMERS.columns,
    checks=_KNOWN_IDENTITIES,
    unique=["customer_id", "as_of"],
    strict=True,
)

LEDGER = in_memory.DataFrameSchema(
    name="ledger",
    title="One row per cleaning rule, in the order in which the rules are applied.",
    columns={
        "rule": in_memory.Column("str", description="name of the rule"),
        "rows": in_memory.Column("int64", NOT_NEGATIVE, description="rows that it concerns"),
        "customers": in_memory.Column("int64", NOT_NEGATIVE, description="distinct customers in these rows"),
        "quantity": in_memory.Column("int64", description="sum of the quantities"),
        "amount": in_memory.Column(None, description="sum of quantity x unit_price, exact (Decimal, four places)"),
        "action": in_memory.Column(
            "str",
            in_memory.Check.isin(["delivered", "counted", "quarantined", "removed", "kept"]),
            description="delivered = quarantined + removed + kept; counted rows are facts of the delivery",
        ),
    },
    strict=True,
)

ASSIGNMENTS = in_memory.DataFrameSchema(
    name="assignments",
    title="One row per customer: where the serving model puts them.",
    columns={
        "customer_id": _CUSTOMER_ID,
        "cluster": in_memory.Column("int64", in_memory.Check.ge(NO_CLUSTER), description="cluster found; -1: none"),
        "segment": in_memory.Column("str", description="named segment"),
        "is_insider": in_memory.Column("bool", description="member of the programme"),
        "reason": in_memory.Column("str", description="why, in plain words"),
        "as_of": _AS_OF,
        "model_version": in_memory.Column("str", description="registry version, or baseline:NAME"),
    },
    unique=["customer_id"],
    strict=True,
)

CONFIDENCE = in_memory.DataFrameSchema(
    name="confidence",
    title="One row per customer: how sure the segment is that the serving model puts them in.",
    columns={
        "customer_id": _CUSTOMER_ID,
        "confidence": _column(
            "float64",
            "share",
            "of the (at most 10) customers most similar to them in the model's eyes, those in the same segment; null "
            "where no model serves",
            SHARE,
            nullable=True,
        ),
    },
    unique=["customer_id"],
    strict=True,
)

MEMBERSHIPS = in_memory.DataFrameSchema(
    name="memberships",
    title="One row per customer and month start of the past: where today's model puts them, from what was known then. "
    "A simulation: not what was decided at the time.",
    columns={
        "customer_id": _CUSTOMER_ID,
        "as_of": _AS_OF,
        "segment": in_memory.Column("str", description="named segment"),
        "is_insider": in_memory.Column("bool", description="would have been a member of the programme"),
    },
    unique=["customer_id", "as_of"],
    strict=True,
)

PLACES = in_memory.DataFrameSchema(
    name="places",
    title="One row per customer whom the serving model places in its embedding; none where no model serves.",
    columns={
        "customer_id": _CUSTOMER_ID,
        "place": in_memory.Column(None, description="coordinates in the embedding, equally many for everybody"),
    },
    checks=[in_memory.Check(lambda t: t["place"].map(len).nunique() <= 1, name="one space for everybody")],
    unique=["customer_id"],
    strict=True,
)

EXPECTATIONS = in_memory.DataFrameSchema(
    name="expectations",
    title="One row per customer: what the days after as_of are expected to bring, each on their own (value.py).",
    columns={
        "customer_id": _CUSTOMER_ID,
        "as_of": _AS_OF,
        "expected_orders": _column(
            "float64", "order days", "expected days with an order in horizon_days", NOT_NEGATIVE
        ),
        "probability_active": _column("float64", "share", "probability of being a customer still", SHARE),
        "expected_order_value": _column("float64", "currency", "expected net revenue of an order day", NOT_NEGATIVE),
        "expected_revenue": _column(
            "float64", "currency", "expected net revenue of the next horizon_days", NOT_NEGATIVE
        ),
        "expected_low": _column("float64", "currency", "lower end of its 80 % interval", NOT_NEGATIVE),
        "expected_high": _column("float64", "currency", "upper end of its 80 % interval", NOT_NEGATIVE),
        "expected_revenue_year": _column(
            "float64", "currency", "expected net revenue of 365 days, if all goes on as in the past", NOT_NEGATIVE
        ),
    },
    unique=["customer_id"],
    strict=True,
)

INSIDERS = in_memory.DataFrameSchema(
    name="insiders",
    title="One row per Insider, best first.",
    columns={
        "rank": in_memory.Column("int64", in_memory.Check.ge(1), description="1 = highest expected revenue"),
        "customer_id": _CUSTOMER_ID,
        "segment": in_memory.Column("str", description="named segment"),
        "net_revenue": FEATURES["net_revenue"],
        "order_count": FEATURES["order_count"],
        "recency_days": FEATURES["recency_days"],
        "expected_revenue": _column("float64", "currency", "expected net revenue of the next horizon_days"),
        "expected_low": _column("float64", "currency", "lower end of its 80 % interval"),
        "expected_high": _column("float64", "currency", "upper end of its 80 % interval"),
        "reason": in_memory.Column("str", description="why, in plain words"),
    },
    checks=[
        in_memory.Check(lambda t: t["expected_low"] <= t["expected_high"], name="an interval is ordered"),
    ],
    unique=["customer_id"],
    strict=True,
)

AUDIENCES = in_memory.DataFrameSchema(
    name="audiences",
    title="One row per suggestion of the page and customer meant by it.",
    columns={
        "customer_id": _CUSTOMER_ID,
        "segment": in_memory.Column("str", description="named segment"),
        "action": in_memory.Column(
            "str", description="kind of the action (report.actions), about_to_leave or one_step_from_entering"
        ),
        "why": in_memory.Column("str", description="the figure that decided it, in the page's language"),
    },
    strict=True,
)

RECOMMENDATIONS = in_memory.DataFrameSchema(
    name="recommendations",
    title="One row per customer and product to recommend, best first.",
    columns={
        "customer_id": _CUSTOMER_ID,
        "rank": in_memory.Column("int64", in_memory.Check.ge(1), description="1 = first"),
        "product_code": in_memory.Column("str", description="the product: on sale, and new to the customer"),
        "description": in_memory.Column("str", description="its text, or its code where it has none"),
        "because": in_memory.Column(
            "str",
            nullable=True,
            description="text of the bought product that speaks most for it; null: it is what most customers buy",
        ),
    },
    unique=["customer_id", "product_code"],
    strict=True,
)

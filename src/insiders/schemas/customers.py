"""Contracts of the tables that describe customers as of a day, and of what followed."""

import pandera.pandas as in_memory

from insiders.schemas.columns import AS_OF, CUSTOMER_ID, column
from insiders.schemas.features import FEATURES, IDENTITIES, PRODUCTS

NEXT_REVENUE = column("float64", "currency", "net revenue of the horizon_days from as_of on", nullable=True)

CUSTOMERS = in_memory.DataFrameSchema(
    name="customers",
    title="One row per known customer with at least one order before as_of.",
    columns={
        "customer_id": CUSTOMER_ID,
        "as_of": AS_OF,
        "country": in_memory.Column("str", nullable=True, description="country of the last order"),
        "products": PRODUCTS,
        **FEATURES,
    },
    checks=IDENTITIES,
    unique=["customer_id"],
    strict=True,
)

SNAPSHOTS = in_memory.DataFrameSchema(
    name="snapshots",
    title="One row per customer and cut-off; the last cut-off is the first day of the holdout.",
    columns={
        **CUSTOMERS.columns,
        "next_revenue": NEXT_REVENUE,
    },
    checks=IDENTITIES,
    unique=["customer_id", "as_of"],
    strict=True,
)

HOLDOUT = in_memory.DataFrameSchema(
    name="holdout",
    title="One row per customer of the last cut-off: what the last period brought. The search never reads it.",
    columns={
        "customer_id": CUSTOMER_ID,
        "as_of": AS_OF,
        "next_revenue": column("float64", "currency", "net revenue of the horizon_days from as_of on"),
    },
    unique=["customer_id"],
    strict=True,
)

HISTORY = in_memory.DataFrameSchema(
    name="history",
    title="One row per customer and month start of the past, from what was known then. The search never reads it.",
    columns=CUSTOMERS.columns,
    checks=IDENTITIES,
    unique=["customer_id", "as_of"],
    strict=True,
)

JUDGED = in_memory.DataFrameSchema(
    name="judged",
    title="One row per customer of the last cut-off: whether what serves now would have listed them then.",
    columns={
        "customer_id": CUSTOMER_ID,
        "as_of": AS_OF,
        "is_insider": in_memory.Column(
            "bool", description="on the list made from what was known then; false for all where no such list exists"
        ),
    },
    unique=["customer_id"],
    strict=True,
)

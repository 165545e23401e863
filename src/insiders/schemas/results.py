"""Contracts of the results per customer: segments, expectations, the list, the experiment, suggestions."""

import pandera.pandas as in_memory

from insiders.schemas.columns import AS_OF, AT_LEAST_ONE, CUSTOMER_ID, NOT_NEGATIVE, SHARE, column
from insiders.schemas.features import FEATURES
from insiders.schemas.programme import ARMS, MEMBERS, STATUS, STATUSES
from insiders.units import NO_CLUSTER

ASSIGNMENTS = in_memory.DataFrameSchema(
    name="assignments",
    title="One row per customer: where the serving model puts them.",
    columns={
        "customer_id": CUSTOMER_ID,
        "cluster": in_memory.Column(
            "int64", in_memory.Check.ge(NO_CLUSTER), description="number of the cluster; -1: none"
        ),
        "segment": in_memory.Column("str", description="name of the segment"),
        "is_insider": in_memory.Column("bool", description="member of the programme, in grace or not"),
        "reason": in_memory.Column("str", description="why, in the page's language"),
        "as_of": AS_OF,
        "model_version": in_memory.Column("str", description="registry version, or baseline:NAME"),
        "score": MEMBERS.columns["score"],
        "place": MEMBERS.columns["place"],
        "release": MEMBERS.columns["release"],
        "hand": in_memory.Column(
            "str",
            in_memory.Check.isin(["", "in", "out", "never"]),
            description="what a person decided about them, from the next decision on; empty: the score decides",
        ),
    },
    unique=["customer_id"],
    strict=True,
)

LABELS = in_memory.DataFrameSchema(
    name="labels",
    title="One row per customer of a table: what the model says of each, whoever the others are.",
    columns={
        **{name: ASSIGNMENTS.columns[name] for name in ("customer_id", "as_of", "cluster", "segment")},
        "is_insider": in_memory.Column(
            "bool", description="the score is that of the last place at the model's fit, or more; no membership"
        ),
        "score": in_memory.Column("float64", description="what orders customers, by the model"),
        "model_version": ASSIGNMENTS.columns["model_version"],
    },
    strict=True,
)

CONFIDENCE = in_memory.DataFrameSchema(
    name="confidence",
    title="One row per customer: how sure it is that they belong to their segment.",
    columns={
        "customer_id": CUSTOMER_ID,
        "confidence": column(
            "float64",
            "share",
            "of the (at most 10) nearest customers in the model's embedding, those in the same segment; null where no "
            "model serves",
            SHARE,
            nullable=True,
        ),
    },
    unique=["customer_id"],
    strict=True,
)

PLACES = in_memory.DataFrameSchema(
    name="places",
    title="One row per customer with a place in the serving model's embedding; no row where no model serves.",
    columns={
        "customer_id": CUSTOMER_ID,
        "place": in_memory.Column(None, description="coordinates in the embedding, as many for every customer"),
    },
    checks=[
        in_memory.Check(lambda t: t["place"].map(len).nunique() <= 1, name="as many coordinates for every customer")
    ],
    unique=["customer_id"],
    strict=True,
)

MEMBERSHIPS = in_memory.DataFrameSchema(
    name="memberships",
    title="One row per customer and month start of the past: where today's model puts them, from what was known then, "
    "and whether they were a member: as decided, and before the first decision as simulated.",
    columns={
        "customer_id": CUSTOMER_ID,
        "as_of": AS_OF,
        "segment": in_memory.Column("str", description="name of the segment"),
        "is_insider": in_memory.Column("bool", description="was, or would have been, a member of the programme"),
        "place": in_memory.Column(
            "Int64", AT_LEAST_ONE, nullable=True, description="1 = the highest score then; null: after a decision"
        ),
    },
    unique=["customer_id", "as_of"],
    strict=True,
)

EXPECTATIONS = in_memory.DataFrameSchema(
    name="expectations",
    title="One row per customer: what the days from as_of on are expected to bring (value.lifetime).",
    columns={
        "customer_id": CUSTOMER_ID,
        "as_of": AS_OF,
        "expected_orders": column("float64", "order days", "expected days with an order in horizon_days", NOT_NEGATIVE),
        "probability_active": column("float64", "share", "probability of still being a customer", SHARE),
        "expected_order_value": column("float64", "currency", "expected net revenue of an order day", NOT_NEGATIVE),
        "expected_revenue": column(
            "float64", "currency", "expected net revenue of the next horizon_days", NOT_NEGATIVE
        ),
        "expected_low": column("float64", "currency", "lower end of its 80 % interval", NOT_NEGATIVE),
        "expected_high": column("float64", "currency", "upper end of its 80 % interval", NOT_NEGATIVE),
        "expected_revenue_year": column(
            "float64",
            "currency",
            "expected net revenue of 365 days, if the customer goes on as in the past",
            NOT_NEGATIVE,
        ),
    },
    unique=["customer_id"],
    strict=True,
)

FIFTH = in_memory.Check.in_range(1, 5)
COUNTRY = in_memory.Column("str", nullable=True, description="country of the last order")
IS_WHOLESALER = in_memory.Column("bool", description="seems to buy for resale: far more pieces per order than most")

INSIDERS = in_memory.DataFrameSchema(
    name="insiders",
    title="One row per Insider, best first.",
    columns={
        "rank": in_memory.Column("int64", AT_LEAST_ONE, description="1 = highest score"),
        "customer_id": CUSTOMER_ID,
        "segment": in_memory.Column("str", description="name of the segment"),
        "net_revenue": FEATURES["net_revenue"],
        "order_count": column("int64", "orders", "invoices with at least one sale", AT_LEAST_ONE),
        "recency_days": column("int64", "days", "as_of - day of the last order", AT_LEAST_ONE),
        "expected_revenue": column("float64", "currency", "expected net revenue of the next horizon_days"),
        "expected_low": column("float64", "currency", "lower end of its 80 % interval"),
        "expected_high": column("float64", "currency", "upper end of its 80 % interval"),
        "reason": in_memory.Column(
            "str", description="what they stand out by, or what a person decided, or that they may leave; in words"
        ),
        "status": STATUS,
        "since": MEMBERS.columns["since"],
        "arm": MEMBERS.columns["arm"],
        "country": COUNTRY,
        "is_wholesaler": IS_WHOLESALER,
        "as_of": AS_OF,
        "release": MEMBERS.columns["release"],
    },
    checks=[
        in_memory.Check(lambda t: t["expected_low"] <= t["expected_high"], name="an interval is ordered"),
    ],
    unique=["customer_id"],
    strict=True,
)

TOP = INSIDERS.update_columns(
    {
        "status": {"checks": in_memory.Check.isin(["", *STATUSES])},
        "since": {"nullable": True},
        "arm": {"checks": in_memory.Check.isin(["", *ARMS])},
    }
)
"""A list of any size (`insiders list`): as INSIDERS; status, since and arm are empty for who never was a member."""

EXPERIMENT = in_memory.DataFrameSchema(
    name="experiment",
    title="One row per Insider: who is invited, and who is held out at random, as drawn on joining.",
    columns={
        "customer_id": CUSTOMER_ID,
        "arm": MEMBERS.columns["arm"],
        "stratum": MEMBERS.columns["stratum"],
        "as_of": AS_OF,
        "release": MEMBERS.columns["release"],
    },
    unique=["customer_id"],
    strict=True,
)

RFM = in_memory.DataFrameSchema(
    name="rfm",
    title="One row per customer: the scores of recency, frequency and money, and the group that marketing knows.",
    columns={
        "customer_id": CUSTOMER_ID,
        "segment": in_memory.Column("str", description="name of the model's segment"),
        "recency_score": column("int64", "fifth", "5: the customers who ordered last", FIFTH),
        "frequency_score": column("int64", "fifth", "5: those with the most orders", FIFTH),
        "monetary_score": column("int64", "fifth", "5: those with the most net revenue", FIFTH),
        "group": in_memory.Column("str", description="champions, loyal, at risk, ... (evidence.groupings.RFM_NAMES)"),
        "as_of": AS_OF,
        "release": MEMBERS.columns["release"],
    },
    unique=["customer_id"],
    strict=True,
)

AUDIENCES = in_memory.DataFrameSchema(
    name="audiences",
    title="One row per suggestion of the page and customer whom it concerns.",
    columns={
        "customer_id": CUSTOMER_ID,
        "segment": in_memory.Column("str", description="name of the segment"),
        "action": in_memory.Column(
            "str", description="kind of the action (report.actions), about_to_leave or one_step_from_entering"
        ),
        "why": in_memory.Column("str", description="the figure that the suggestion rests on, in the page's language"),
        "arm": in_memory.Column(
            "str",
            in_memory.Check.isin(["", *ARMS]),
            description="of a member; empty: none. What is for members only leaves out those who are held out",
        ),
        "status": in_memory.Column(
            "str", in_memory.Check.isin(["", "member", "grace"]), description="of a member; empty: none"
        ),
        "country": COUNTRY,
        "is_wholesaler": IS_WHOLESALER,
        "as_of": AS_OF,
        "release": MEMBERS.columns["release"],
    },
    strict=True,
)

RECOMMENDATIONS = in_memory.DataFrameSchema(
    name="recommendations",
    title="One row per customer and product to recommend, best first.",
    columns={
        "customer_id": CUSTOMER_ID,
        "rank": in_memory.Column("int64", AT_LEAST_ONE, description="1 = first"),
        "product_code": in_memory.Column("str", description="the product: on sale, and new to the customer"),
        "description": in_memory.Column("str", description="its text, or its code where it has none"),
        "because": in_memory.Column(
            "str",
            nullable=True,
            description="text of the bought product that contributes most to its score; null: chosen by popularity",
        ),
        "as_of": AS_OF,
        "release": MEMBERS.columns["release"],
    },
    unique=["customer_id", "product_code"],
    strict=True,
)

"""Contracts of the programme's tables: who is or was a member, and what happened at each check."""

import pandera.pandas as in_memory

from insiders.schemas.columns import AS_OF, AT_LEAST_ONE, CUSTOMER_ID, column

STATUSES = ["member", "grace", "left"]
EVENTS = ["joined", "returned", "stayed", "in_grace", "left", "outside"]
ARMS = ["invited", "held_out"]

STATUS = in_memory.Column(
    "str",
    in_memory.Check.isin(STATUSES),
    description="member; grace: a member who leaves on `until` unless they keep their place again; left",
)
REASON = in_memory.Column("str", description="why (programme.members.REASONS): a code in no language")

MEMBERS = in_memory.DataFrameSchema(
    name="members",
    title="One row per customer who is or was a member of the programme.",
    columns={
        "customer_id": CUSTOMER_ID,
        "status": STATUS,
        "since": in_memory.Column("datetime64[us]", description="day of the check at which they last joined"),
        "until": in_memory.Column(
            "datetime64[us]", nullable=True, description="end of the grace, or day on which they left; null: a member"
        ),
        "reason": REASON,
        "arm": in_memory.Column(
            "str", in_memory.Check.isin(ARMS), description="drawn once, on joining; held_out: not invited"
        ),
        "rank": in_memory.Column(
            "Int64", AT_LEAST_ONE, nullable=True, description="1 = the member with the highest score; null: left"
        ),
        "release": in_memory.Column("str", description="as_of/model version/digest of the delivered rows"),
        "event": in_memory.Column("str", in_memory.Check.isin(EVENTS), description="what the last check changed"),
        "stratum": in_memory.Column("int64", AT_LEAST_ONE, description="quarter of the programme by rank on joining"),
        "place": in_memory.Column("int64", AT_LEAST_ONE, description="1 = the customer with the highest score"),
        "score": column("float64", "currency", "by which customers are ranked: expected net revenue"),
    },
    checks=[
        in_memory.Check(lambda t: (t["status"] == "member") == t["until"].isna(), name="only members have no end"),
        in_memory.Check(lambda t: (t["status"] == "left") == t["rank"].isna(), name="only members have a rank"),
        in_memory.Check(lambda t: ~(t["until"] < t["since"]), name="nobody leaves before joining"),
    ],
    unique=["customer_id"],
    strict=True,
)

TERMS = in_memory.DataFrameSchema(
    name="terms",
    title="One row: how the membership of today was decided, or is proposed.",
    columns={
        "size": in_memory.Column("int64", in_memory.Check.ge(0), description="places"),
        "customers": in_memory.Column("int64", AT_LEAST_ONE, description="customers among whom they were given"),
        "band": in_memory.Column("float64", AT_LEAST_ONE, description="a member stays while ranked within band x size"),
        "border": in_memory.Column(
            "int64", in_memory.Check.ge(0), description="the last place at which a member stays"
        ),
        "grace_months": in_memory.Column("int64", in_memory.Check.ge(0), description="... and then for so long"),
        "rule": in_memory.Column("str", description="conditions as JSON where a rule decides; empty: the score does"),
        "model_version": in_memory.Column("str", description="registry version, or baseline:NAME"),
        "release": MEMBERS.columns["release"],
    },
    strict=True,
)

MOVEMENT = in_memory.DataFrameSchema(
    name="movement",
    title="One row per check and customer who was or became a member by it: what happened, and why.",
    columns={
        "customer_id": CUSTOMER_ID,
        "as_of": AS_OF,
        "event": in_memory.Column("str", in_memory.Check.isin(EVENTS), description="what happened at the check"),
        "reason": REASON,
        "decided": in_memory.Column("bool", description="recorded by a person; false: simulated, or proposed"),
    },
    unique=["customer_id", "as_of"],
    strict=True,
)

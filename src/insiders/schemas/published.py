"""Contracts of what is published: the tables that other programs read, by release, in databases and files.

Names and keys are fixed, since reports are built on them; columns may be appended.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

import pandera.pandas as in_memory

from insiders.schemas.customers import CUSTOMERS
from insiders.schemas.features import FEATURES
from insiders.schemas.lines import LEDGER
from insiders.schemas.programme import MEMBERS, MOVEMENT
from insiders.schemas.results import ASSIGNMENTS, AUDIENCES, CONFIDENCE, EXPECTATIONS, INSIDERS, RECOMMENDATIONS

# id: text that keys and indexes hold; money: exact, two places, in the currency of `releases`; share: 0 to 1.
Kind = Literal["id", "text", "day", "moment", "money", "share", "number", "count", "flag"]

CUSTOMER_ID = "customer_id"
INSIDE, OUTSIDE = "insiders", "others"  # revenue_by_month.side


class Field(NamedTuple):
    """A published column: what kind of value it holds, and what that means."""

    kind: Kind
    description: str


class Where(NamedTuple):
    """Which rows of a table are those of today: the column and its values; None stands for missing."""

    column: str
    values: tuple[str | None, ...]


class Published(NamedTuple):
    """One published table: its grain, its key and its columns in order, the key's first."""

    name: str
    title: str
    key: tuple[str, ...]
    columns: Mapping[str, Field]
    is_history: bool = False  # tells the whole past itself: only the rows of the current release are of use
    where: Where | None = None  # of current_NAME
    needed: tuple[str, ...] = ()  # columns besides the key that views are made of

    @property
    def fixed(self) -> tuple[str, ...]:
        """The columns that cannot be left out."""
        return tuple(dict.fromkeys((*self.key, "release", *self.needed, *([self.where.column] if self.where else []))))


KINDS: dict[str, Kind] = {"int64": "count", "Int64": "count", "float64": "number", "bool": "flag"}
RELEASE = Field("id", "as_of/model version/digest of the customers: what one run handed out")
CUSTOMER = Field("id", "the customer, or their pseudonym")
EXPECTED = ("expected_revenue", "expected_low", "expected_high")


def _as_field(column: in_memory.Column) -> Field:
    """The published form of a column of another contract."""
    dtype = str(column.dtype)
    kind: Kind = "day" if dtype.startswith("datetime") else KINDS.get(dtype, "text")
    match (column.metadata or {}).get("unit"):
        case "currency":
            kind = "money"
        case "share":
            kind = "share"
    return Field(kind, str(column.description))


def _of(schema: in_memory.DataFrameSchema, names: Iterable[str]) -> dict[str, Field]:
    return {name: _as_field(schema.columns[name]) for name in names}


RELEASES = Published(
    "releases",
    "One row per release: what was published, of which day, when and by whom.",
    ("release",),
    {
        "release": RELEASE,
        "as_of": Field("day", "the day as of which customers are described: earlier is known"),
        "model_version": Field("text", "registry version that assigned, or baseline:NAME"),
        "regime": Field("text", "model, baseline (a plain sort decides) or none (nobody can be defended)"),
        "members": Field("count", "members of the programme, in grace or not"),
        "currency": Field("text", "of every amount, an ISO 4217 code"),
        "published_at": Field("moment", "when it was published here, UTC"),
        "published_by": Field("text", "the user who published it here"),
        "digest": Field("text", "sha256 of what was published and of the settings that shaped it"),
        "note": Field("text", "what the publisher noted, and which differences of the data a person accepted, and why"),
        "publication": Field("count", "number of the publication; the highest is current, null is not whole yet"),
    },
)

DOCUMENTS = Published(
    "documents",
    "One row per document, part of it and release: what `insiders dashboard --from` shows beside the tables.",
    ("release", "name", "part"),
    {
        "release": RELEASE,
        "name": Field(
            "id",
            "answers: the nine answers as JSON, without the list; settings: what the dashboard starts from, as JSON; "
            "intake: what was understood of the delivery, as Markdown",
        ),
        "part": Field("count", "1 = the first; the parts joined in this order are the document"),
        "content": Field("text", "the text of the part"),
    },
    needed=("content",),
)

TABLES = (
    Published(
        "customers",
        "One row per customer and release: the features as of its day, the segment, and what is expected.",
        ("release", CUSTOMER_ID),
        {
            "release": RELEASE,
            CUSTOMER_ID: CUSTOMER,
            **_of(CUSTOMERS, ["country"]),
            **_of(CUSTOMERS, FEATURES),
            **_of(ASSIGNMENTS, ["segment", "is_insider", "score", "place"]),
            **_of(EXPECTATIONS, ["expected_orders", "probability_active", *EXPECTED]),
            "map_x": Field("number", "first coordinate in which the model sees the customer; null: it has not two"),
            "map_y": Field("number", "second coordinate; the two have no unit"),
        },
        needed=("segment",),
    ),
    Published(
        "assignments",
        "One row per customer and stretch of time in a segment, by the model of the current release, at month starts.",
        (CUSTOMER_ID, "valid_from"),
        {
            CUSTOMER_ID: CUSTOMER,
            "valid_from": Field("day", "first check at which the customer was in the segment"),
            "valid_to": Field("day", "check at which they were in another one; null: today"),
            "segment": Field("text", "name of the segment"),
            **_of(ASSIGNMENTS, ["score"]),
            **_of(EXPECTATIONS, EXPECTED),
            **_of(CONFIDENCE, ["confidence"]),
            "release": RELEASE,
        },
        is_history=True,
        where=Where("valid_to", (None,)),
    ),
    Published(
        "members",
        "One row per member and stretch of membership, as decided, or simulated before the first decision.",
        (CUSTOMER_ID, "since"),
        {
            CUSTOMER_ID: CUSTOMER,
            "since": Field("day", "day of the check at which they joined"),
            **_of(MEMBERS, ["until", "status", "arm", "reason", "rank"]),
            "release": RELEASE,
            "decided": Field("flag", "joining was recorded by a person; false: simulated or proposed"),
        },
        is_history=True,
        where=Where("status", ("member", "grace")),
    ),
    Published(
        "membership_events",
        "One row per change of a membership, by a check or by hand.",
        (CUSTOMER_ID, "on_date", "event"),
        {
            CUSTOMER_ID: CUSTOMER,
            "on_date": Field("day", "day of the check, or of the decision by hand"),
            "event": Field(
                "id", "joined, returned, stayed_by_grace, left; by hand: set_in, set_out, never, set_auto (score again)"
            ),
            **_of(MOVEMENT, ["reason", "decided"]),
            "release": RELEASE,
        },
        is_history=True,
    ),
    Published(
        "segments",
        "One row per segment and release: its size, its medians, and what it foretells per customer.",
        ("release", "segment"),
        {
            "release": RELEASE,
            "segment": Field("id", "name of the segment in English"),
            "name_pt": Field("text", "name of the segment in Brazilian Portuguese"),
            "customers": Field("count", "customers in it"),
            "insiders": Field("count", "of these, members of the programme"),
            "revenue_share": Field("share", "of all known customers' net revenue"),
            **{
                name: field._replace(description=f"median: {field.description}")
                for name, field in _of(
                    CUSTOMERS,
                    [
                        *("net_revenue", "order_count", "orders_per_month", "recency_days", "tenure_days"),
                        *("average_order_value", "items_per_order", "distinct_product_count", "returned_revenue_share"),
                    ],
                ).items()
            },
            "foretells_orders": Field("number", "order days per customer expected in the coming horizon"),
            "foretells_revenue": Field("money", "net revenue per customer expected in the coming horizon"),
            "foretells_back": Field("share", "of its customers expected to be customers still"),
        },
    ),
    Published(
        "insiders",
        "One row per member and release, best first: the list that marketing works with.",
        ("release", "rank"),
        {
            "release": RELEASE,
            **_of(INSIDERS, ["rank"]),
            CUSTOMER_ID: CUSTOMER,
            **_of(INSIDERS, [name for name in INSIDERS.columns if name not in ("release", "rank", CUSTOMER_ID)]),
            "contact_id": Field("text", "the customer's key in the CRM (publish.contacts); null: none"),
        },
        needed=(CUSTOMER_ID,),
    ),
    Published(
        "audiences",
        "One row per suggestion and customer whom it concerns, by release.",
        ("release", "action", CUSTOMER_ID),
        {
            "release": RELEASE,
            "action": Field("id", str(AUDIENCES.columns["action"].description)),
            CUSTOMER_ID: CUSTOMER,
            "why": _as_field(AUDIENCES.columns["why"]),
            "arm": Field("text", "of a member: invited or held_out; null: no member"),
            "segment": _as_field(AUDIENCES.columns["segment"]),
            "contact_id": Field("text", "the customer's key in the CRM (publish.contacts); null: none"),
        },
    ),
    Published(
        "recommendations",
        "One row per customer, place and release: products to recommend, best first.",
        ("release", CUSTOMER_ID, "place"),
        {
            "release": RELEASE,
            CUSTOMER_ID: CUSTOMER,
            "place": Field("count", "1 = first"),
            **_of(RECOMMENDATIONS, ["product_code", "description", "because"]),
        },
    ),
    Published(
        "revenue_by_month",
        "One row per calendar month, side and release: what today's members and the others bought.",
        ("release", "month", "side"),
        {
            "release": RELEASE,
            "month": Field("day", "first day of the month"),
            "side": Field("id", f"{INSIDE}: today's members; {OUTSIDE}: all other known customers"),
            "gross_revenue": Field("money", "amount of the sale lines"),
            "net_revenue": Field("money", "gross revenue less returns and credits"),
            "customers": Field("count", "customers who ordered"),
            "orders": Field("count", "invoices with at least one sale"),
            "is_partial": Field("flag", "the data cover a part of the month only"),
        },
        needed=("net_revenue", "is_partial"),
    ),
    Published(
        "forecast",
        "One row per month ahead and release: what today's members are expected to bring together.",
        ("release", "month"),
        {
            "release": RELEASE,
            "month": Field("day", "first day of the month"),
            "expected": Field("money", "expected net revenue of the days that are forecast"),
            "low": Field("money", "lower end of its 80 % interval"),
            "high": Field("money", "upper end of its 80 % interval"),
            "days": Field("count", "days of the month that are forecast"),
            "is_partial": Field("flag", "fewer than all of its days"),
            "way": Field("text", "how it was forecast: the best by its record, or several combined"),
        },
    ),
    Published(
        "ledger",
        "One row per cleaning rule and release, in the order in which the rules are applied.",
        ("release", "rule"),
        {
            "release": RELEASE,
            "rule": Field("id", str(LEDGER.columns["rule"].description)),
            "position": Field("count", "1 = the rule that is applied first"),
            **_of(LEDGER, ["rows", "customers", "quantity"]),
            "amount": Field("money", "sum of quantity x unit_price"),
            "action": _as_field(LEDGER.columns["action"]),
        },
    ),
    Published(
        "gates",
        "One row per gate and release: what the candidate had to show before it might serve.",
        ("release", "gate"),
        {
            "release": RELEASE,
            "gate": Field("id", "name of the gate"),
            "value": Field("number", "what was measured; null: it could not be"),
            "comparison": Field("text", "how the value must stand to the threshold"),
            "threshold": Field("number", "what is demanded (register in params.yaml)"),
            "passed": Field("flag", "the value meets the threshold"),
            "meaning": Field("text", "what passing the gate means"),
        },
    ),
    Published(
        "experiment",
        "One row per arm and release: the sizes, and the effect of the programme as far as it can be read.",
        ("release", "arm"),
        {
            "release": RELEASE,
            "arm": Field("id", "invited, or held_out by lot"),
            "customers": Field("count", "members in the arm; from the first decision on, whom it drew"),
            "revenue_per_customer": Field("money", "net revenue per 30 days since joining; null before a whole month"),
            "effect": Field("money", "of the programme per member and 30 days, adjusted; null where it cannot be read"),
            "low": Field("money", "lower end of its interval"),
            "high": Field("money", "upper end of its interval"),
            "verdict": Field(
                "text", "not_begun, too_early, pays, harms, not_found; broken: the arms are not those that were drawn"
            ),
        },
    ),
    DOCUMENTS,
)
BY_NAME = {table.name: table for table in TABLES}

# No table: what the views `movement` and, of the current release, `current_movement` hold.
MOVED = Published(
    "movement",
    "One row per release, segment at the release before and segment now: how many customers went that way.",
    ("release", "release_before", "segment_before", "segment"),
    {
        "release": RELEASE,
        "release_before": Field("id", "the last one published of an earlier day"),
        "segment_before": Field("text", "name of the segment there"),
        "segment": Field("text", "name of the segment in the release"),
        "customers": Field("count", "customers of both releases who were in the one and are in the other"),
    },
)


def current_view(table: str) -> str:
    """The view of a table's rows of today."""
    return "current_release" if table == RELEASES.name else f"current_{table}"

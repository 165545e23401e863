"""What every tool's dashboard shows: the one list from which all their forms are written.

The nine questions of the page are among the cards, and what a person looks up beside them. Titles are marked for the
catalogue under `bi`, and translated where a dashboard is written.
"""

from insiders.answers.bi.cards import Card, Figure, Rows, Section
from insiders.language import named
from insiders.schemas.published import INSIDE

TITLE = named("bi", "Insiders: the loyalty programme")

IN_THE_AUDIENCE = Figure(named("bi", "Customers in the audience"), "count")
REVENUE_SHARE = Figure(named("bi", "Members' share of the net revenue"), "sum", "net_revenue", Rows("side", INSIDE))
EXPECTED_OF_MEMBERS = Figure(named("bi", "Members' expected net revenue"), "sum", "expected_revenue")
EXPECTED = Figure(named("bi", "Expected net revenue"), "sum", "expected")
ABOUT_TO_LEAVE = Rows("action", "about_to_leave")
ONE_STEP_AWAY = Rows("action", "one_step_from_entering")


def _tile(name: str, title: str, table: str, figure: Figure, answers: str) -> Card:
    """One number, in a row of six."""
    return Card(name, title, "number", table, figures=(figure,), answers=answers, width=4, height=4)


def _audience(name: str, title: str, only: Rows, answers: str) -> Card:
    """How many an action is for."""
    return _tile(name, title, "audiences", IN_THE_AUDIENCE, answers)._replace(only=only)


LIST = Section(
    "list",
    named("bi", "The list"),
    (
        _tile(
            "members",
            named("bi", "Members on the list"),
            "insiders",
            Figure(named("bi", "Members on the list"), "count"),
            "how_many",
        ),
        _tile(
            "customer_share",
            named("bi", "Members' share of the customers"),
            "customers",
            Figure(named("bi", "Members' share of the customers"), "count", "", Rows("is_insider", True)),
            "how_many",
        ),
        _tile(
            "revenue_share",
            named("bi", "Members' share of the net revenue"),
            "revenue_by_month",
            REVENUE_SHARE,
            "revenue_share",
        ),
        _tile(
            "expected",
            named("bi", "Expected of the members in the coming period"),
            "insiders",
            EXPECTED_OF_MEMBERS,
            "expected_revenue",
        ),
        _audience("about_to_leave", named("bi", "Members about to leave"), ABOUT_TO_LEAVE, "leave"),
        _audience("one_step_away", named("bi", "Customers one step from entering"), ONE_STEP_AWAY, "enter"),
        Card(
            "revenue_by_month",
            named("bi", "Net revenue by month: today's members and the others"),
            "bar",
            "revenue_by_month",
            ("month", "side"),
            (Figure(named("bi", "Net revenue of the month"), "sum", "net_revenue"),),
            answers="revenue_share",
            width=8,
        ),
        Card(
            "revenue_share_by_month",
            named("bi", "Members' share of the net revenue by month"),
            "line",
            "revenue_by_month",
            ("month",),
            (REVENUE_SHARE,),
            answers="revenue_share",
            width=8,
        ),
        Card(
            "forecast_by_month",
            named("bi", "Expected of the members by month, with 80 % intervals"),
            "line",
            "forecast",
            ("month",),
            (
                EXPECTED,
                Figure(named("bi", "Lower end"), "sum", "low"),
                Figure(named("bi", "Upper end"), "sum", "high"),
            ),
            answers="expected_revenue",
            width=8,
        ),
        Card(
            "insiders",
            named("bi", "Who they are, best first"),
            "table",
            "insiders",
            (
                *("rank", "customer_id", "segment", "net_revenue", "order_count", "recency_days"),
                *("expected_revenue", "expected_low", "expected_high", "status", "reason"),
            ),
            answers="who",
        ),
    ),
)

SEGMENTS = Section(
    "segments",
    named("bi", "Segments"),
    (
        Card(
            "segment_sizes",
            named("bi", "Customers by segment"),
            "bar",
            "segments",
            ("segment",),
            (Figure(named("bi", "Customers of the segment"), "sum", "customers"),),
            width=12,
        ),
        Card(
            "segment_revenue",
            named("bi", "What a segment foretells: net revenue per customer"),
            "bar",
            "segments",
            ("segment",),
            (Figure(named("bi", "Expected net revenue per customer"), "sum", "foretells_revenue"),),
            width=12,
        ),
        Card(
            "segments",
            named("bi", "Segments: medians of their customers"),
            "table",
            "segments",
            (
                *("segment", "name_pt", "customers", "insiders", "revenue_share", "net_revenue", "order_count"),
                *("recency_days", "average_order_value", "foretells_orders", "foretells_revenue"),
                "foretells_back",
            ),
            answers="traits",
        ),
        Card(
            "traits",
            named("bi", "What members do differently: medians"),
            "table",
            "customers",
            ("is_insider",),
            (
                Figure(named("bi", "Customers of either side"), "count"),
                Figure(named("bi", "Median net revenue"), "median", "net_revenue"),
                Figure(named("bi", "Median number of orders"), "median", "order_count"),
                Figure(named("bi", "Median days since the last order"), "median", "recency_days"),
                Figure(named("bi", "Median order value"), "median", "average_order_value"),
                Figure(named("bi", "Median number of products"), "median", "distinct_product_count"),
            ),
            answers="traits",
            width=14,
        ),
        Card(
            "movement",
            named("bi", "From segment to segment since the release before"),
            "table",
            "movement",
            ("segment_before", "segment", "customers"),
            width=10,
        ),
    ),
)

MEMBERS = Section(
    "members",
    named("bi", "Members and audiences"),
    (
        Card(
            "membership",
            named("bi", "Find a member"),
            "table",
            "members",
            ("customer_id", "status", "since", "rank", "arm", "reason", "decided"),
            width=14,
        ),
        Card(
            "recommendations",
            named("bi", "Products to recommend"),
            "table",
            "recommendations",
            ("customer_id", "place", "product_code", "description", "because"),
            width=10,
        ),
        Card(
            "changes",
            named("bi", "Who joined and who left"),
            "bar",
            "membership_events",
            ("on_date", "event"),
            (Figure(named("bi", "Changes of membership"), "count"),),
            answers="leave",
            width=12,
        ),
        Card(
            "actions",
            named("bi", "What to do, and for how many"),
            "bar",
            "audiences",
            ("action",),
            (IN_THE_AUDIENCE,),
            answers="actions",
            width=12,
        ),
        Card(
            "leaving",
            named("bi", "Members about to leave, and why"),
            "table",
            "audiences",
            ("customer_id", "segment", "why", "arm"),
            only=ABOUT_TO_LEAVE,
            answers="leave",
            width=12,
        ),
        Card(
            "entering",
            named("bi", "Customers one step from entering, and what they lack"),
            "table",
            "audiences",
            ("customer_id", "segment", "why"),
            only=ONE_STEP_AWAY,
            answers="enter",
            width=12,
        ),
        Card(
            "audiences",
            named("bi", "Audiences: who is meant by which action"),
            "table",
            "audiences",
            ("action", "customer_id", "segment", "why", "arm"),
            answers="actions",
        ),
    ),
)

TRUST = Section(
    "trust",
    named("bi", "How sure it is"),
    (
        Card(
            "gates",
            named("bi", "What the list had to show before it might serve"),
            "table",
            "gates",
            ("gate", "value", "comparison", "threshold", "passed", "meaning"),
            answers="guarantee",
            width=14,
        ),
        Card(
            "experiment",
            named("bi", "What the programme itself brings: invited and held out"),
            "table",
            "experiment",
            ("arm", "customers", "revenue_per_customer", "effect", "low", "high", "verdict"),
            answers="guarantee",
            width=10,
        ),
        Card(
            "ledger",
            named("bi", "From the delivery to clean lines"),
            "table",
            "ledger",
            ("position", "rule", "rows", "customers", "amount", "action"),
            order="position",
            width=14,
            height=7,
        ),
        Card(
            "release",
            named("bi", "What is shown here"),
            "table",
            "releases",
            ("release", "as_of", "model_version", "regime", "members", "currency", "published_at"),
            width=10,
            height=7,
        ),
    ),
)

SECTIONS = (LIST, SEGMENTS, MEMBERS, TRUST)

"""R, F and M scores of customers, and the groups that marketing knows by name; beside them the model's segments."""

from collections.abc import Sequence
from math import fsum
from typing import TypedDict

import pandas as pd

from insiders.evidence import groupings
from insiders.explore.profiles import MAJORITY
from insiders.explore.sizes import ratio
from insiders.units import MONTH_DAYS

# Names of groupings.RFM_NAMES, the best first.
GROUPS = (
    "champions",
    "loyal",
    "potential loyalist",
    "new",
    "promising",
    "need attention",
    "about to sleep",
    "cannot lose",
    "at risk",
    "hibernating",
    "lost",
)
SCORED = ("recency_score", "frequency_score", "monetary_score")


class GroupNumbers(TypedDict):
    """One of GROUPS: its customers, the Insiders among them, and its shares."""

    group: str
    customers: int
    insiders: int
    customer_share: float
    net_revenue_share: float | None


class SegmentNumbers(TypedDict):
    """A segment by RFM, and its revenue per customer as orders x ticket; multiples are of those of all customers.

    `lapsed_share`: without an order for so many months as count as lapsed; `leaving_share`: expected to be gone.
    """

    segment: str
    is_insider: bool
    customers: int
    groups: dict[str, int]
    lapsed_share: float
    leaving_share: float
    orders_per_customer: float
    value_per_order: float | None
    orders_multiple: float
    value_multiple: float | None
    revenue_multiple: float | None


class RfmNumbers(TypedDict):
    groups: list[GroupNumbers]
    segments: list[SegmentNumbers]


def scores(customers: pd.DataFrame) -> pd.DataFrame:
    """SCORED (5: the fifth that ordered last, most often, for most) and `group` of each customer (schemas.RFM)."""
    scored = dict(zip(SCORED, (quintile + 1 for quintile in groupings.rfm_scores(customers)), strict=True))
    names = pd.array(groupings.rfm_names(customers), dtype="str")
    return customers[["customer_id", "segment"]].assign(**scored, group=names)


def numbers(members: pd.DataFrame, order: Sequence[str], quiet_months: int) -> RfmNumbers:
    """`members` are all customers with `segment`, `is_insider` and `probability_active`; `order` is the segments'."""
    known = members.assign(group=scores(members)["group"])
    return {
        "groups": [_group(known, name) for name in GROUPS],
        "segments": [_segment(known, name, quiet_months) for name in order],
    }


def _group(known: pd.DataFrame, name: str) -> GroupNumbers:
    own = known[known["group"] == name]
    return {
        "group": name,
        "customers": len(own),
        "insiders": int(own["is_insider"].sum()),
        "customer_share": len(own) / len(known),
        "net_revenue_share": ratio(fsum(own["net_revenue"]), fsum(known["net_revenue"])),
    }


def _segment(known: pd.DataFrame, name: str, quiet_months: int) -> SegmentNumbers:
    own = known[known["segment"] == name]
    counts = own["group"].value_counts()
    orders, overall = _orders(own), _orders(known)
    ticket, usual = _ticket(own), _ticket(known)
    multiple = ticket / usual if ticket is not None and usual else None
    return {
        "segment": name,
        "is_insider": bool(own["is_insider"].mean() > MAJORITY),
        "customers": len(own),
        "groups": {group: int(counts.get(group, 0)) for group in GROUPS},
        "lapsed_share": float((own["recency_days"] > quiet_months * MONTH_DAYS).mean()),
        "leaving_share": 1 - fsum(own["probability_active"]) / len(own),
        "orders_per_customer": orders,
        "value_per_order": ticket,
        "orders_multiple": orders / overall,
        "value_multiple": multiple,
        "revenue_multiple": None if multiple is None else multiple * orders / overall,
    }


def _orders(customers: pd.DataFrame) -> float:
    return fsum(customers["order_count"]) / len(customers)


def _ticket(customers: pd.DataFrame) -> float | None:
    return ratio(fsum(customers["net_revenue"]), fsum(customers["order_count"]))

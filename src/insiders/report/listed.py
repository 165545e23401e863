"""Members one by one, as page and JSON hold them."""

from typing import TypedDict

from insiders.programme.yardsticks import Yardstick


class InsiderRow(TypedDict):
    """schemas.INSIDERS."""

    rank: int
    customer_id: str
    segment: str
    net_revenue: float
    order_count: int
    recency_days: int
    expected_revenue: float
    expected_low: float
    expected_high: float
    reason: str


class ListedInsider(InsiderRow):
    because: Yardstick


class MemberRow(TypedDict):
    """A member as the page lists all of them."""

    rank: int
    customer_id: str
    segment: str
    net_revenue: float
    order_count: int
    recency_days: int
    expected_revenue: float
    status: str
    arm: str
    country: str | None

"""Members one by one, as page and JSON hold them."""

from typing import TypedDict

from insiders.programme.yardsticks import Yardstick


class _Member(TypedDict):
    rank: int
    customer_id: str
    segment: str
    net_revenue: float
    order_count: int
    recency_days: int
    expected_revenue: float


class InsiderRow(_Member):
    """schemas.INSIDERS."""

    expected_low: float
    expected_high: float
    reason: str


class ListedInsider(InsiderRow):
    because: Yardstick


class MemberRow(_Member):
    """A member as the page lists all of them."""

    status: str
    arm: str
    country: str | None

"""What a model was trained on, as its version in the registry keeps it; nobody is recognised by it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple


class Window(NamedTuple):
    """What the days from `start` to before `end` hold (tables.traffic); money in the shop's currency."""

    start: str  # ISO 8601
    end: str
    lines: int
    repeated: int  # beyond the first of equal ones
    anonymous: int  # without a customer
    returned: int  # with a negative amount
    customers: int
    sold: float
    taken_back: float
    invoices: int
    mixed: int  # invoices that name several customers
    priced: int  # lines of products that were sold before
    odd: int  # of these, at a price that is far from the earlier one
    placed: int  # customers whose country is stated now and was before
    moved: int  # of these, with another one
    known: int  # customers from before
    known_back: int  # who buy
    recent: int  # of the known, who bought lately
    recent_back: int  # who buy
    price_change: float | None  # median over the products sold before, as a logarithm
    gap_days: int  # on end without a line
    hours: Sequence[int]  # lines by hour of the day
    countries: Mapping[str, int]  # lines by country


class Bucket(NamedTuple):
    """Customers of one group by the digest of their id, and what they paid."""

    customers: int
    paid: float


class Delivery(NamedTuple):
    """A delivery as of a day: what its days held until then, in windows that are counted back from a day."""

    source: str
    as_of: date
    first_day: date
    currency: str
    currencies: list[str]  # codes in the delivery; none: it has no such column
    windows: list[Window]
    buckets: dict[str, Bucket]


class Trained(NamedTuple):
    """What a model was trained on: the delivery, the customers and their segments."""

    delivery: Delivery
    highest: dict[str, float]  # of each feature the value that one customer of a hundred exceeds
    segments: dict[str, float]  # share of the customers by cluster


class Fault(NamedTuple):
    """What is wrong, by a name that can be accepted, and what it looks like."""

    name: str
    text: str


def as_record(trained: Trained) -> dict[str, Any]:
    """The profile as JSON holds it."""
    delivery = trained.delivery._replace(
        as_of=trained.delivery.as_of.isoformat(),  # type: ignore[arg-type]
        first_day=trained.delivery.first_day.isoformat(),  # type: ignore[arg-type]
    )
    windows = [each._asdict() for each in delivery.windows]
    buckets = {name: list(each) for name, each in delivery.buckets.items()}
    return {**trained._asdict(), "delivery": {**delivery._asdict(), "windows": windows, "buckets": buckets}}


def from_record(record: Mapping[str, Any]) -> Trained:
    """What `as_record` made JSON of."""
    own = record["delivery"]
    return Trained(
        Delivery(
            **{
                **own,
                **{name: date.fromisoformat(own[name]) for name in ("as_of", "first_day")},
                "windows": [Window(**each) for each in own["windows"]],
                "buckets": {name: Bucket(*each) for name, each in own["buckets"].items()},
            }
        ),
        record["highest"],
        record["segments"],
    )

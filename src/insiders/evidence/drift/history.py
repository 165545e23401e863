"""The days that a model knows: delivered again, they hold what they held."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from insiders.evidence.drift.months import added, distance
from insiders.evidence.drift.profile import Bucket, Delivery, Fault, Window

BUCKET_CHANGE = 0.05  # a group of customers whose number or payments differ by more is another one
ROLLING_DAYS = 31  # what an export of the last so many months forgets at once

AMOUNTS: dict[str, Callable[[Window], float]] = {
    "lines": lambda window: window.lines,
    "lines without a customer": lambda window: window.anonymous,
    "customers": lambda window: window.customers,
    "sales": lambda window: window.sold,
    "money given back": lambda window: window.taken_back,
}


class HistoryLimits(NamedTuple):
    """params.yaml, section drift: as far as it concerns days that a model knows."""

    history_change_max: float
    customers_changed_max: float
    hours_change_max: float


def faults(trained: Delivery, now: Delivery, limits: HistoryLimits) -> Iterator[Fault]:
    """What is wrong; `now` has the same windows as `trained`, of which those count that both deliver whole."""
    yield from _first_days(trained, now)
    pairs = [pair for pair in zip(trained.windows, now.windows, strict=True) if _is_delivered(pair[0], now)]
    if not pairs:
        return
    for name, amount in AMOUNTS.items():
        yield from _amount(name, [(amount(then), amount(again), then) for then, again in pairs], limits)
    yield from _clock(pairs, limits.hours_change_max)
    if now.first_day <= trained.first_day and now.as_of >= trained.as_of:
        yield from _customers(trained.buckets, now.buckets, limits.customers_changed_max)


def _is_delivered(window: Window, now: Delivery) -> bool:
    return window.start >= now.first_day.isoformat() and window.end <= now.as_of.isoformat()


def _first_days(trained: Delivery, now: Delivery) -> Iterator[Fault]:
    """An export of the last so many months begins later each time, by as much as it ends later."""
    days = (now.first_day - trained.first_day).days
    if days > max((now.as_of - trained.as_of).days, 0) + ROLLING_DAYS:
        yield Fault("history", f"the lines begin on {now.first_day}, {days} days later than those that it knows")


def _amount(name: str, changes: Sequence[tuple[float, float, Window]], limits: HistoryLimits) -> Iterator[Fault]:
    """The window of which most is missing, or too much; a tenth of the largest is what counts as little."""
    floor = max(1.0, limits.history_change_max * max(before for before, _, _ in changes))
    before, after, window = max(changes, key=lambda each: abs(each[1] - each[0]) / max(each[0], floor))
    if abs(after - before) > limits.history_change_max * max(before, floor):
        yield Fault(
            "history",
            f"the days from {window.start} to {window.end}, which it knows, hold {after:,.0f} {name}, where "
            f"{before:,.0f} were",
        )


def _customers(then: Mapping[str, Bucket], now: Mapping[str, Bucket], share_max: float) -> Iterator[Fault]:
    nobody = Bucket(0, 0.0)
    changed = [name for name in then.keys() | now.keys() if _differ(then.get(name, nobody), now.get(name, nobody))]
    share = len(changed) / max(len(then.keys() | now.keys()), 1)
    if share > share_max:
        counts = [sum(each.customers for each in side.values()) for side in (now, then)]
        yield Fault(
            "customers",
            f"ids stand for other customers: of the {counts[1]:,} who bought in the days that it knows there are "
            f"{counts[0]:,}, and {share:.0%} of the groups by id differ in number or payments",
        )


def _differ(then: Bucket, now: Bucket) -> bool:
    pairs = ((then.customers, now.customers), (then.paid, now.paid))
    return any(abs(after - before) > BUCKET_CHANGE * max(abs(before), 1) for before, after in pairs)


def _clock(pairs: Sequence[tuple[Window, Window]], change_max: float) -> Iterator[Fault]:
    then, again = (added(window.hours for window in side) for side in zip(*pairs, strict=True))
    if sum(again) and (change := distance(then, again)) > change_max:
        yield Fault("clock", f"{change:.0%} of the lines that it knows have another hour of the day")

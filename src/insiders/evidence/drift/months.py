"""The days since a model was trained: they go on as the shop's own past months did."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import accumulate
from statistics import median
from typing import NamedTuple

from insiders.evidence.drift.profile import Fault, Window

LINES_MIN = 100  # in a window with fewer a share says little
DAYS_MIN = 7  # nor does the number of lines a day of a window that is shorter: shops have days of rest
EXPECTED_MIN = 20  # returns, of which a window without any is no chance
CERTAIN = 2.0  # standard errors
RECENT_WINDOWS = 3  # what binds customers to a shop grows with its history: the last ones count
LAST_SEASON = 12  # windows of 30 days from a time of the year to the same a year later
WARM_UP = 2  # windows at the beginning of a history, in which everything is new


class MonthLimits(NamedTuple):
    """params.yaml, section drift: as far as it concerns the days since."""

    volume_factor: float
    gap_days_max: int
    price_change_max: float
    share_change_max: float
    rare_share_max: float
    hours_change_max: float
    returns_factor: float
    loyalty_factor: float


# Shares that go up and down with the months, and those of what happens rarely and must not become common.
SHARES: dict[str, tuple[str, Callable[[Window], float]]] = {
    "ids": ("of the lines have no customer", lambda window: window.anonymous / window.lines),
    "returns": ("of the lines are returns", lambda window: window.returned / window.lines),
}
RARE: dict[str, tuple[str, Callable[[Window], float]]] = {
    "duplicates": ("of the lines are repeated", lambda window: window.repeated / window.lines),
    "invoices": ("of the invoices name several customers", lambda window: window.mixed / max(window.invoices, 1)),
    "odd prices": (
        "of the lines have a price far from the product's earlier one",
        lambda window: window.odd / max(window.priced, 1),
    ),
    "moved": ("of the customers have another country than before", lambda window: window.moved / max(window.placed, 1)),
}


def faults(window: Window, past: Sequence[Window], limits: MonthLimits) -> Iterator[Fault]:
    """What is wrong with one window, by the `past` ones that the model knows, earliest first."""
    yield from _volume(window, past, limits)
    enough = [each for each in past if each.lines >= LINES_MIN]
    if not enough or window.lines < LINES_MIN:
        return
    yield from _shares(window, enough, limits)
    yield from _strange(window, past, limits.share_change_max)
    yield from _prices(window, enough, limits.price_change_max)
    yield from _hours(window, enough, limits.hours_change_max)
    yield from _returns(window, enough, limits.returns_factor)
    yield from _loyalty(window, enough, limits.loyalty_factor)


def _days(window: Window) -> str:
    return f"from {window.start} to {window.end}"


def _volume(window: Window, past: Sequence[Window], limits: MonthLimits) -> Iterator[Fault]:
    gap_max = max(limits.gap_days_max, 2 * max((each.gap_days for each in past), default=0))
    if window.gap_days > gap_max:
        yield Fault("days", f"{window.gap_days} days on end have no line ({_days(window)}; at most {gap_max})")
    days = _length(window)
    if not past or days < DAYS_MIN:
        return
    rates = [each.lines / _length(each) for each in past]
    # A shop grows: its first months say nothing of too few lines. A year ago it had the same season.
    last_season = rates[-LAST_SEASON - 1 :][:2] if len(rates) >= LAST_SEASON else []
    usual = min([median(rates[-RECENT_WINDOWS:]), *last_season])
    rate, low, high = window.lines / days, usual / limits.volume_factor, max(rates) * limits.volume_factor
    if not low <= rate <= high:
        yield Fault("volume", f"{rate:,.1f} lines a day {_days(window)}, expected {low:,.1f} to {high:,.1f}")


def _length(window: Window) -> int:
    return (date.fromisoformat(window.end) - date.fromisoformat(window.start)).days


def _shares(window: Window, past: Sequence[Window], limits: MonthLimits) -> Iterator[Fault]:
    for name, (text, share) in SHARES.items():
        shares, value = [share(each) for each in past], share(window)
        low, high = min(shares) - limits.share_change_max, max(shares) + limits.share_change_max
        if not low <= value <= high:
            yield Fault(name, f"{value:.1%} {text} {_days(window)}, expected {max(low, 0):.1%} to {high:.1%}")
    for name, (text, share) in RARE.items():
        value, high = share(window), max(share(each) for each in past) + limits.rare_share_max
        if value > high:
            yield Fault(name, f"{value:.1%} {text} {_days(window)}, expected at most {high:.1%}")


def _strange(window: Window, past: Sequence[Window], share_max: float) -> Iterator[Fault]:
    """Countries that are new: how much of the lines a past window's new ones were is what is usual."""
    *before, countries = accumulate((set(each.countries) for each in past), lambda earlier, own: earlier | own)
    usual = [_share_outside(*each) for each in zip(past[1:], before, strict=True)][WARM_UP:]
    value, high = _share_outside(window, countries), max(usual, default=0.0) + share_max
    if countries and value > high:
        new = ", ".join(sorted(window.countries.keys() - countries)[:3])
        yield Fault("countries", f"{value:.1%} of the lines {_days(window)} are from countries that are new ({new})")


def _share_outside(window: Window, countries: set[str]) -> float:
    strange = sum(lines for name, lines in window.countries.items() if name not in countries)
    return strange / max(window.lines, 1)


def _prices(window: Window, past: Sequence[Window], change_max: float) -> Iterator[Fault]:
    if window.price_change is None:
        return
    # The first window follows a few odd days only, in which most prices are of one sale.
    usual = max((abs(each.price_change) for each in past[1:] if each.price_change is not None), default=0.0)
    high = usual + math.log1p(change_max)
    if abs(window.price_change) > high:
        yield Fault(
            "prices",
            f"the same products cost {math.exp(window.price_change):.2f} times what they did before ({_days(window)}; "
            f"expected {math.exp(-high):.2f} to {math.exp(high):.2f})",
        )


def _hours(window: Window, past: Sequence[Window], change_max: float) -> Iterator[Fault]:
    whole = added(each.hours for each in past)
    change, high = distance(whole, window.hours), max(distance(whole, each.hours) for each in past) + change_max
    if change > high:
        yield Fault("clock", f"{change:.0%} of the lines {_days(window)} have another hour of the day than before")


def _returns(window: Window, past: Sequence[Window], factor: float) -> Iterator[Fault]:
    usual = min(each.returned / each.lines for each in past)
    if usual * window.lines >= EXPECTED_MIN and window.returned / window.lines < factor * usual:
        yield Fault("returns", f"{window.returned} returns among {window.lines:,} lines {_days(window)}: some miss")


def _loyalty(window: Window, past: Sequence[Window], factor: float) -> Iterator[Fault]:
    """Who bought lately buys again more often than the others: where that ends, ids stand for other customers."""
    usual = min((loyalty(each) - 1 for each in past[-RECENT_WINDOWS:] if each.recent_back), default=0.0)
    if not window.recent or usual <= 0:
        return
    share = window.recent_back / window.recent
    error = math.sqrt((1 - share) / max(window.recent_back, 1))
    if loyalty(window) * (1 + CERTAIN * error) < 1 + factor * usual:
        yield Fault(
            "loyalty",
            f"who bought lately comes back {loyalty(window):.2f} times as often as customers do {_days(window)}, and "
            f"did {1 + usual:.2f} times at least: ids may stand for other customers",
        )


def loyalty(window: Window) -> float:
    """How many times as often as any known customer one buys in the window who bought lately."""
    return (window.recent_back / max(window.recent, 1)) / max(window.known_back / max(window.known, 1), 1e-9)


def distance(counts: Sequence[int], others: Sequence[int]) -> float:
    """The share of one that would have to move to be distributed as the other is (total variation), 0 to 1."""
    sums = (max(sum(counts), 1), max(sum(others), 1))
    return sum(abs(one / sums[0] - other / sums[1]) for one, other in zip(counts, others, strict=True)) / 2


def added(each: Iterable[Sequence[int]]) -> list[int]:
    return [sum(values) for values in zip(*each, strict=True)]

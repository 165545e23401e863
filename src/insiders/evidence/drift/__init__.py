"""Whether new data may be used with a model: against the data that it was trained on, and the shop's own past months.

Two things can be wrong. The days that the model knows may hold something else now: an export that lost rows, ids or
returns is wrong for the past too, and there nothing should have changed at all (`history`). Or the days since may not
go on as the shop's months did (`months`). How far they may differ is relative to how far its own months differed from
each other, so that a shop with a Christmas is not stopped by one. What comes of it is looked at last (`served`).
"""

from collections.abc import Iterator, Sequence

from insiders.evidence.drift import history, months
from insiders.evidence.drift.history import HistoryLimits
from insiders.evidence.drift.months import MonthLimits
from insiders.evidence.drift.profile import Delivery, Fault, Window


def of_delivery(
    trained: Delivery, now: Delivery, since: Sequence[Window], known: HistoryLimits, limits: MonthLimits
) -> list[Fault]:
    """What is wrong with a delivery; of each kind the first.

    `now` has the windows of `trained`, measured anew, and `since` are those after them.
    """
    every = [
        *_currencies(trained, now),
        *history.faults(trained, now, known),
        *(fault for window in since for fault in months.faults(window, trained.windows, limits)),
    ]
    return list({fault.name: fault for fault in reversed(every)}.values())[::-1]


def _currencies(trained: Delivery, now: Delivery) -> Iterator[Fault]:
    if now.currency != trained.currency:
        yield Fault("currency", f"amounts are in {now.currency}, and were in {trained.currency}")
    other = sorted(set(now.currencies) - set(trained.currencies))
    if trained.currencies and other:
        before = ", ".join(trained.currencies)
        yield Fault("currency", f"amounts are in {', '.join(other)}, of which there was none before (only {before})")

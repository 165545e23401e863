"""What a champion loses while nobody trains another: the same recipe fitted at earlier dates, used at a later one.

Both fits are asked about the same customers on the same day; the earlier one knows nothing of what came after its own.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, groupby
from typing import NamedTuple, TypedDict

import numpy as np

from insiders.evidence import foresight, holdout
from insiders.evidence.foresight import Group
from insiders.evidence.validation import Fit
from insiders.evidence.windows import Window
from insiders.model.segment_model import SegmentModel
from insiders.units import list_size, round_each, without_nan


class AgeRecord(TypedDict):
    """What a fit of so many days ago was worth, divided by a fit of the day: means over the `pairs` of dates.

    Null where the fresh one foretold nothing, or its list brought nothing.
    """

    days: int
    pairs: int
    foresight_kept: float | None
    value_kept: float | None


class Worth(NamedTuple):
    """Foresight of a fit's segments on a day, and what the customers with its highest scores then brought."""

    foresight: float
    value: float


class _Kept(NamedTuple):
    days: int
    worth: Worth  # the old fit's / the fresh one's


def ageing(models: Sequence[Fit], share: float) -> list[AgeRecord]:
    """By age, the youngest first: over all pairs of one recipe's fits, of which the earliest comes first."""
    kept = sorted(_kept(models, share))
    return [_record(days, [each.worth for each in pairs]) for days, pairs in groupby(kept, key=lambda each: each.days)]


def _kept(models: Sequence[Fit], share: float) -> Iterator[_Kept]:
    for (then, old), (now, fresh) in combinations(models, 2):
        days = (now.customers["as_of"].iloc[0] - then.customers["as_of"].iloc[0]).days
        yield _Kept(days, _divided(worth(old, now, share), worth(fresh, now, share)))


def worth(model: SegmentModel, window: Window, share: float) -> Worth:
    """What a model, fitted on that day or before, is worth for the window's customers; `share` of them are listed."""
    later = window.customers["next_revenue"].to_numpy()
    before, now = (
        Group(model.label(model.embed(each)), each["next_revenue"].to_numpy())
        for each in (window.past, window.customers)
    )
    return Worth(
        foresight.of_segments(before, now).both,
        holdout.top_n_revenue(model.score(window.customers), later, list_size(share, len(later))),
    )


def _divided(old: Worth, fresh: Worth) -> Worth:
    return Worth(*(mine / theirs if theirs > 0 else float("nan") for mine, theirs in zip(old, fresh, strict=True)))


def _record(days: int, kept: list[Worth]) -> AgeRecord:
    means = dict(zip(Worth._fields, np.mean(kept, axis=0).tolist(), strict=True))
    known = without_nan(round_each(means))
    return {
        "days": days,
        "pairs": len(kept),
        "foresight_kept": known["foresight"],
        "value_kept": known["value"],
    }

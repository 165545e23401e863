"""Which action first: each with everybody whom it means, by what it should earn."""

from collections.abc import Iterable, Sequence

import pandas as pd

from insiders.programme.actions.effects import EffectNumbers, Outlook, Uplift, effect, profit
from insiders.programme.actions.targeting import Action, Match


class RankedAction(EffectNumbers):
    """An action over all segments that it fits; `gain`: its profit in the middle of the assumed uplift."""

    key: str
    audience: int
    segments: int
    gain: float


def ranked(
    matches: Sequence[Match], expected: pd.DataFrame, margin_share: float, audience_min: int
) -> list[RankedAction]:
    """The actions that mean at least `audience_min` customers, the highest gain first.

    `expected` is schemas.EXPECTATIONS. Past its break-even an action gains the more the further the uplift lies beyond
    it and the more its audience is expected to bring; the middle of what is assumed is one uplift for each.
    """
    rows = []
    for action in dict.fromkeys(match.action for match in matches):
        audiences = [match.audience for match in matches if match.action == action]
        meant = expected[expected["customer_id"].isin(_ids(audiences))]
        if len(meant) >= audience_min:
            rows.append(_row(action, len(audiences), Outlook.of(meant), margin_share))
    return sorted(rows, key=lambda row: -row["gain"])


def _ids(audiences: Iterable[pd.DataFrame]) -> "pd.Series[str]":
    return pd.concat([audience["customer_id"] for audience in audiences])


def _row(action: Action, segments: int, outlook: Outlook, margin_share: float) -> RankedAction:
    return {
        "key": action.kind,
        "audience": outlook.customers,
        "segments": segments,
        "gain": profit(action.cost, outlook, margin_share, _middle(action.uplift)),
        **effect(action.cost, outlook, margin_share, action.uplift),
    }


def _middle(uplift: Uplift) -> float:
    return (uplift.low + uplift.high) / 2

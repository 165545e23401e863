"""What is expected, what was expected, and what came."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from insiders.language import Language
from insiders.report.figures import cohorts
from insiders.report.figures.scene import Scene
from insiders.report.figures.style import (
    ENGLISH,
    INK,
    INSIDER,
    QUIET,
    RULE,
    Picture,
    amounts,
    canvas,
    name_months,
    styled,
)
from insiders.value.forecast.outlook import MonthAhead, PastMonth, SpanOutcome


def pictures(scene: Scene) -> dict[str, Picture]:
    return {**_forecast(scene), **cohorts.pictures(scene)}


def _forecast(scene: Scene) -> dict[str, Picture]:
    told, say = scene.answers["expected_revenue"], scene.language.say
    drawn = {}
    if told["months"]:
        drawn["outlook"] = Picture(
            outlook(told["past"], told["months"], scene.language),
            say("Net revenue of the Insiders, month by month"),
            say(
                "What today's Insiders brought in the full months until now, and what is expected of each month ahead: "
                "with its interval, as a sum over the members, and by the months before."
            ),
        )
    if told["backtest"]:
        drawn["backtest"] = Picture(
            backtest(told["backtest"], scene.language),
            say("Forecasts made earlier, and what came"),
            say(
                "For each earlier date: what was expected of the group chosen then, its interval, what it brought, and "
                "as much as in the quarter before."
            ),
        )
    return drawn


@styled
def outlook(past: Sequence[PastMonth], coming: Sequence[MonthAhead], language: Language = ENGLISH) -> Figure:
    """Past months and months ahead.

    A month ahead of which only a part is left is drawn as the whole month would be at the same rate.
    """
    figure, axes = canvas(left=0.14, bottom=0.13, top=0.84)
    axes.plot(range(len(past)), [row["actual"] for row in past], "-o", color=INK, ms=3.5, label=language.say("came"))
    places = np.arange(len(coming)) + len(past)
    ahead = at_whole_months(coming)
    expected = ahead["expected"]
    bars = [expected - ahead["low"], ahead["high"] - expected]
    axes.errorbar(places, expected, bars, fmt="o", color=INSIDER, capsize=4, label=language.say("expected"))
    marks: tuple[tuple[Literal["bottom_up", "top_down"], str, str], ...] = (
        ("bottom_up", "^", language.say("sum over the members")),
        ("top_down", "v", language.say("by the months before")),
    )
    for side, mark, label in marks:
        if side in ahead:
            axes.plot(places, ahead[side], mark, color=QUIET, ms=4, label=label)
    axes.axvline(len(past) - 0.5, color=RULE, lw=1)
    name_months(axes, pd.Series([row["month"] for row in (*past, *coming)]), language)
    axes.set_ylim(bottom=0)
    amounts(axes.yaxis, language)
    figure.legend(loc="upper left", ncols=2, bbox_to_anchor=(0.12, 1.0))
    return figure


def at_whole_months(coming: Sequence[MonthAhead]) -> pd.DataFrame:
    """The months ahead, with what each would bring as a whole month at the rate of the days that are left of it."""
    rows = pd.DataFrame(coming)
    rate = (rows["month_days"] / rows["days"]).where(rows["is_partial"], 1.0)
    figures = rows.select_dtypes("float").columns
    return rows.assign(**{name: rows[name] * rate for name in figures})


@styled
def backtest(rows: Sequence[SpanOutcome], language: Language = ENGLISH) -> Figure:
    """Expected with its interval, actual and naive revenue by date."""
    figure, axes = canvas(left=0.14, bottom=0.13, top=0.84)
    places = np.arange(len(rows))
    expected, low, high, actual, naive = (
        np.array([row[key] for row in rows], float) for key in ("expected", "low", "high", "actual", "naive")
    )
    axes.errorbar(places, expected, [expected - low, high - expected], fmt="o", color=QUIET, capsize=4)
    axes.plot([], [], "o", color=QUIET, label=language.say("expected"))
    axes.plot(places, naive, "_", color=INK, ms=12, label=language.say("as in the quarter before"))
    axes.plot(places, actual, "D", color=INSIDER, ms=6, label=language.say("what came"))
    name_months(axes, pd.Series([row["as_of"] for row in rows]), language)
    axes.set(ylabel=language.say("net revenue of the list"), xlim=(-0.5, len(rows) - 0.5))
    axes.set_ylim(bottom=0)
    amounts(axes.yaxis, language)
    figure.legend(loc="upper left", ncols=3, bbox_to_anchor=(0.08, 1.0))
    return figure

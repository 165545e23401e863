"""What was expected, and what came."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from insiders.figures.style import ENGLISH, INSIDER, QUIET, Picture, Scene, amounts, canvas, styled
from insiders.language import Language


def pictures(scene: Scene) -> dict[str, Picture]:
    rows, say = scene.answers["expected_revenue"]["backtest"], scene.language.say
    if not rows:
        return {}
    return {
        "backtest": Picture(
            backtest(rows, scene.language),
            say("Forecasts made earlier, and what came"),
            say("For each earlier date: what was expected of the list then named, its interval, and what it brought."),
        )
    }


@styled
def backtest(rows: Sequence[Mapping[str, Any]], language: Language = ENGLISH) -> Figure:
    """Expected with its interval against actual group revenue, by date (keys as_of, expected, low, high, actual)."""
    figure, axes = canvas(left=0.14, bottom=0.13, top=0.9)
    places = np.arange(len(rows))
    expected = np.array([row["expected"] for row in rows], float)
    low, high = (np.array([row[end] for row in rows], float) for end in ("low", "high"))
    errors = [expected - low, high - expected]
    axes.errorbar(places, expected, errors, fmt="o", color=QUIET, capsize=4, label=language.say("expected"))
    actual = [np.nan if row["actual"] is None else row["actual"] for row in rows]
    axes.plot(places, actual, "D", color=INSIDER, ms=7, label=language.say("what came"))
    axes.set_xticks(places, [str(row["as_of"]) for row in rows])
    axes.set(ylabel=language.say("net revenue of the list"), xlim=(-0.5, len(rows) - 0.5))
    axes.set_ylim(bottom=0)
    amounts(axes.yaxis, language)
    figure.legend(loc="upper left", ncols=2, bbox_to_anchor=(0.12, 1.0))
    return figure

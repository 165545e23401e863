"""The picture of the first screen: what the members brought and should bring, and how many they were."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from insiders.language import Language
from insiders.report.figures import leave
from insiders.report.figures.expected_revenue import at_whole_months
from insiders.report.figures.scene import Scene
from insiders.report.figures.style import (
    ENGLISH,
    INK,
    INSIDER,
    Picture,
    amounts,
    canvas,
    name_months,
    styled,
)
from insiders.report.numbers import ExpectedRevenueNumbers

HEIGHT = 2.05  # inches: with nine tiles above it the screen is full


def pictures(scene: Scene) -> dict[str, Picture]:
    return {**_revenue(scene), **_members(scene)}


def _revenue(scene: Scene) -> dict[str, Picture]:
    expected, say = scene.answers["expected_revenue"], scene.language.say
    if not expected["months"]:
        return {}
    return {
        "summary_revenue": Picture(
            revenue(expected, scene.language),
            say("What today's members brought by month, and what the next months should bring"),
            say("A bar for each full month; for the months ahead a dot with the range in which the revenue is likely."),
        )
    }


def _members(scene: Scene) -> dict[str, Picture]:
    checks, say = scene.answers["leave"]["months"], scene.language.say
    if not checks:
        return {}
    return {
        "summary_members": Picture(
            leave.programme(pd.DataFrame(checks), scene.language, HEIGHT),
            say("Members by month: who stayed, joined and left"),
            leave.described(scene.language),
        )
    }


@styled
def revenue(expected: ExpectedRevenueNumbers, language: Language = ENGLISH) -> Figure:
    """Bars of the past months, and each month ahead with its range, at the rate of a whole month."""
    figure, axes = canvas(left=0.12, bottom=0.2, top=0.87, height=HEIGHT)
    past, coming, say = expected["past"], at_whole_months(expected["months"]), language.say
    axes.bar(range(len(past)), [row["actual"] for row in past], color=INSIDER, width=0.8, label=say("came"))
    places = np.arange(len(coming)) + len(past)
    bars = [coming["expected"] - coming["low"], coming["high"] - coming["expected"]]
    axes.errorbar(places, coming["expected"], bars, fmt="o", color=INK, capsize=4, label=say("expected"))
    name_months(axes, pd.Series([*(row["month"] for row in past), *coming["month"]]), language)
    axes.set_ylim(bottom=0)
    amounts(axes.yaxis, language)
    figure.legend(loc="upper left", ncols=2, bbox_to_anchor=(0.08, 1.04))
    return figure

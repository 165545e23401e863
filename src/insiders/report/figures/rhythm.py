"""When the Insiders and the others order."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from insiders.language import Language
from insiders.report.figures.style import ENGLISH, INSIDER, OTHER, Picture, Scene, canvas, shares, styled


def pictures(scene: Scene) -> dict[str, Picture]:
    told, language = scene.answers["traits"], scene.language
    drawn: dict[str, Picture] = {}
    if told["count"] and told["weekdays"]:
        drawn["weekdays"] = Picture(
            columns(told["weekdays"], [language.weekday(row["weekday"]) for row in told["weekdays"]], language),
            language.say("On which days they order"),
            language.say("For each day of the week two bars: its share of the Insiders' orders and of the others'."),
        )
    if told["count"] and told["hours"]:
        drawn["hours"] = Picture(
            columns(told["hours"], [language.count(row["hour"]) for row in told["hours"]], language),
            language.say("At which hour they order"),
            language.say("For each hour of the day two bars: its share of the Insiders' orders and of the others'."),
        )
    return drawn


@styled
def columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str], language: Language = ENGLISH) -> Figure:
    """Two bars at each name: the share of the Insiders' orders and of the others' (keys insiders, others)."""
    figure, axes = canvas(left=0.13, bottom=0.12, top=0.88, height=2.6)
    spots = np.arange(len(rows))
    sides = (
        ("insiders", -0.2, INSIDER, language.say("Insiders")),
        ("others", 0.2, OTHER, language.say("other customers")),
    )
    for side, offset, color, label in sides:
        axes.bar(spots + offset, [row[side] for row in rows], 0.38, color=color, label=label)
    axes.set_xticks(spots, names)
    axes.set(ylabel=language.say("share of the orders"))
    shares(axes.yaxis, language)
    figure.legend(loc="upper left", ncols=2, bbox_to_anchor=(0.1, 1.0))
    return figure

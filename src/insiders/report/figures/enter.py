"""The rule to enter beside the list that it describes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from insiders.language import Language
from insiders.programme import rules
from insiders.programme.rules import PlainCondition
from insiders.report.figures.scene import Scene
from insiders.report.figures.style import (
    ENGLISH,
    INK,
    INSIDER,
    OTHER,
    Picture,
    amounts,
    canvas,
    styled,
)

FLOOR = 20  # what is below this part of the lowest threshold is drawn there
ALL_TIME = "net_revenue"
Ways = Sequence[Sequence[PlainCondition]]


def pictures(scene: Scene) -> dict[str, Picture]:
    ways, say = scene.answers["enter"]["ways"], scene.language.say
    if not ways:
        return {}
    return {
        "enter_rule": Picture(
            enter_rule(scene.members, ways, scene.labels, scene.language),
            say("The rule to enter, and the list"),
            say(
                "Each dot is a customer, by the figures that the rule looks at most; lines are its thresholds. Filled "
                "dots are Insiders who meet the rule, rings Insiders who miss it, crosses others who meet it."
            ),
        )
    }


@styled
def enter_rule(members: pd.DataFrame, ways: Ways, labels: Mapping[str, str], language: Language = ENGLISH) -> Figure:
    """Customers by the (at most two) figures that the rule looks at most, with its thresholds.

    `members` holds the columns of the rule and `is_insider`; `ways` is the rule in plain values.
    """
    figure, axes = canvas(left=0.14, top=0.86)
    columns = _looked_at(ways)
    places = {column: _placed(members[column], _thresholds(ways, column)) for column in columns}
    _dots(axes, places[columns[0]], places[columns[1]], _kinds(members, ways), language)
    for column, axis, line in zip(columns, (axes.xaxis, axes.yaxis), (axes.axvline, axes.axhline), strict=True):
        for threshold in _thresholds(ways, column):
            line(threshold, color=INK, lw=0.8, ls="--")
        amounts(axis, language)
        axis.set_minor_formatter(NullFormatter())
        axis.set_minor_locator(NullLocator())
    axes.set(xlabel=labels[columns[0]], ylabel=labels[columns[1]])
    figure.legend(loc="upper left", markerscale=1.5, ncols=2, bbox_to_anchor=(0.1, 1.0))
    return figure


def _looked_at(ways: Ways) -> list[str]:
    """Two figures: those that most conditions concern, all-time revenue before others; where there is one, one more."""
    asked = Counter(each["column"] for way in ways for each in way)
    ranked = sorted(asked, key=lambda column: (-asked[column], column != ALL_TIME))
    return list(dict.fromkeys([*ranked, ALL_TIME, "recency_days"]))[:2]


def _thresholds(ways: Ways, column: str) -> list[float]:
    return sorted({each["threshold"] for way in ways for each in way if each["column"] == column})


def _placed(values: pd.Series, thresholds: Sequence[float]) -> np.ndarray:
    """Values for a logarithmic axis: what is far below the thresholds stands at its end."""
    positive = values[values > 0]
    lowest = min(thresholds, default=float(positive.median()) if len(positive) else 1.0)
    return np.maximum(values.to_numpy(float), lowest / FLOOR)


def _kinds(members: pd.DataFrame, ways: Ways) -> dict[str, np.ndarray]:
    inside, met = members["is_insider"].to_numpy(bool), rules.meets(rules.from_plain(ways), members)
    return {
        "neither": ~inside & ~met,
        "both": inside & met,
        "list": inside & ~met,
        "rule": met & ~inside,
    }


def _dots(axes: Axes, x: np.ndarray, y: np.ndarray, kinds: Mapping[str, np.ndarray], language: Language) -> None:
    say = language.say
    crowd: dict[str, Any] = {"lw": 0, "rasterized": True}
    looks: dict[str, dict[str, Any]] = {
        "neither": {**crowd, "s": 6, "c": OTHER, "alpha": 0.5, "label": say("other customers")},
        "both": {**crowd, "s": 11, "c": INSIDER, "alpha": 0.7, "label": say("Insiders who meet it")},
        "rule": {"s": 20, "c": INK, "lw": 1, "marker": "x", "label": say("others who meet it")},
        "list": {"s": 20, "facecolors": "none", "edgecolors": INSIDER, "lw": 1, "label": say("Insiders who miss it")},
    }
    for kind, look in looks.items():
        axes.scatter(x[kinds[kind]], y[kinds[kind]], **look)
    axes.set(xscale="log", yscale="log")

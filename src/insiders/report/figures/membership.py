"""The rule to enter beside the list that it describes, and the programme month by month."""

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
from insiders.report.figures.revenue import month_names
from insiders.report.figures.style import (
    ENGLISH,
    INK,
    INSIDER,
    OTHER,
    QUIET,
    RULE,
    Picture,
    Scene,
    amounts,
    canvas,
    styled,
)

FLOOR = 20  # what is below this part of the lowest threshold is drawn there
STEPS_NAMED = 13  # at most so many checks named below an axis
ALL_TIME = "net_revenue"
Ways = Sequence[Sequence[PlainCondition]]


def pictures(scene: Scene) -> dict[str, Picture]:
    ways, checks, say = scene.answers["enter"]["ways"], scene.answers["leave"]["months"], scene.language.say
    found: dict[str, Picture] = {}
    if ways:
        found["enter_rule"] = Picture(
            enter_rule(scene.members, ways, scene.labels, scene.language),
            say("The rule to enter, and the list"),
            say(
                "Each dot is a customer, by the figures that the rule looks at most; lines are its thresholds. Filled "
                "dots are Insiders who meet the rule, rings Insiders who miss it, crosses others who meet it."
            ),
        )
    if checks:
        found["programme"] = Picture(
            programme(pd.DataFrame(checks), scene.language),
            say("Members by month, had today's rules held before"),
            say(
                "Stacked bars for each check: members who stayed, are in grace, joined or returned; below the line "
                "those who left."
            ),
        )
    return found


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


@styled
def programme(checks: pd.DataFrame, language: Language = ENGLISH) -> Figure:
    """Members at each check (columns as_of, stayed, in_grace, joined, returned, left); below the line who left."""
    figure, axes = canvas(left=0.12, bottom=0.13, top=0.88)
    say = language.say
    places = np.arange(len(checks))
    below = np.zeros(len(checks))
    layers = {
        "stayed": (INSIDER, say("stayed")),
        "in_grace": ("#f2b48a", say("in grace")),
        "joined": (OTHER, say("joined")),
        "returned": (QUIET, say("returned")),
    }
    for column, (color, label) in layers.items():
        axes.bar(places, checks[column], bottom=below, color=color, width=0.8, label=label)
        below = below + checks[column].to_numpy(float)
    axes.bar(places, -checks["left"], color=INK, width=0.8, label=say("left"))
    axes.axhline(0, color=RULE, lw=0.8)
    step = -(-len(checks) // STEPS_NAMED) or 1
    axes.set_xticks(places[::step], _check_names(checks["as_of"], language)[::step])
    axes.set(ylabel=say("members"))
    amounts(axes.yaxis, language)
    figure.legend(loc="upper left", ncols=5, bbox_to_anchor=(0.08, 1.0), columnspacing=1.0, handlelength=1.2)
    return figure


def _check_names(days: pd.Series, language: Language) -> list[str]:
    """Months; a last check in the month of the one before is the present."""
    names = month_names(days, language)
    if len(days) > 1 and days.iloc[-1][:7] == days.iloc[-2][:7]:
        names[-1] = "\n" + language.say("now")  # below: beside the month before there is no room
    return names

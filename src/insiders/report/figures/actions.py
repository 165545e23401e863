"""What an action must bring to pay, and how much better recommendations are than what is bought most."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypedDict

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from insiders.language import Language
from insiders.report.figures.scene import Scene
from insiders.report.figures.style import ENGLISH, INK, INSIDER, OTHER, QUIET, Picture, canvas, shares, styled
from insiders.report.numbers import Quality

TIMES = "\N{MULTIPLICATION SIGN}"
Measure = Literal["hit_rate", "recall", "ndcg"]


class UpliftBar(TypedDict):
    """The assumed uplift of an action, and the uplift from which on it pays: null where it never does."""

    label: str
    uplift_low: float
    uplift_high: float
    break_even_uplift: float | None


class Comparison(NamedTuple):
    """Recommendations against what is bought most; `low` and `high` are the ends of the ratio of the recalls."""

    ours: Quality
    theirs: Quality
    low: float | None
    high: float | None
    goal: float


def pictures(scene: Scene) -> dict[str, Picture]:
    return {**_break_even(scene), **_recommendations(scene)}


def _break_even(scene: Scene) -> dict[str, Picture]:
    rows, say = _uplifts(scene), scene.language.say
    if not rows:
        return {}
    return {
        "break_even": Picture(
            break_even(rows, scene.language),
            say("What an action must bring to pay"),
            say("For each action: the assumed uplift as a bar, and the uplift from which on it pays."),
        )
    }


def _uplifts(scene: Scene) -> list[UpliftBar]:
    say = scene.language.say
    names = {
        "perks": say("perks"),
        "company_visit": say("visit"),
        "free_shipping": say("free shipping"),
        "cross_sell": say("cross-selling"),
        "discount": say("voucher"),
        "win_back": say("win back"),
    }
    return [
        {
            "label": names[each["key"]],
            "uplift_low": each["uplift_low"],
            "uplift_high": each["uplift_high"],
            "break_even_uplift": each["break_even_uplift"],
        }
        for each in scene.answers["actions"]["ranked"]
        if each["key"] in names and each["uplift_low"] is not None and each["uplift_high"] is not None
    ]


def _recommendations(scene: Scene) -> dict[str, Picture]:
    found, say = scene.answers["actions"]["recommendations"], scene.language.say
    if not (found["neighbours"] and found["popularity"]):
        return {}
    ends = (found["ratio_low"], found["ratio_high"])
    compared = Comparison(found["neighbours"], found["popularity"], *ends, found["ratio_min"])
    return {
        "recommendations": Picture(
            recommendations(compared, scene.language),
            say("Recommendations against what is bought most"),
            say("For each measure, how many times that of the popular products the recommendations reached."),
        )
    }


def _measures(language: Language) -> dict[Measure, str]:
    return {
        "hit_rate": language.say("customers reached"),
        "recall": language.say("new products found"),
        "ndcg": language.say("the same, in order"),
    }


@styled
def break_even(rows: Sequence[UpliftBar], language: Language = ENGLISH) -> Figure:
    """A mark beyond the picture stands at its edge, as an arrow; where an action never pays there is none."""
    height = 0.9 + 0.42 * len(rows)
    figure, axes = canvas(left=0.46, right=0.95, bottom=0.6 / height, height=height)
    places, edge = np.arange(len(rows))[::-1], 1.4 * max(row["uplift_high"] for row in rows) or 1.0
    lows, highs = ([row[end] for row in rows] for end in ("uplift_low", "uplift_high"))
    axes.barh(places, np.subtract(highs, lows), left=lows, height=0.55, color=OTHER, alpha=0.55)
    for place, row in zip(places, rows, strict=True):
        needed = row["break_even_uplift"]
        if needed is not None:
            inside = needed <= edge
            axes.plot(min(needed, edge), place, marker="D" if inside else ">", color=INSIDER, ms=6, clip_on=False)
    axes.set_yticks(places, [row["label"] for row in rows])
    axes.set_xlim(0, edge)
    axes.set_xlabel(language.say("uplift: assumed (bar), needed (mark)"))
    shares(axes.xaxis, language)
    return figure


@styled
def recommendations(compared: Comparison, language: Language = ENGLISH) -> Figure:
    """Ratios of the measures; the recall's with its interval."""
    figure, axes = canvas(left=0.34, right=0.93, bottom=0.24, height=2.2)
    ours, theirs, low, high, goal = compared
    labels = _measures(language)
    shown = [name for name in labels if theirs[name]]
    places = np.arange(len(shown))[::-1]
    ratios = [ours[name] / theirs[name] for name in shown]
    axes.hlines(places, 1, ratios, color=INSIDER, lw=2, alpha=0.4)
    axes.scatter(ratios, places, s=50, c=INSIDER, zorder=3)
    if "recall" in shown and low is not None and high is not None:
        axes.hlines(places[shown.index("recall")], low, high, color=INK, lw=1.2, zorder=4)
    axes.axvline(1, color=INK, lw=1)
    axes.axvline(goal, color=QUIET, lw=1, ls="--")
    for place, ratio in zip(places, ratios, strict=True):
        text = f"{language.ratio(ratio, 1)}{TIMES}"
        axes.annotate(text, (ratio, place), (0, 7), textcoords="offset points", ha="center", fontsize=8.5)
    axes.set_yticks(places, [labels[name] for name in shown])
    axes.set_xlim(0, 1.15 * max([*ratios, high or 1, goal]))
    axes.set_ylim(-0.5, len(shown) - 0.3)
    axes.set_xlabel(language.say("as a multiple of what is bought most; dashed: the goal"))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{language.number(x, 1)}{TIMES}"))
    return figure

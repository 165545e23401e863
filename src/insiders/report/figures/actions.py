"""What an action must bring to pay, and how much better recommendations are than what is bought most."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from insiders.language import Language
from insiders.report.figures.scene import Scene
from insiders.report.figures.style import ENGLISH, INK, INSIDER, OTHER, QUIET, Picture, canvas, shares, styled

TIMES = "\N{MULTIPLICATION SIGN}"
MEASURES = ("hit_rate", "recall", "ndcg")


def pictures(scene: Scene) -> dict[str, Picture]:
    told, say = scene.answers["actions"], scene.language.say
    names = {
        "perks": say("perks"),
        "company_visit": say("visit"),
        "free_shipping": say("free shipping"),
        "cross_sell": say("cross-selling"),
        "discount": say("voucher"),
        "win_back": say("win back"),
    }
    rows = [
        {**each, "label": f"{names[each['key']]}\n{scene.language.segment(row['segment'])}"}
        for row in told["segments"]
        for each in row["do"]
        if each["key"] in names
    ]
    found = told["recommendations"]
    drawn = {}
    if rows:
        drawn["break_even"] = Picture(
            break_even(rows, scene.language),
            say("What an action must bring to pay"),
            say("For each action and segment: the assumed uplift as a bar, and the uplift from which on it pays."),
        )
    if found["neighbours"]:
        drawn["recommendations"] = Picture(
            recommendations(found, _measures(say), scene.language),
            say("Recommendations against what is bought most"),
            say("For each measure, how many times that of the popular products the recommendations reached."),
        )
    return drawn


def _measures(say: Any) -> dict[str, str]:
    return {
        "hit_rate": say("customers reached"),
        "recall": say("new products found"),
        "ndcg": say("the same, in order"),
    }


@styled
def break_even(rows: Sequence[Mapping[str, Any]], language: Language = ENGLISH) -> Figure:
    """A bar for the assumed uplift of each row (keys label, uplift_low, uplift_high), a mark at break_even_uplift.

    A mark beyond the picture stands at its edge, as an arrow; where an action never pays there is none.
    """
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
def recommendations(found: Mapping[str, Any], labels: Mapping[str, str], language: Language = ENGLISH) -> Figure:
    """Ratios of the MEASURES of neighbours and popularity; the recall's with its interval."""
    figure, axes = canvas(left=0.34, right=0.93, bottom=0.24, height=2.2)
    shown = [name for name in MEASURES if found["popularity"][name]]
    places = np.arange(len(shown))[::-1]
    ratios = [found["neighbours"][name] / found["popularity"][name] for name in shown]
    axes.hlines(places, 1, ratios, color=INSIDER, lw=2, alpha=0.4)
    axes.scatter(ratios, places, s=50, c=INSIDER, zorder=3)
    if "recall" in shown and found["ratio_high"] is not None:
        axes.hlines(places[shown.index("recall")], found["ratio_low"], found["ratio_high"], color=INK, lw=1.2, zorder=4)
    axes.axvline(1, color=INK, lw=1)
    axes.axvline(found["ratio_min"], color=QUIET, lw=1, ls="--")
    for place, ratio in zip(places, ratios, strict=True):
        text = f"{language.ratio(ratio, 1)}{TIMES}"
        axes.annotate(text, (ratio, place), (0, 7), textcoords="offset points", ha="center", fontsize=8.5)
    axes.set_yticks(places, [labels[name] for name in shown])
    axes.set_xlim(0, 1.15 * max([*ratios, found["ratio_high"] or 1, found["ratio_min"]]))
    axes.set_ylim(-0.5, len(shown) - 0.3)
    axes.set_xlabel(language.say("as a multiple of what is bought most; dashed: the goal"))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{language.number(x, 1)}{TIMES}"))
    return figure

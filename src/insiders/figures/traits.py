"""What sets the Insiders apart."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from insiders.figures.style import ENGLISH, INK, INSIDER, Picture, Scene, canvas, styled
from insiders.language import Language

TIMES = "\N{MULTIPLICATION SIGN}"


def pictures(scene: Scene) -> dict[str, Picture]:
    told, say = scene.answers["traits"], scene.language.say
    if not told["count"]:
        return {}
    medians = [{**row, "label": scene.labels[row["trait"]]} for row in told["medians"]]
    return {
        "traits": Picture(
            traits(medians, scene.language),
            say("Insiders compared with the others"),
            say("For each trait, how many times the other customers' median the Insiders' median is."),
        )
    }


@styled
def traits(rows: Sequence[Mapping[str, Any]], language: Language = ENGLISH) -> Figure:
    """How many times the others' median the Insiders' is, on a log scale (keys label, ratio); no ratio, no dot."""
    shown = [row for row in rows if row["ratio"] is not None and row["ratio"] > 0][::-1]
    figure, axes = canvas(left=0.4, right=0.93, bottom=0.14, height=0.7 + 0.34 * max(len(shown), 1))
    ratios = [row["ratio"] for row in shown]
    places = np.arange(len(shown))
    axes.hlines(places, 1, ratios, color=INSIDER, lw=2, alpha=0.4)
    axes.scatter(ratios, places, s=50, c=INSIDER, zorder=3)
    axes.axvline(1, color=INK, lw=1)
    for place, ratio in zip(places, ratios, strict=True):
        more = ratio >= 1
        axes.annotate(f"{language.ratio(ratio, 1)}{TIMES}", (ratio, place), (7 if more else -7, 0), **_beside(more))
    axes.set_yticks(places, [row["label"] for row in shown])
    axes.set(xscale="log", xlabel=language.say("Insiders' median as a multiple of the others'"))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{language.number(x, 3)}{TIMES}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(min([1, *ratios]) / 4, max([1, *ratios]) * 3)
    return figure


def _beside(right: bool) -> dict[str, Any]:
    return {"textcoords": "offset points", "va": "center", "ha": "left" if right else "right", "fontsize": 8.5}

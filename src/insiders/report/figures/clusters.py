"""How well the groups are apart: a blade of silhouettes for each, and a map of the distances between their centres."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from insiders.language import Language
from insiders.report.figures.style import ENGLISH, INK, INSIDER, OTHER, QUIET, SIZE, Picture, canvas, styled

GAP = 0.02  # between two blades, as a share of the customers drawn
LARGEST = 0.2  # diameter of the circle of the largest group, as a share of the drawing's width
Group = Mapping[str, Any]  # explore.clusters.GroupNumbers


def pictures(groups: Sequence[Group], values: pd.DataFrame, mean: float, language: Language) -> dict[str, Picture]:
    say = language.say
    return {
        "silhouettes": Picture(
            silhouettes(groups, values, mean, language),
            say("How well each customer fits their group"),
            say(
                "One blade for each group: its customers' silhouettes, the best fitting on top. What reaches left of "
                "zero would fit another group better; the dotted line is the mean of all."
            ),
        ),
        "distances": Picture(
            distances(groups),
            say("How far the groups lie apart"),
            say(
                "A circle for each group at its centre, its area by its customers: the closer two circles, the more "
                "alike their customers. Those of which most are Insiders are marked by colour."
            ),
        ),
    }


@styled
def silhouettes(groups: Sequence[Group], values: pd.DataFrame, mean: float, language: Language = ENGLISH) -> Figure:
    """A blade for each group in its order, the first on top; the numbers are those of the table."""
    figure, axes = canvas(left=0.07, bottom=0.14, height=1.2 + 0.34 * len(groups))
    top, gap = 0.0, GAP * len(values)
    for number, group in enumerate(groups, start=1):
        own = np.sort(values.loc[values["segment"] == group["segment"], "silhouette"].to_numpy(float))[::-1]
        rows = top + np.arange(len(own) + 1)
        blade = np.append(own, own[-1])
        axes.fill_betweenx(rows, 0, blade, step="post", color=_color(group), lw=0)
        axes.text(0.02, top + len(own) / 2, language.count(number), transform=axes.get_yaxis_transform(), va="center")
        top += len(own) + gap
    axes.axvline(mean, color=INK, lw=1.2, ls=":")
    axes.axvline(0, color=QUIET, lw=0.8)
    axes.set_ylim(top, -gap)
    axes.set_xlim(min(-0.1, float(values["silhouette"].min())) - 0.12, None)
    axes.set(xlabel=language.say("silhouette"))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_formatter(lambda value, _: language.ratio(value, 1))
    return figure


@styled
def distances(groups: Sequence[Group]) -> Figure:
    """Circles at the centres, the largest first, so that none hides behind another."""
    figure, axes = canvas(left=0.02, right=0.98, bottom=0.02, top=0.98)
    spots = np.array([(group["x"], group["y"]) for group in groups])
    largest = max(group["customers"] for group in groups)
    for number, group in sorted(enumerate(groups, start=1), key=lambda each: -each[1]["customers"]):
        share = group["customers"] / largest
        axes.scatter(group["x"], group["y"], s=_area(figure, share), color=_color(group), alpha=0.75, lw=0)
        axes.annotate(str(number), (group["x"], group["y"]), ha="center", va="center", color=INK, weight="bold")
    _frame(axes, spots)
    return figure


def _area(figure: Figure, share: float) -> float:
    """Of a circle, in square points."""
    diameter = LARGEST * figure.get_figwidth() * 72  # points of an inch
    return diameter**2 * share


def _frame(axes: Axes, spots: np.ndarray) -> None:
    """One scale in both directions, with room for the largest circle at every edge."""
    low, high = spots.min(axis=0), spots.max(axis=0)
    reach = np.maximum((high - low) * (1 / 2 + LARGEST), math.ulp(1.0))
    width = max(reach[0], reach[1] * SIZE[0] / SIZE[1])
    for limit, centre, half in (
        (axes.set_xlim, (low + high)[0] / 2, width),
        (axes.set_ylim, (low + high)[1] / 2, width * SIZE[1] / SIZE[0]),
    ):
        limit(centre - half, centre + half)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)


def _color(group: Group) -> str:
    return INSIDER if group["is_insider"] else OTHER

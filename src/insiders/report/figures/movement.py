"""From segment to segment within a month: bands as wide as the customers who moved."""

from itertools import accumulate
from textwrap import fill
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from insiders.explore.cohorts.movement import Movement
from insiders.language import Language
from insiders.report.figures.style import ENGLISH, OTHER, PALETTE, QUIET, canvas, styled

GAP = 0.03  # between two segments, as a share of all customers
LETTERS = 22  # in a line of a segment's name
CURVE = (Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.LINETO, Path.CURVE4, Path.CURVE4, Path.CURVE4)


class Column(NamedTuple):
    """The lower ends of the segments of one side, and their heights; the first stands on top."""

    bottoms: NDArray[np.float64]
    heights: NDArray[np.float64]

    @classmethod
    def of(cls, heights: NDArray[np.float64]) -> "Column":
        steps = list(accumulate(heights + GAP))
        return cls(steps[-1] - np.array(steps), heights)


@styled
def alluvial(moved: Movement, language: Language = ENGLISH) -> Figure:
    """Those who stayed in grey, those who moved in the colour of where they came from; newcomers stand below."""
    figure, axes = canvas(left=0.02, right=0.98, bottom=0.02, top=0.94, height=4.6)
    counts = np.array([[each["customers"] for each in row["to"]] for row in moved["rows"]], float)
    flows = counts / counts.sum()
    before, after = Column.of(flows.sum(axis=1)), Column.of(flows.sum(axis=0))
    _bands(axes, moved, before, after)
    names = [
        language.say("not yet a customer") if row["segment"] is None else language.segment(row["segment"])
        for row in moved["rows"]
    ]
    _labels(axes, names, before, left=True)
    _labels(axes, [language.segment(name) for name in moved["segments"]], after, left=False)
    axes.text(0, 1.02, language.say("at a month start"), transform=axes.transAxes, color=QUIET)
    axes.text(1, 1.02, language.say("a month later"), transform=axes.transAxes, color=QUIET, ha="right")
    axes.set(xlim=(0, 1), ylim=(-GAP, max(side.bottoms[0] + side.heights[0] for side in (before, after))))
    axes.axis("off")
    return figure


def _bands(axes: Axes, moved: Movement, before: Column, after: Column) -> None:
    left, right = before.bottoms + before.heights, after.bottoms + after.heights
    everybody = sum(row["customers"] for row in moved["rows"])
    for place, row in enumerate(moved["rows"]):
        for column, each in enumerate(row["to"]):
            width, stayed = each["customers"] / everybody, each["segment"] == row["segment"]
            if width:
                color = OTHER if stayed else PALETTE[place % len(PALETTE)]
                axes.add_patch(_band(left[place], right[column], width, color))
                left[place], right[column] = left[place] - width, right[column] - width


def _band(left: float, right: float, width: float, color: str) -> PathPatch:
    """From the upper end `left` to the upper end `right`."""
    ends = [(0.3, left), (0.5, left), (0.5, right), (0.7, right), (0.7, right - width), (0.5, right - width)]
    path = Path([*ends, (0.5, left - width), (0.3, left - width)], CURVE)
    return PathPatch(path, facecolor=color, alpha=0.35 if color == OTHER else 0.7, lw=0)


def _labels(axes: Axes, names: list[str], column: Column, *, left: bool) -> None:
    middles = column.bottoms + column.heights / 2
    for name, height, middle in zip(names, column.heights, middles, strict=True):
        if height:
            text = fill(name, LETTERS)
            axes.text(0.29 if left else 0.71, middle, text, ha="right" if left else "left", va="center", fontsize=7.5)

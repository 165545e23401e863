"""What sets the Insiders, and every segment, apart, and when they order."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from insiders.explore.rhythm import OrderShares
from insiders.language import Language
from insiders.report.figures.scene import Scene
from insiders.report.figures.style import (
    ENGLISH,
    INK,
    INSIDER,
    OTHER,
    PALETTE,
    RULE,
    Picture,
    canvas,
    room,
    shares,
    styled,
)
from insiders.report.numbers import SegmentTraits, TraitMedians

TIMES = "\N{MULTIPLICATION SIGN}"


class LabelledMedians(TraitMedians):
    label: str


def pictures(scene: Scene) -> dict[str, Picture]:
    told = scene.answers["traits"]
    if not told["count"]:
        return {}
    return {**_differences(scene), **_rhythm(scene)}


def _differences(scene: Scene) -> dict[str, Picture]:
    told, say = scene.answers["traits"], scene.language.say
    medians: list[LabelledMedians] = [{**row, "label": scene.labels[row["trait"]]} for row in told["medians"]]
    return {
        "traits": Picture(
            traits(medians, scene.language),
            say("Insiders compared with the others"),
            say("For each trait, how many times the typical other customer the typical Insider is."),
        ),
        "places": Picture(
            places(told["segments"], scene.labels, scene.language),
            say("Where each segment stands"),
            say(
                "A line for each segment over the traits: the share of all customers who have less than its median "
                "customer. The Insiders' line is thick."
            ),
        ),
        "effects": Picture(
            effects(medians, scene.language),
            say("How far apart the Insiders and the others lie"),
            say(
                "For each trait a dot with its interval between -1 and 1: at 1 every Insider has more than every other "
                "customer, at 0 neither side has more."
            ),
        ),
    }


def _rhythm(scene: Scene) -> dict[str, Picture]:
    told, language = scene.answers["traits"], scene.language
    drawn: dict[str, Picture] = {}
    if told["weekdays"]:
        drawn["weekdays"] = Picture(
            columns(told["weekdays"], [language.weekday(row["weekday"]) for row in told["weekdays"]], language),
            language.say("On which days they order"),
            language.say("For each day of the week two bars: its share of the Insiders' orders and of the others'."),
        )
    if told["hours"]:
        drawn["hours"] = Picture(
            columns(told["hours"], [language.count(row["hour"]) for row in told["hours"]], language),
            language.say("At which hour they order"),
            language.say("For each hour of the day two bars: its share of the Insiders' orders and of the others'."),
        )
    return drawn


@styled
def traits(rows: Sequence[LabelledMedians], language: Language = ENGLISH) -> Figure:
    """How many times the others' median the Insiders' is, on a log scale; no ratio, no dot."""
    dots = [(row["label"], row["ratio"]) for row in rows if row["ratio"] is not None and row["ratio"] > 0][::-1]
    labels, ratios = [label for label, _ in dots], [ratio for _, ratio in dots]
    figure, axes = canvas(left=room(labels), right=0.93, bottom=0.14, height=0.7 + 0.34 * max(len(dots), 1))
    places = np.arange(len(dots))
    axes.hlines(places, 1, ratios, color=INSIDER, lw=2, alpha=0.4)
    axes.scatter(ratios, places, s=50, c=INSIDER, zorder=3)
    axes.axvline(1, color=INK, lw=1)
    for place, ratio in zip(places, ratios, strict=True):
        shift, side = (7, "left") if ratio >= 1 else (-7, "right")
        spot: dict[str, Any] = {"textcoords": "offset points", "va": "center", "ha": side, "fontsize": 8.5}
        axes.annotate(f"{language.ratio(ratio, 1)}{TIMES}", (ratio, place), (shift, 0), **spot)
    axes.set_yticks(places, labels)
    axes.set(xscale="log", xlabel=language.say("the typical Insider as a multiple of the others"))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{language.number(x, 3)}{TIMES}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(min([1, *ratios]) / 4, max([1, *ratios]) * 3)
    return figure


@styled
def places(segments: Sequence[SegmentTraits], labels: Mapping[str, str], language: Language = ENGLISH) -> Figure:
    """Parallel lines, one per segment, over its places in the traits."""
    names = list(segments[0]["places"])
    keys = 0.22 * -(-len(segments) // 2) + 0.15  # inches that the legend takes
    height = 0.6 + 0.3 * len(names) + keys
    left = room(labels[name] for name in names)
    figure, axes = canvas(left=left, right=0.96, bottom=0.55 / height, top=1 - keys / height, height=height)
    heights = np.arange(len(names))[::-1]
    colors = iter([color for color in PALETTE if color != PALETTE[-1]] * len(segments))
    for row in segments:
        mine = row["is_insider"]
        color = INSIDER if mine else next(colors)
        line = [row["places"][name] for name in names]
        axes.plot(
            line,
            heights,
            color=color,
            lw=2.6 if mine else 1.1,
            marker="o",
            ms=5 if mine else 3,
            label=language.segment(row["segment"]),
        )
    axes.axvline(0.5, color=RULE, lw=1, zorder=0)
    axes.set_yticks(heights, [labels[name] for name in names])
    axes.set(xlabel=language.say("share of all customers who have less"), xlim=(0, 1))
    shares(axes.xaxis, language)
    figure.legend(loc="upper left", ncols=2, bbox_to_anchor=(0.02, 1.0))
    return figure


@styled
def effects(rows: Sequence[LabelledMedians], language: Language = ENGLISH) -> Figure:
    """Cliff's delta of each trait with its interval; unknown ones are left out."""
    known = [
        (row["label"], row["delta"], row["low"], row["high"])
        for row in reversed(rows)
        if row["delta"] is not None and row["low"] is not None and row["high"] is not None
    ]
    labels, deltas, lows, highs = zip(*known, strict=True) if known else ((), (), (), ())
    figure, axes = canvas(left=room(labels), right=0.96, bottom=0.16, height=0.8 + 0.3 * max(len(known), 1))
    heights = np.arange(len(known))
    axes.axvline(0, color=INK, lw=1)
    axes.hlines(heights, lows, highs, color=INSIDER, lw=2, alpha=0.5)
    axes.scatter(deltas, heights, s=40, c=INSIDER, zorder=3)
    axes.set_yticks(heights, labels)
    axes.set(xlabel=language.say("Insiders have less (-1) or more (1) than the others"), xlim=(-1.03, 1.03))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: language.number(x, 1)))
    return figure


@styled
def columns(rows: Sequence[OrderShares], names: Sequence[str], language: Language = ENGLISH) -> Figure:
    """Two bars at each name: the share of the Insiders' orders and of the others'."""
    figure, axes = canvas(left=0.13, bottom=0.12, top=0.88, height=2.6)
    spots = np.arange(len(rows))
    sides: tuple[tuple[Literal["insiders", "others"], float, str, str], ...] = (
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

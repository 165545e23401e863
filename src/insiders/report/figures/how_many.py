"""The segments by size, and what lists of other sizes would hold."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from insiders.explore.sizes import Held, SegmentStep
from insiders.language import Language
from insiders.report.figures.scene import Scene
from insiders.report.figures.style import (
    ENGLISH,
    INK,
    INSIDER,
    OTHER,
    RULE,
    Picture,
    amounts,
    canvas,
    room,
    shares,
    styled,
)
from insiders.report.numbers import HowManyNumbers, SegmentSize

Share = Literal["net_revenue_share", "expected_share"]


def pictures(scene: Scene) -> dict[str, Picture]:
    told, say = scene.answers["how_many"], scene.language.say
    drawn = _of_sizes(told, scene)
    if told["payoff"]["cost"] is None:
        return drawn
    return drawn | {
        "profit": Picture(
            profit(told, scene.language),
            say("Profit by size"),
            say(
                "A line over the share of the customers taken, best first: what their places earn less what they cost."
            ),
        ),
    }


def _of_sizes(told: HowManyNumbers, scene: Scene) -> dict[str, Picture]:
    say = scene.language.say
    return {
        "sizes": Picture(
            sizes(told, scene.language),
            say("What lists of other sizes would hold"),
            say(
                "Two rising lines over the share of the customers taken, best first: their share of the net revenue "
                "so far, and of what is expected. Dots are lists of whole segments; the present list is marked."
            ),
        ),
        "segments": Picture(
            segments(told["segments"], scene.language),
            say("Segments by size and revenue"),
            say("For each segment two bars: its share of the customers and its share of the net revenue."),
        ),
    }


@styled
def segments(rows: Sequence[SegmentSize], language: Language = ENGLISH) -> Figure:
    """Each segment's share of the customers and of the net revenue."""
    shown = list(rows)[::-1]
    names = [language.segment(row["segment"]) for row in shown]
    figure, axes = canvas(left=room(names), right=0.92, bottom=0.12, top=0.88, height=0.9 + 0.5 * max(len(shown), 1))
    places = np.arange(len(shown))
    for offset, parts, color, label in (
        (0.2, [row["customer_share"] for row in shown], OTHER, language.say("of the customers")),
        (-0.2, [row["net_revenue_share"] for row in shown], INSIDER, language.say("of the net revenue")),
    ):
        bars = axes.barh(places + offset, parts, 0.36, color=color, label=label)
        axes.bar_label(bars, [language.share(part) for part in parts], padding=3, fontsize=8)
    axes.set_yticks(places, names)
    shares(axes.xaxis, language)
    axes.margins(x=0.12)
    figure.legend(loc="upper left", ncols=2, bbox_to_anchor=(0.1, 1.0))
    return figure


@styled
def sizes(told: HowManyNumbers, language: Language = ENGLISH) -> Figure:
    """Shares of net and expected revenue by size of the list; below, what its places would earn."""
    figure, axes = canvas(left=0.13, top=0.86)
    say, rows = language.say, told["curve"]
    taken = [row["customer_share"] for row in rows]
    axes.axvspan(told["share_min"], told["share_max"], color=RULE, alpha=0.35, lw=0)
    lines: tuple[tuple[Share, str, str], ...] = (
        ("net_revenue_share", INK, say("net revenue so far")),
        ("expected_share", OTHER, say("expected revenue")),
    )
    for column, color, label in lines:
        axes.plot(taken, [_drawn(row[column]) for row in rows], color=color, lw=1.8, label=label)
        axes.plot(*_inside(told["steps"], column, taken), "o", color=color, ms=4.5)
    _mark_own(axes, told["own"], say("this list"))
    axes.set(xlabel=say("share of the customers on the list"), ylabel=say("share of all revenue"))
    axes.set_ylim(bottom=0)
    shares(axes.xaxis, language)
    shares(axes.yaxis, language)
    figure.legend(loc="upper left", ncols=2, bbox_to_anchor=(0.1, 1.0))
    return figure


@styled
def profit(told: HowManyNumbers, language: Language = ENGLISH) -> Figure:
    """What the places of lists of each size would earn, and where that is most."""
    figure, axes = canvas(left=0.15, bottom=0.2, top=0.86, height=2.4)
    say, found, peak = language.say, told["payoff"], told["payoff"]["peak"]
    taken = [row["customer_share"] for row in told["curve"]]
    axes.axhline(0, color=RULE, lw=1)
    axes.axvspan(told["share_min"], told["share_max"], color=RULE, alpha=0.35, lw=0)
    axes.plot(taken, [_drawn(each) for each in found["curve"]], color=INK, lw=1.8, label=say("profit"))
    if peak and peak["count"] and taken and peak["customer_share"] <= taken[-1]:
        axes.plot(peak["customer_share"], peak["profit"], "o", color=OTHER, ms=7, label=say("peak"))
    _mark_own(axes, told["own"], say("this list"))
    axes.set(xlabel=say("share of the customers on the list"))
    shares(axes.xaxis, language)
    amounts(axes.yaxis, language)
    figure.legend(loc="upper left", ncols=3, bbox_to_anchor=(0.1, 1.0))
    return figure


def _mark_own(axes: Axes, own: Held | None, label: str) -> None:
    axes.set_xlim(left=0)
    if own:
        axes.axvline(own["customer_share"], color=INSIDER, lw=1.4, ls="--", label=label)


def _drawn(value: float | None) -> float:
    """Where there is no revenue to have a share of, or no cost to take off, nothing is drawn."""
    return float("nan") if value is None else value


def _inside(steps: Sequence[SegmentStep], column: Share, taken: Sequence[float]) -> tuple[list[float], list[float]]:
    """The lists of whole segments that lie in the picture."""
    shown = [step for step in steps if taken and step["customer_share"] <= taken[-1]]
    return [step["customer_share"] for step in shown], [_drawn(step[column]) for step in shown]

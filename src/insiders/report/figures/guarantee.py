"""What the list captured, beside other ways to choose, and what it brought before and after its day."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from insiders.language import Language
from insiders.report.figures import trials
from insiders.report.figures.scene import Scene
from insiders.report.figures.style import (
    ENGLISH,
    INSIDER,
    OTHER,
    QUIET,
    Picture,
    amounts,
    canvas,
    room,
    shares,
    styled,
)

OURS = ("list", "paired")  # groups of listed customers


def pictures(scene: Scene) -> dict[str, Picture]:
    return {**_judged(scene), **_search(scene)}


def _judged(scene: Scene) -> dict[str, Picture]:
    say, told = scene.language.say, scene.answers["guarantee"]
    drawn = {
        "captures": Picture(
            captures(_ways(scene), scene.language),
            say("Revenue captured in the untouched period"),
            say(
                "For each way to choose the same number of customers: the share of the next period's revenue that "
                "they brought."
            ),
        )
    }
    if told["later"]["listed"]:
        drawn["afterwards"] = Picture(
            afterwards(_groups(scene), scene.language),
            say("What the list, its look-alikes and the others brought before and after its day"),
            say(
                "For each group: net revenue per customer and 30 days before the list was made (hollow) and after it "
                "(filled), with intervals, on a scale on which equal steps are equal factors."
            ),
        )
    return drawn


def _search(scene: Scene) -> dict[str, Picture]:
    search, say = scene.answers["guarantee"]["search"], scene.language.say
    return {
        "front": Picture(
            trials.front(scene.trials, search["trial"], scene.language),
            say("Trials of the search"),
            say(
                "Each dot is a trial: stability of its list to the right, value lift over the sort upwards. Refused "
                "trials are hollow, baselines dashed, the chosen trial a star."
            ),
        ),
        "lift_by_period": Picture(
            trials.lift_by_period(scene.trials, search["trial"], search["starts"], scene.language),
            say("Value lift in each earlier period"),
            say(
                "A line for each trial over the earlier periods; the chosen list is the thick one, 1 is the sort by "
                "past revenue."
            ),
        ),
    }


def _ways(scene: Scene) -> list[dict[str, Any]]:
    rows = scene.answers["guarantee"]["captures"]
    return [{**row, "label": scene.labels[row["name"]], "is_list": row["name"] == "list"} for row in rows]


def _groups(scene: Scene) -> list[dict[str, Any]]:
    rows = scene.answers["guarantee"]["later"]["groups"]
    named = [{**row, "group": name, "label": scene.labels[f"group_{name}"]} for name, row in rows.items()]
    return [row for row in named if row["customers"]]


@styled
def captures(rows: Sequence[Mapping[str, Any]], language: Language = ENGLISH) -> Figure:
    """What each way to choose the same number of customers captured of the next period's revenue.

    Keys label, capture, is_list; and low, high where an interval is known.
    """
    shown = list(rows)[::-1]
    left, height = room(row["label"] for row in shown), 0.8 + 0.36 * max(len(shown), 1)
    figure, axes = canvas(left=left, right=0.92, bottom=0.15, height=height)
    colors = [INSIDER if row["is_list"] else OTHER for row in shown]
    bars = axes.barh(range(len(shown)), [row["capture"] for row in shown], 0.62, color=colors)
    axes.bar_label(bars, [language.share(row["capture"]) for row in shown], padding=3, fontsize=8.5)
    axes.set_yticks(range(len(shown)), [row["label"] for row in shown])
    axes.set(xlabel=language.say("share of the next period's revenue"))
    axes.margins(x=0.14)
    shares(axes.xaxis, language)
    return figure


@styled
def afterwards(rows: Sequence[Mapping[str, Any]], language: Language = ENGLISH) -> Figure:
    """Keys label, group, and before and after, each with value, low, high; what is not positive is left out."""
    shown = list(rows)[::-1]
    left, height = room(row["label"] for row in shown), 1.2 + 0.42 * max(len(shown), 1)
    figure, axes = canvas(left=left, right=0.95, bottom=0.15, top=0.87, height=height)
    for side, shift, face in (("before", 0.14, "white"), ("after", -0.14, None)):
        for place, row in enumerate(shown):
            color = INSIDER if row["group"] in OURS else OTHER
            _dot(axes, row[side], place + shift, color, face or color)
    axes.set_yticks(range(len(shown)), [row["label"] for row in shown])
    axes.set(xscale="log", xlabel=language.say("net revenue per customer and 30 days"))
    axes.set_ylim(-0.6, len(shown) - 0.4)
    amounts(axes.xaxis, language)
    axes.xaxis.set_minor_locator(NullLocator())
    marks = [Line2D([], [], marker="o", ls="", mec=QUIET, mfc=face) for face in ("white", QUIET)]
    figure.legend(marks, [language.say("before"), language.say("after")], loc="upper left", ncols=2)
    return figure


def _dot(axes: Axes, told: Mapping[str, Any], place: float, color: str, face: str) -> None:
    """A value with its interval, as far as they are positive."""
    if told["value"] is None or told["value"] <= 0:
        return
    ends = [told[end] for end in ("low", "high")]
    if None not in ends and ends[0] > 0:
        axes.hlines(place, *ends, color=color, lw=1.6)
    axes.plot(told["value"], place, "o", mec=color, mfc=face, ms=7, mew=1.4)

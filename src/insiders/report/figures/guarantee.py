"""What the list captured, beside other ways to choose, and what it brought before and after its day."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from insiders.evidence.hypotheses.groups import Group, Interval
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
from insiders.report.numbers import Capture

OURS = ("list", "paired")  # groups of listed customers


class CaptureBar(Capture):
    label: str
    is_list: bool


class GroupDots(Group):
    group: str
    label: str


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
    if not search["folds"]:
        return {}
    return {
        "front": Picture(
            trials.front(scene.trials, search["trial"], scene.language),
            say("Trials of the search"),
            say(
                "Each dot is a trial: stability of its segments to the right, foresight upwards. Refused trials are "
                "hollow, the cells of RFM dashed, the chosen trial a star."
            ),
        ),
        "foresight_by_period": Picture(
            trials.foresight_by_period(scene.trials, search["trial"], search["starts"], scene.language),
            say("Foresight in each earlier period"),
            say(
                "A line for each trial over the earlier periods; the chosen segments are the thick one, the cells of "
                "RFM the dashed one."
            ),
        ),
    }


def _ways(scene: Scene) -> list[CaptureBar]:
    rows = scene.answers["guarantee"]["captures"]
    return [{**row, "label": scene.labels[row["name"]], "is_list": row["name"] == "list"} for row in rows]


def _groups(scene: Scene) -> list[GroupDots]:
    rows = scene.answers["guarantee"]["later"]["groups"]
    return [
        {**row, "group": name, "label": scene.labels[f"group_{name}"]} for name, row in rows.items() if row["customers"]
    ]


@styled
def captures(rows: Sequence[CaptureBar], language: Language = ENGLISH) -> Figure:
    """What each way to choose the same number of customers captured of the next period's revenue."""
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
def afterwards(rows: Sequence[GroupDots], language: Language = ENGLISH) -> Figure:
    """What is not positive is left out."""
    shown = list(rows)[::-1]
    left, height = room(row["label"] for row in shown), 1.2 + 0.42 * max(len(shown), 1)
    figure, axes = canvas(left=left, right=0.95, bottom=0.15, top=0.87, height=height)
    colors = [INSIDER if row["group"] in OURS else OTHER for row in shown]
    for place, (row, color) in enumerate(zip(shown, colors, strict=True)):
        _dot(axes, row["before"], place + 0.14, color, "white")
    for place, (row, color) in enumerate(zip(shown, colors, strict=True)):
        _dot(axes, row["after"], place - 0.14, color, color)
    axes.set_yticks(range(len(shown)), [row["label"] for row in shown])
    axes.set(xscale="log", xlabel=language.say("net revenue per customer and 30 days"))
    axes.set_ylim(-0.6, len(shown) - 0.4)
    amounts(axes.xaxis, language)
    axes.xaxis.set_minor_locator(NullLocator())
    marks = [Line2D([], [], marker="o", ls="", mec=QUIET, mfc=face) for face in ("white", QUIET)]
    figure.legend(marks, [language.say("before"), language.say("after")], loc="upper left", ncols=2)
    return figure


def _dot(axes: Axes, figure: Interval, place: float, color: str, face: str) -> None:
    """A value with its interval, as far as they are positive."""
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None or value <= 0:
        return
    if low is not None and high is not None and low > 0:
        axes.hlines(place, low, high, color=color, lw=1.6)
    axes.plot(value, place, "o", mec=color, mfc=face, ms=7, mew=1.4)

"""What the list captured, beside other ways to choose."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from insiders.figures.style import ENGLISH, INSIDER, OTHER, Picture, Scene, canvas, shares, styled
from insiders.language import Language


def pictures(scene: Scene) -> dict[str, Picture]:
    say = scene.language.say
    ways = [
        {**row, "label": scene.labels[row["name"]], "is_list": row["name"] == "list"}
        for row in scene.answers["guarantee"]["captures"]
    ]
    return {
        "captures": Picture(
            captures(ways, scene.language),
            say("Revenue captured in the untouched period"),
            say(
                "For each way to choose the same number of customers: the share of the next period's revenue that "
                "they brought."
            ),
        )
    }


@styled
def captures(rows: Sequence[Mapping[str, Any]], language: Language = ENGLISH) -> Figure:
    """What each way to choose the same number of customers captured of the next period's revenue.

    Keys label, capture, is_list; and low, high where an interval is known.
    """
    shown = list(rows)[::-1]
    figure, axes = canvas(left=0.33, right=0.92, bottom=0.15, height=0.8 + 0.36 * max(len(shown), 1))
    colors = [INSIDER if row["is_list"] else OTHER for row in shown]
    bars = axes.barh(range(len(shown)), [row["capture"] for row in shown], 0.62, color=colors)
    axes.bar_label(bars, [language.share(row["capture"]) for row in shown], padding=3, fontsize=8.5)
    axes.set_yticks(range(len(shown)), [row["label"] for row in shown])
    axes.set(xlabel=language.say("share of the next period's revenue"))
    axes.margins(x=0.14)
    shares(axes.xaxis, language)
    return figure

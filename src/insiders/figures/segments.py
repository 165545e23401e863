"""The segments by size."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from insiders.figures.style import ENGLISH, INSIDER, OTHER, Picture, Scene, canvas, shares, styled
from insiders.language import Language


def pictures(scene: Scene) -> dict[str, Picture]:
    say = scene.language.say
    return {
        "segments": Picture(
            segments(scene.answers["how_many"]["segments"], scene.language),
            say("Segments by size and revenue"),
            say("For each segment two bars: its share of the customers and its share of the net revenue."),
        )
    }


@styled
def segments(rows: Sequence[Mapping[str, Any]], language: Language = ENGLISH) -> Figure:
    """Each segment's share of the customers and of the net revenue (keys segment, customer_share, ...)."""
    shown = list(rows)[::-1]
    names = [language.segment(row["segment"]) for row in shown]
    left = min(0.06 + 0.0135 * max(map(len, names), default=0), 0.55)
    figure, axes = canvas(left=left, right=0.92, bottom=0.12, top=0.88, height=0.9 + 0.5 * max(len(shown), 1))
    places = np.arange(len(shown))
    for offset, column, color, label in (
        (0.2, "customer_share", OTHER, language.say("of the customers")),
        (-0.2, "net_revenue_share", INSIDER, language.say("of the net revenue")),
    ):
        bars = axes.barh(places + offset, [row[column] for row in shown], 0.36, color=color, label=label)
        axes.bar_label(bars, [language.share(row[column]) for row in shown], padding=3, fontsize=8)
    axes.set_yticks(places, names)
    shares(axes.xaxis, language)
    axes.margins(x=0.12)
    figure.legend(loc="upper left", ncols=2, bbox_to_anchor=(0.1, 1.0))
    return figure

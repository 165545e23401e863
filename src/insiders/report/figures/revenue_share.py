"""Where the revenue comes from, and when."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

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
    name_months,
    shares,
    styled,
)
from insiders.report.numbers import RevenueShareNumbers


def pictures(scene: Scene) -> dict[str, Picture]:
    told, say = scene.answers["revenue_share"], scene.language.say
    return {
        "lorenz": Picture(
            lorenz(told, scene.language),
            say("Concentration of revenue"),
            say(
                "Share of the net revenue that the best share of the customers holds; the Insiders are marked as a "
                "point."
            ),
        ),
        "months": Picture(
            months(pd.DataFrame(told["months"]), scene.language),
            say("Net revenue by month"),
            say("Stacked bars for each month: Insiders and other customers. Hatched months are covered only in part."),
        ),
    }


@styled
def lorenz(told: RevenueShareNumbers, language: Language = ENGLISH) -> Figure:
    """Share of net revenue held by the best share of customers; the Insiders as a point."""
    figure, axes = canvas(left=0.13)
    rows, say = told["lorenz"], language.say
    axes.plot([0, 1], [0, 1], color=RULE, lw=1, label=say("if all were equal"))
    customers, held = ([row[column] for row in rows] for column in ("customers", "held"))
    axes.plot(customers, held, color=INK, lw=1.6, label=say("customers, best first"))
    size, share = told["customer_share"], told["net_revenue_share"]
    if told["count"] and rows and share is not None:
        axes.plot(size, share, "o", color=INSIDER, ms=9, label=say("Insiders"))
        axes.vlines(size, 0, share, color=INSIDER, lw=0.8, ls=":")
    axes.set(xlabel=say("share of customers"), ylabel=say("share of net revenue"), xlim=(0, 1), ylim=(0, 1.03))
    shares(axes.xaxis, language)
    shares(axes.yaxis, language)
    axes.legend(loc="lower right")
    return figure


@styled
def months(revenue: pd.DataFrame, language: Language = ENGLISH) -> Figure:
    """Net revenue by month (columns month, insiders, others, is_partial); a partial month is hatched."""
    figure, axes = canvas(left=0.14, bottom=0.13, top=0.9)
    places = np.arange(len(revenue))
    partial = revenue["is_partial"].to_numpy(bool)
    below = np.zeros(len(revenue))
    for column, color in (("insiders", INSIDER), ("others", OTHER)):
        bars = axes.bar(places, revenue[column], bottom=below, color=color, width=0.8)
        below = below + revenue[column].to_numpy(float)
        for bar in np.array(bars, dtype=object)[partial]:
            bar.set(hatch="////", edgecolor="white", linewidth=0)
    name_months(axes, revenue["month"], language)
    axes.set(ylabel=language.say("net revenue"))
    amounts(axes.yaxis, language)
    say = language.say
    keys = [Patch(color=INSIDER, label=say("Insiders")), Patch(color=OTHER, label=say("other customers"))]
    figure.legend(handles=keys, loc="upper left", ncols=2, bbox_to_anchor=(0.1, 1.0))
    return figure

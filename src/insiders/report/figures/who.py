"""The customers one by one."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from insiders.language import Language
from insiders.report.figures.scene import Scene
from insiders.report.figures.style import ENGLISH, INSIDER, OTHER, Picture, amounts, canvas, styled


def pictures(scene: Scene) -> dict[str, Picture]:
    members, say = scene.members, scene.language.say
    figure = rfm_map(members["recency_days"], members["net_revenue"], members["is_insider"], scene.language)
    return {
        "rfm_map": Picture(
            figure,
            say("Recency and revenue of every customer"),
            say(
                "Each dot is a customer: to the right those who ordered lately, at the top those with a high net "
                "revenue. Insiders are marked."
            ),
        )
    }


@styled
def rfm_map(
    recency_days: pd.Series, net_revenue: pd.Series, is_insider: pd.Series, language: Language = ENGLISH
) -> Figure:
    """Who the Insiders are among all customers with positive revenue: how lately and for how much they bought."""
    figure, axes = canvas(left=0.13, top=0.9)
    shown, say = net_revenue > 0, language.say
    for members, color, size, label in ((False, OTHER, 6, say("other customers")), (True, INSIDER, 9, say("Insiders"))):
        chosen = shown & (is_insider == members)
        x, y = recency_days[chosen], net_revenue[chosen]
        axes.scatter(x, y, s=size, c=color, alpha=0.5, lw=0, rasterized=True, label=label)
    axes.set(xscale="log", yscale="log", xlabel=say("days since the last order"), ylabel=say("net revenue"))
    axes.invert_xaxis()
    for axis in (axes.xaxis, axes.yaxis):
        amounts(axis, language)
        axis.set_minor_formatter(NullFormatter())
        axis.set_minor_locator(NullLocator())
    axes.set_xticks([300, 100, 30, 10, 3, 1])
    figure.legend(loc="upper left", markerscale=2, ncols=2, bbox_to_anchor=(0.1, 1.0))
    return figure

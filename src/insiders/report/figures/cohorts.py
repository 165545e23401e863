"""Who comes, stays and goes: the cohorts as a map, comers and leavers by month, and why the revenue changed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from insiders.explore.cohorts.flow import FlowMonth, Status
from insiders.explore.cohorts.retention import Cohort, CohortMonth
from insiders.explore.cohorts.revenue_tree import RevenueTree
from insiders.language import Language
from insiders.report.figures import movement
from insiders.report.figures.scene import Scene
from insiders.report.figures.style import (
    ENGLISH,
    INK,
    INSIDER,
    OTHER,
    PALETTE,
    QUIET,
    RULE,
    Picture,
    amounts,
    canvas,
    name_months,
    styled,
)

SHOWN = 13  # latest cohorts of the map, and months of the others: more cannot be read on a phone
DARK = 0.55  # share of the highest value above which a cell's letters are white
WARM = LinearSegmentedColormap.from_list("insiders", ["#fdf3ec", "#e98a4f", INSIDER])


def pictures(scene: Scene) -> dict[str, Picture]:
    past, say, language = scene.answers["expected_revenue"], scene.language.say, scene.language
    drawn = {
        "flow": Picture(
            flow(past["flow"][-SHOWN:], language),
            say("Customers who came, stayed and went"),
            say(
                "Bars upwards for each month: retained, returning and new customers. Bars downwards: lapsed customers. "
                "Hatched months are covered only in part."
            ),
        )
    }
    if any(len(row["months"]) > 1 for row in past["cohorts"]["cohorts"]):
        drawn["cohorts"] = Picture(
            cohorts(past["cohorts"]["cohorts"][-SHOWN:], language),
            say("Who ordered again, by month of the first order"),
            say(
                "A row for each month of the first order; to the right, month after month, the share of its customers "
                "who ordered. Darker is more; months that are covered only in part are left white."
            ),
        )
    if past["revenue_tree"]:
        drawn["revenue_tree"] = Picture(
            tree(past["revenue_tree"], language),
            say("Why the revenue changed"),
            say(
                "From the net revenue of the earlier period to that of the later one: what more or fewer customers, "
                "orders per customer and value per order did to it."
            ),
        )
    if past["movement"]:
        drawn["movement"] = Picture(
            movement.alluvial(past["movement"], language),
            say("From segment to segment within a month"),
            say("Bands from each segment to those where its customers were a month later; grey: those who stayed."),
        )
    return drawn


@styled
def cohorts(rows: Sequence[Cohort], language: Language = ENGLISH) -> Figure:
    """Share of each cohort's customers who ordered, by months since the first order (1 and later)."""
    width = min(max(len(row["months"]) for row in rows) - 1, SHOWN - 1)
    figure, axes = canvas(left=0.25, right=0.99, bottom=0.13, top=0.99, height=0.7 + 0.27 * len(rows))
    cells = [row["months"][1 : width + 1] for row in rows]
    shares = np.full((len(rows), width), np.nan)
    for place, row in enumerate(cells):
        shares[place, : len(row)] = [np.nan if cell["is_partial"] else cell["share"] for cell in row]
    top = float(np.nanmax(shares)) if np.isfinite(shares).any() else 1.0
    axes.pcolormesh(np.ma.masked_invalid(shares), cmap=WARM, vmin=0, vmax=top or 1.0, edgecolors="white", lw=1)
    for place, row in enumerate(cells):
        _written(axes, place, row, top)
    names = [f"{language.month(row['cohort'])} ({language.count(row['customers'])})" for row in rows]
    axes.set_yticks(np.arange(len(rows)) + 0.5, names, fontsize=8)
    axes.set_xticks(np.arange(width) + 0.5, [language.count(since) for since in range(1, width + 1)])
    axes.set(xlabel=language.say("months since the first order"))
    axes.invert_yaxis()
    axes.spines[["left", "bottom"]].set_visible(False)
    return figure


def _written(axes: Axes, place: int, row: Sequence[CohortMonth], top: float) -> None:
    """The share of each cell in percent, without the sign: thirteen of them stand side by side."""
    for column, cell in enumerate(row):
        dark = not cell["is_partial"] and cell["share"] > DARK * top
        color = "white" if dark else QUIET if cell["is_partial"] else INK
        style = "italic" if cell["is_partial"] else "normal"
        spot: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 7.5, "color": color, "style": style}
        axes.text(column + 0.5, place + 0.5, f"{100 * cell['share']:.0f}", **spot)


@styled
def flow(rows: Sequence[FlowMonth], language: Language = ENGLISH) -> Figure:
    """Customers by month: those who ordered stacked upwards, the lapsed downwards; unknown counts have no bar."""
    figure, axes = canvas(left=0.12, bottom=0.13, top=0.84)
    say, places = language.say, np.arange(len(rows))
    hatches = ["////" if row["is_partial"] else "" for row in rows]
    below = np.zeros(len(rows))
    upwards: tuple[tuple[Status, str, str], ...] = (
        ("retained", OTHER, say("retained")),
        ("returning", PALETTE[2], say("returning")),
        ("new", INSIDER, say("new")),
    )
    for status, color, label in upwards:
        counts = _counts(rows, status)
        axes.bar(places, counts, 0.8, below, color=color, label=label, hatch=hatches, edgecolor="white", lw=0)
        below += counts
    axes.bar(places, -_counts(rows, "lapsed"), 0.8, color=RULE, label=say("lapsed"))
    axes.axhline(0, color=INK, lw=0.8)
    name_months(axes, pd.Series([row["month"] for row in rows]), language)
    axes.set(ylabel=say("customers"))
    axes.yaxis.set_major_formatter(lambda value, _: language.count(abs(value)))
    figure.legend(loc="upper left", ncols=4, bbox_to_anchor=(0.1, 1.0), columnspacing=1.2)
    return figure


def _counts(rows: Sequence[FlowMonth], status: Status) -> NDArray[np.float64]:
    return np.array([row[status]["customers"] or 0 for row in rows], dtype=float)


@styled
def tree(found: RevenueTree, language: Language = ENGLISH) -> Figure:
    """A waterfall from the earlier period's net revenue, by what changed, to the later one's."""
    say = language.say
    figure, axes = canvas(left=0.14, bottom=0.19, top=0.95)
    names = {
        "customers": say("customers"),
        "orders_per_customer": say("orders per\ncustomer"),
        "value_per_order": say("value per\norder"),
    }
    steps = [part["amount"] for part in found["parts"]]
    start, end = found["earlier"]["net_revenue"], found["later"]["net_revenue"]
    starts = start + np.concatenate([[0.0], np.cumsum(steps)])
    axes.bar([0, len(steps) + 1], [start, end], 0.7, color=OTHER)
    for place, (step, bottom) in enumerate(zip(steps, starts, strict=False), start=1):
        axes.bar(place, step, 0.7, bottom, color=PALETTE[2] if step >= 0 else INSIDER)
        axes.hlines(bottom, place - 1, place, color=QUIET, lw=0.8, ls=":")
        signed = f"{'+' if step > 0 else ''}{language.compact(step)}"
        spot: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "fontsize": 8.5}
        axes.annotate(signed, (place, max(bottom, bottom + step)), (0, 3), **spot)
    shown = [say("before"), *(names[part["factor"]] for part in found["parts"]), say("after")]
    axes.set_xticks(range(len(shown)), shown)
    axes.set(ylabel=say("net revenue"))
    axes.margins(y=0.1)
    amounts(axes.yaxis, language)
    return figure

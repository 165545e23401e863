"""The pictures of the exploration page: features, what they share, the search's choices, clusters, and the map."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from insiders.language import Language
from insiders.report.figures import clusters
from insiders.report.figures.style import ENGLISH, INK, INSIDER, OTHER, QUIET, SIZE, Picture, canvas, styled
from insiders.units import signed_log

COLUMNS = 2  # small multiples side by side: with more, a phone shows nothing
SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")  # on which the letters of an axis' ends stand
THOUSAND = 1000  # from here on numbers are shortened
TALL = 0.95  # inches of a row of them
COLD_WARM = LinearSegmentedColormap.from_list("signs", ["#0072b2", "#ffffff", INSIDER])


class Sight(NamedTuple):
    """What these pictures are drawn from: the page's numbers, places on the map (x, y, is_insider) and silhouettes."""

    numbers: Mapping[str, Any]
    spots: pd.DataFrame | None
    silhouettes: pd.DataFrame | None
    labels: Mapping[str, str]
    language: Language


def pictures(sight: Sight) -> dict[str, Picture]:
    """What there is to show; the embedding's are missing where no model serves."""
    found, say = sight.numbers, sight.language.say
    drawn = {
        "features": Picture(
            features(found["features"], sight.labels, sight.language),
            say("How the features are spread"),
            say(
                "A small histogram for each feature: few or many customers for each value. Skewed features stand on a "
                "logarithmic scale; the line is the median."
            ),
        ),
        "correlation": Picture(
            correlation(found["shared"], sight.labels),
            say("What features share"),
            say("Rank correlation of every two features: red where they rise together, blue where one falls."),
        ),
    }
    if any(row["best"] is not None for row in found["choices"]["embedding"]):
        drawn["embeddings"] = Picture(
            choices(found["choices"]["embedding"], found["steps"]["embedding"]["chosen"], sight.language),
            say("Foresight by embedding"),
            say("For each embedding its best segments: mean foresight over the periods, from the worst to the best."),
        )
    return drawn | _embedded(sight)


def _embedded(sight: Sight) -> dict[str, Picture]:
    found, say, drawn = sight.numbers, sight.language.say, {}
    if found["clusterings"]:
        drawn["elbow"] = Picture(
            elbow(found["clusterings"], sight.language),
            say("How many clusters"),
            say(
                "Above, the part of the spread that is left inside of the clusters; below, the silhouette: both for "
                "each setting tried. The dotted line is the setting chosen."
            ),
        )
    if sight.spots is not None:
        drawn["map"] = Picture(
            places(sight.spots, sight.language),
            say("Where the model sees the customers"),
            say("Each dot is a customer, close to those whom the model finds similar; the Insiders are marked."),
        )
    if sight.silhouettes is None:
        return drawn
    apart = found["groups"]
    return drawn | clusters.pictures(apart["groups"], sight.silhouettes, apart["silhouette"], sight.language)


@styled
def features(rows: Sequence[Mapping[str, Any]], labels: Mapping[str, str], language: Language = ENGLISH) -> Figure:
    """Small multiples: a histogram of each feature that has any value."""
    shown = [row for row in rows if row["bins"]]
    high = max(-(-len(shown) // COLUMNS), 1)
    figure = Figure(figsize=(SIZE[0], TALL * high))
    grid = figure.subplots(high, COLUMNS, squeeze=False).ravel()
    figure.subplots_adjust(left=0.02, right=0.98, bottom=0.25 / high, top=1 - 0.25 / high, hspace=1.1, wspace=0.1)
    for axes, row in zip(grid, shown, strict=False):
        _histogram(axes, row, labels.get(row["feature"], row["feature"]), language)
    for axes in grid[len(shown) :]:
        axes.set_axis_off()
    return figure


def _histogram(axes: Axes, row: Mapping[str, Any], title: str, language: Language) -> None:
    edges, unit = np.array(row["bins"]["edges"]), row["bins"]["unit"]
    axes.bar(edges[:-1], row["bins"]["counts"], np.diff(edges), align="edge", color=OTHER)
    axes.axvline(_shown(row["median"], unit), color=INSIDER, lw=1)
    axes.set_title(title, fontsize=8.5, color=INK, pad=3)
    ends = [row["least"], row["most"]] if row["most"] > row["least"] else [row["least"]]
    axes.set_xticks([_shown(end, unit) for end in ends], [_short(end, language) for end in ends], fontsize=8)
    for letters, side in zip(axes.get_xticklabels(), SIDES, strict=False):
        letters.set_horizontalalignment(side)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _short(value: float, language: Language) -> str:
    return language.compact(value) if abs(value) >= THOUSAND else language.number(value)


def _shown(value: float, unit: float | None) -> float:
    """Where a value stands on its axis: as it is, or on the logarithmic scale of its bins."""
    return value if unit is None else float(signed_log(value, unit))


@styled
def correlation(shared: Mapping[str, Any], labels: Mapping[str, str]) -> Figure:
    """A square of colours; each feature stands at the left by name and below by number."""
    names, count = shared["features"], len(shared["features"])
    figure, axes = canvas(left=0.46, right=0.99, bottom=0.09, top=0.99, height=0.6 + 0.2 * max(count, 2))
    values = np.array(shared["correlation"], dtype=float).reshape(count, count)
    axes.pcolormesh(np.ma.masked_invalid(values), cmap=COLD_WARM, vmin=-1, vmax=1, edgecolors="white", lw=0.5)
    rows = [f"{labels.get(name, name)}  {place}" for place, name in enumerate(names, start=1)]
    axes.set_yticks(np.arange(count) + 0.5, rows, fontsize=7.5)
    axes.set_xticks(np.arange(count) + 0.5, [str(place) for place in range(1, count + 1)], fontsize=7.5)
    axes.invert_yaxis()
    axes.spines[["left", "bottom"]].set_visible(False)
    return figure


@styled
def choices(rows: Sequence[Mapping[str, Any]], chosen: str | None, language: Language = ENGLISH) -> Figure:
    """The best mean foresight of each choice, from its worst period to its best one."""
    shown = [row for row in rows if row["best"] is not None][::-1]
    figure, axes = canvas(left=0.28, bottom=0.2, height=1.0 + 0.32 * len(shown))
    for place, row in enumerate(shown):
        color = INSIDER if row["name"] == chosen else QUIET
        if row["low"] is not None and row["high"] is not None:
            axes.hlines(place, row["low"], row["high"], color=color, lw=1.2, alpha=0.6)
        axes.plot(row["best"], place, "o", color=color, ms=7)
    axes.set_yticks(range(len(shown)), [str(row["name"]).replace("_", " ") for row in shown])
    axes.set(xlabel=language.say("foresight"), ylim=(-0.6, len(shown) - 0.4))
    axes.xaxis.set_major_formatter(lambda value, _: language.ratio(value, 2))
    return figure


@styled
def elbow(found: Mapping[str, Any], language: Language = ENGLISH) -> Figure:
    """What is left unexplained, and the silhouette, by the number of clusters (or the setting that decides it)."""
    say, rows = language.say, found["tried"]
    figure = Figure(figsize=(SIZE[0], 4.4))
    upper, lower = figure.subplots(2, 1, sharex=True)
    figure.subplots_adjust(left=0.14, right=0.97, bottom=0.12, top=0.97, hspace=0.12)
    values = [row["value"] for row in rows]
    for axes, name, label in ((upper, "unexplained", say("spread left")), (lower, "silhouette", say("silhouette"))):
        heights = [np.nan if row[name] is None else row[name] for row in rows]
        axes.plot(values, heights, color=OTHER, lw=1.4, marker="o", ms=5)
        axes.axvline(found["chosen"], color=INSIDER, lw=1.4, ls=":")
        axes.set(ylabel=label)
        axes.yaxis.set_major_formatter(lambda value, _: language.ratio(value, 2))
    lower.set(xlabel=say("clusters") if found["is_count"] else say("least share of the customers in a cluster"))
    if found["is_count"]:
        lower.set_xticks(values, [language.count(value) for value in values])
    return figure


@styled
def places(spots: pd.DataFrame, language: Language = ENGLISH) -> Figure:
    """Every customer by two coordinates (x, y); Insiders on top of the others, in an order that only figures decide."""
    figure, axes = canvas(left=0.1, bottom=0.13, top=0.9)
    ordered = spots.sort_values(["x", "y", "is_insider"])
    spot: dict[str, Any] = {"lw": 0, "alpha": 0.7, "rasterized": True}
    for inside, color, size, label in (
        (False, OTHER, 6, language.say("other customers")),
        (True, INSIDER, 10, language.say("Insiders")),
    ):
        chosen = ordered[ordered["is_insider"] == inside]
        axes.scatter(chosen["x"], chosen["y"], s=size, c=color, label=label, **spot)
    # With the usual margin the outermost spots lie exactly between two pixels, and last bits choose one of them.
    axes.margins(0.06)
    axes.set(xlabel=language.say("first dimension"), ylabel=language.say("second dimension"))
    axes.set_xticks([])
    axes.set_yticks([])
    figure.legend(loc="upper left", markerscale=2, ncols=2, bbox_to_anchor=(0.08, 1.0))
    return figure

"""The trials of a search: what they reached, and the customers as one of them sees them."""

import re
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from insiders.language import Language
from insiders.report.figures.style import (
    ENGLISH,
    INK,
    INSIDER,
    OTHER,
    PALETTE,
    QUIET,
    RULE,
    canvas,
    styled,
)

MOST_ROOM = 0.1  # least height of a picture, as a share of its highest value
TINY = 1e-3


@styled
def trial_map(
    embedded: np.ndarray, labels: np.ndarray, insider_mask: np.ndarray, language: Language = ENGLISH
) -> Figure:
    """The first two dimensions of an embedding (n, d >= 1), coloured by cluster; Insiders ringed."""
    figure, axes = canvas(bottom=0.13)
    x = embedded[:, 0]
    y = embedded[:, 1] if embedded.shape[1] > 1 else np.zeros(len(x))
    colors = np.array([*PALETTE, RULE])[np.where(labels < 0, len(PALETTE), labels % len(PALETTE))]
    axes.scatter(x, y, s=5, c=colors, lw=0, alpha=0.6, rasterized=True)
    ring: dict[str, Any] = {"facecolors": "none", "edgecolors": INK, "lw": 0.4, "rasterized": True}
    axes.scatter(x[insider_mask], y[insider_mask], s=14, label=language.say("Insiders"), **ring)
    axes.set(xlabel=language.say("first dimension"), ylabel=language.say("second dimension"))
    axes.legend(loc="best")
    return figure


@styled
def front(trials: pd.DataFrame, chosen: int | None = None, language: Language = ENGLISH) -> Figure:
    """Every trial by what the search wants, foresight and stability; the dashed line is what RFM's cells foretell.

    Refused trials are hollow; those whose stability was never measured stand as ticks at the left edge.
    """
    figure, axes = canvas(left=0.13, right=0.76, top=0.84)
    tried = _tried(trials).dropna(subset=["foresight_mean"])
    for color, (embedding, group) in zip(cycle(PALETTE), tried.groupby("embedding"), strict=False):
        _points(axes, group, color, str(embedding).replace("_", " "))
    _star(axes, tried[tried["number"] == chosen], language)
    _focus(axes, tried["foresight_mean"])
    _rfm(axes, tried, language)
    axes.set(
        xlabel=language.say("stability of the segments (1 = always the same)"),
        ylabel=language.say("foresight, mean"),
    )
    _ratios(axes.xaxis, language)
    _ratios(axes.yaxis, language)
    axes.grid(visible=True)
    figure.legend(loc="upper left", ncols=4, bbox_to_anchor=(0.02, 1.0), columnspacing=1.2, handletextpad=0.2)
    return figure


def _tried(trials: pd.DataFrame) -> pd.DataFrame:
    """All but the baselines; a trial that was given up counts as refused."""
    tried = trials[trials["state"] != "BASELINE"]
    return tried.assign(feasible=tried["feasible"].astype(bool) & (tried["state"] == "COMPLETE"))


def _points(axes: Axes, group: pd.DataFrame, color: str, label: str) -> None:
    feasible = group["feasible"]
    axes.scatter(*_at(group[feasible]), s=28, c=color, lw=0.8, edgecolors="white", zorder=3, label=label)
    axes.scatter(*_at(group[~feasible]), s=18, facecolors="none", edgecolors=color, lw=0.8, alpha=0.6)
    unmeasured = group.loc[group["stability_rand"].isna(), "foresight_mean"]
    axes.plot(np.zeros(len(unmeasured)), unmeasured, "_", color=color, ms=7, transform=axes.get_yaxis_transform())


def _at(trials: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    return trials["stability_rand"], trials["foresight_mean"]


def _star(axes: Axes, chosen: pd.DataFrame, language: Language) -> None:
    label = language.say("chosen") if len(chosen) else None
    axes.scatter(*_at(chosen), s=210, marker="*", c=INSIDER, edgecolors="white", lw=1, zorder=5, label=label)


def _focus(axes: Axes, values: pd.Series) -> None:
    """Spend the height on the better half of the trials; the worst ones may fall out of the picture."""
    known = values.dropna()
    if len(known):
        low, high = float(known.median()), float(known.max())
        room = max(high - low, MOST_ROOM * abs(high), TINY)
        axes.set_ylim(low - 0.6 * room, high + 0.15 * room)


def _ratios(axis: Axis, language: Language) -> None:
    axis.set_major_formatter(FuncFormatter(lambda value, _: language.number(value, 3)))


def _rfm(axes: Axes, tried: pd.DataFrame, language: Language) -> None:
    """A dashed line at what the cells of RFM foretold at the same origins."""
    known = tried.get("foresight_rfm_mean", pd.Series(dtype=float)).dropna()
    if len(known):
        axes.axhline(float(known.iloc[0]), color=QUIET, lw=0.9, ls="--", zorder=1, label=language.say("125 RFM cells"))


@styled
def history(trials: pd.DataFrame, language: Language = ENGLISH) -> Figure:
    """Foresight by trial, in the order of the search, and the best feasible one so far."""
    figure, axes = canvas(left=0.13)
    tried, say = _tried(trials).sort_values("number"), language.say
    feasible = tried["feasible"]
    best = tried["foresight_mean"].where(feasible).cummax()
    spots: dict[str, Any] = {"lw": 0, "s": 22, "zorder": 3}
    axes.scatter(tried["number"][~feasible], tried["foresight_mean"][~feasible], c=RULE, label=say("refused"), **spots)
    axes.scatter(tried["number"][feasible], tried["foresight_mean"][feasible], c=OTHER, label=say("feasible"), **spots)
    axes.step(tried["number"], best, where="post", c=INSIDER, label=say("best so far"))
    axes.set(xlabel=say("trial"), ylabel=say("foresight, mean"))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="lower right")
    return figure


@styled
def foresight_by_period(
    trials: pd.DataFrame, chosen: int | None, starts: Sequence[str] | None = None, language: Language = ENGLISH
) -> Figure:
    """Foresight in each period of the search, earliest first: feasible trials thin, the chosen one thick.

    `starts`: the periods' first days, earliest first.
    """
    figure, axes = canvas(left=0.13)
    say = language.say
    folds = sorted((c for c in trials if re.fullmatch(r"foresight_\d+", c)), reverse=True)  # 1 is the latest
    places = np.arange(len(folds))
    tried = trials[(trials["state"] == "COMPLETE") & trials["feasible"].astype(bool)]
    axes.plot(places, tried[folds].to_numpy(float).T, color=RULE, lw=0.8)
    _rfm(axes, _tried(trials), language)
    own = tried.loc[tried["number"] == chosen, folds].to_numpy(float)
    axes.plot(places, own.T, color=INSIDER, lw=2.2, marker="o", label=say("this recipe") if len(own) else None)
    _focus(axes, tried[folds].melt()["value"])
    axes.set(xlabel=say("start of the period"), ylabel=say("foresight"), xlim=(-0.3, len(folds) - 0.7))
    _ratios(axes.yaxis, language)
    axes.set_xticks(places, starts if starts and len(starts) == len(folds) else [c.split("_")[-1] for c in folds])
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower right")
    return figure

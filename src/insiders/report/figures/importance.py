"""Which settings of a search mattered: how much of the trials' spread each explains, and the trials by each of them."""

import json

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from insiders.report.figures.style import INSIDER, OTHER, QUIET, RULE, STYLE, canvas, styled

MEASURES = {"foresight_mean": (INSIDER, "foresight"), "stability_rand": (OTHER, "stability")}
GROUPS = 4  # into which the values of a numeric setting are cut
FEWEST = 4  # trials below which nothing is said of a setting
COLUMNS, PANELS = 3, 9  # of small pictures: how many side by side, and in all


def settings(trials: pd.DataFrame) -> pd.DataFrame:
    """One row per trial that was measured, one column per setting that at least FEWEST of them have; else NaN."""
    tried = trials[(trials["state"] != "BASELINE") & trials["foresight_mean"].notna()]
    params = pd.DataFrame([json.loads(each) for each in tried["params"]], index=tried.index, dtype=object)
    table = pd.concat([tried[["embedding", "clusterer"]].astype(object), params[sorted(params)]], axis=1)
    return table.loc[:, (table.notna().sum() >= FEWEST) & table.nunique().ge(2)]


def explained(values: pd.Series, measure: pd.Series) -> float:
    """Share of a measure's variance between trials that a setting explains (Kelley's epsilon squared, at least 0).

    Unlike the plain correlation ratio it does not grow with the number of distinct values; NaN where too few are known.
    """
    known = values.notna() & measure.notna()
    groups, y = _grouped(values[known]), measure[known].to_numpy(float)
    count = int(groups.max(initial=-1)) + 1
    total = ((y - y.mean()) ** 2).sum() if len(y) else 0.0
    if not 1 < count < len(y) or total <= 0:
        return float("nan")
    means = np.bincount(groups, y) / np.bincount(groups)
    within = ((y - means[groups]) ** 2).sum()
    return max(float(1 - within / (len(y) - count) * (len(y) - 1) / total), 0.0)


def _grouped(values: pd.Series) -> np.ndarray:
    """Number of each value's group: words and few numbers as they are, many numbers cut by their quantiles."""
    numeric = all(isinstance(value, int | float) for value in values)
    if numeric and values.nunique() > GROUPS:
        codes = pd.qcut(values.astype(float), GROUPS, labels=False, duplicates="drop")
        return np.unique(codes, return_inverse=True)[1]
    return pd.factorize(values.astype(str), sort=True)[0]


@styled
def importances(trials: pd.DataFrame) -> Figure:
    """Of each setting, the share of the trials' variance in each measure that it explains; the largest at the top."""
    shares = _shares(settings(trials), trials)
    figure, axes = canvas(left=0.34, bottom=0.15, top=0.9, height=1.0 + 0.32 * max(len(shares), 1))
    places = np.arange(len(shares))
    for offset, (name, (color, label)) in zip((0.2, -0.2), MEASURES.items(), strict=True):
        axes.barh(places + offset, shares[name], 0.36, color=color, label=label)
    axes.set_yticks(places, [_plain(name) for name in shares.index])
    axes.set(xlabel="share of the trials' variance explained", xlim=(0, 1))
    figure.legend(loc="upper left", ncols=2, bbox_to_anchor=(0.3, 1.0))
    return figure


def _shares(table: pd.DataFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """One row per setting, one column per measure: the share of its variance explained; the largest last."""
    found = {name: [explained(table[key], trials.loc[table.index, name]) for key in table] for name in MEASURES}
    shares = pd.DataFrame(found, index=list(table), dtype=float).fillna(0.0)
    return shares.loc[shares.max(axis=1).sort_values(kind="stable").index]


@styled
def slices(trials: pd.DataFrame) -> Figure:
    """Foresight of the trials by each of the settings that explain most; those that were refused are grey."""
    table = settings(trials)
    table = table[_shares(table, trials).index[::-1][:PANELS]]
    rows = max(-(-len(table.columns) // COLUMNS), 1)
    height = 1.9 * rows
    figure = Figure(figsize=(2.6 * COLUMNS, height))
    figure.subplots_adjust(left=0.1, right=0.98, bottom=0.5 / height, top=1 - 0.3 / height, wspace=0.3, hspace=0.8)
    for place, name in enumerate(table):
        _slice(figure.add_subplot(rows, COLUMNS, place + 1), table[name].dropna(), trials)
    figure.supylabel("foresight, mean", fontsize=STYLE["font.size"], color=QUIET)
    return figure


def _slice(axes: Axes, values: pd.Series, trials: pd.DataFrame) -> None:
    own = trials.loc[values.index]
    feasible = own["feasible"].astype(bool).to_numpy()
    words = any(isinstance(value, str) for value in values)
    names = sorted(set(values)) if words else []
    spots = np.array([names.index(value) for value in values]) if words else values.to_numpy(float)
    for shown, color in ((~feasible, RULE), (feasible, OTHER)):
        axes.scatter(spots[shown], own["foresight_mean"][shown], s=12, c=color, lw=0)
    if words:
        axes.set_xticks(range(len(names)), [_plain(name) for name in names], rotation=25, ha="right")
    axes.set_title(_plain(str(values.name)), fontsize=STYLE["font.size"], y=1)  # placed by hand: searching costs more
    axes.margins(x=0.1)


def _plain(name: str) -> str:
    return name.replace("_", " ").replace(".", ": ")

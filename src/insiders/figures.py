"""Frames in, figures out: small pictures that can be read on a phone, on paper and in MLflow.

No function knows pyplot or any other global state; crowds of points are drawn as pixels, so that a picture stays small.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from io import StringIO
from itertools import cycle
from typing import Any, ParamSpec, TypeVar
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, NullLocator, PercentFormatter

INK, QUIET, RULE = "#1f2937", "#4b5563", "#d1d5db"
INSIDER, OTHER = "#b4430b", "#7f95b2"
PALETTE = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#8b5a2b",
    "#6d28d9",
    "#111827",
)  # after Okabe and Ito
SIZE = (5.2, 3.5)  # inches; at the width of a phone the letters are still 8 pixels high
STYLE: dict[str, Any] = {
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#eceff3",
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "savefig.dpi": 200,  # of the crowds of points only
    "svg.fonttype": "none",  # letters stay letters: they can be searched, and the page picks the typeface
    "svg.hashsalt": "insiders",  # same data, same bytes
}
_NAMELESS = {"Creator": None, "Date": None, "Format": None, "Type": None}
_NUMBERED_ID = re.compile(r' id="[A-Za-z0-9.]+_[0-9]+"')

P = ParamSpec("P")
R = TypeVar("R")


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    @wraps(draw)
    def within_style(*args: P.args, **kwargs: P.kwargs) -> R:
        with rc_context(STYLE):
            return draw(*args, **kwargs)

    return within_style


@styled
def svg(figure: Figure, title: str, description: str) -> str:
    """An <svg> element for a page, with the texts that a screen reader says; equal figures give equal text."""
    buffer = StringIO()
    figure.savefig(buffer, format="svg", metadata=_NAMELESS)
    drawing = _NUMBERED_ID.sub("", buffer.getvalue())  # a page holds several pictures: their numbered ids would clash
    opening, body = drawing[drawing.index("<svg") :].split(">", 1)
    opening = re.sub(r' (?:width|height)="[^"]*"', "", opening)
    return f'{opening} role="img"><title>{escape(title)}</title><desc>{escape(description)}</desc>{body.strip()}'


def canvas(
    left: float = 0.13, right: float = 0.97, bottom: float = 0.15, top: float = 0.96, height: float = SIZE[1]
) -> tuple[Figure, Axes]:
    """Margins are set by hand: an automatic layout costs more than the drawing."""
    figure = Figure(figsize=(SIZE[0], height))
    axes = figure.subplots()
    figure.subplots_adjust(left=left, right=right, bottom=bottom, top=top)
    return figure, axes


def _percent(axis: Any) -> None:
    axis.set_major_formatter(PercentFormatter(1, decimals=0))


def _compact(value: float, _position: int | None = None) -> str:
    """12,000,000 as 12M, 250,000 as 250k: short enough for an axis."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


@styled
def rfm_map(recency_days: pd.Series, net_revenue: pd.Series, is_insider: pd.Series) -> Figure:
    """Who the Insiders are among all customers with positive revenue: how lately and for how much they bought."""
    figure, axes = canvas(left=0.12, top=0.9)
    shown = net_revenue > 0
    for members, color, size, label in ((False, OTHER, 6, "other customers"), (True, INSIDER, 9, "Insiders")):
        chosen = shown & (is_insider == members)
        x, y = recency_days[chosen], net_revenue[chosen]
        axes.scatter(x, y, s=size, c=color, alpha=0.5, lw=0, rasterized=True, label=label)
    axes.set(xscale="log", yscale="log", xlabel="days since the last order", ylabel="net revenue")
    axes.invert_xaxis()
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(_compact))
        axis.set_minor_formatter(NullFormatter())
        axis.set_minor_locator(NullLocator())
    axes.set_xticks([300, 100, 30, 10, 3, 1])
    figure.legend(loc="upper left", markerscale=2, ncols=2, bbox_to_anchor=(0.1, 1.0))
    return figure


@styled
def trial_map(embedded: np.ndarray, labels: np.ndarray, insider_mask: np.ndarray) -> Figure:
    """The first two dimensions of an embedding (n, d >= 1), coloured by cluster; Insiders ringed."""
    figure, axes = canvas(bottom=0.13)
    x = embedded[:, 0]
    y = embedded[:, 1] if embedded.shape[1] > 1 else np.zeros(len(x))
    colors = np.array([*PALETTE, RULE])[np.where(labels < 0, len(PALETTE), labels % len(PALETTE))]
    axes.scatter(x, y, s=5, c=colors, lw=0, alpha=0.6, rasterized=True)
    ring: dict[str, Any] = {"facecolors": "none", "edgecolors": INK, "lw": 0.4, "rasterized": True}
    axes.scatter(x[insider_mask], y[insider_mask], s=14, label="Insiders", **ring)
    axes.set(xlabel="first dimension", ylabel="second dimension")
    axes.legend(loc="best")
    return figure


@styled
def front(trials: pd.DataFrame, chosen: int | None = None) -> Figure:
    """Every trial by what the search wants, value lift and stability; a dashed line is a baseline.

    Refused trials are hollow; those whose stability was never measured stand as ticks at the left edge.
    """
    figure, axes = canvas(left=0.13, right=0.76, top=0.84)
    tried = _tried(trials).dropna(subset=["value_lift_mean"])
    for color, (embedding, group) in zip(cycle(PALETTE), tried.groupby("embedding"), strict=False):
        _points(axes, group, color, str(embedding).replace("_", " "))
    _star(axes, tried[tried["number"] == chosen])
    _focus(axes, tried["value_lift_mean"])
    _baselines(axes, trials)
    axes.set(xlabel="stability of the list (1 = always the same people)", ylabel="value lift over the sort, mean")
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
    unmeasured = group.loc[group["stability"].isna(), "value_lift_mean"]
    axes.plot(np.zeros(len(unmeasured)), unmeasured, "_", color=color, ms=7, transform=axes.get_yaxis_transform())


def _at(trials: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    return trials["stability"], trials["value_lift_mean"]


def _star(axes: Axes, chosen: pd.DataFrame) -> None:
    label = "chosen" if len(chosen) else None
    axes.scatter(*_at(chosen), s=210, marker="*", c=INSIDER, edgecolors="white", lw=1, zorder=5, label=label)


def _focus(axes: Axes, values: pd.Series) -> None:
    """Spend the height on the better half of the trials; the worst ones may fall out of the picture."""
    if len(values):
        low, high = min(float(values.median()), 0.97), max(float(values.max()), 1.0)
        axes.set_ylim(low - 0.6 * (high - low), high + 0.15 * (high - low))


def _baselines(axes: Axes, trials: pd.DataFrame) -> None:
    """A dashed line at the value lift of each baseline in sight; its name in the margin, clear of the others'."""
    low, high = axes.get_ylim()
    shown = trials[(trials["state"] == "BASELINE") & trials["value_lift_mean"].between(low, high)]
    written = low
    for name, value in shown.sort_values("value_lift_mean")[["clusterer", "value_lift_mean"]].itertuples(index=False):
        axes.axhline(value, color=QUIET, lw=0.8, ls="--", zorder=1)
        written = max(value, written + 0.05 * (high - low))
        spot: dict[str, Any] = {"va": "center", "fontsize": 8, "color": QUIET, "transform": axes.get_yaxis_transform()}
        axes.text(1.01, written, f"top by\N{NO-BREAK SPACE}{name.replace('_', ' ')}", **spot)


@styled
def history(trials: pd.DataFrame) -> Figure:
    """Value lift by trial, in the order of the search, and the best feasible one so far."""
    figure, axes = canvas(left=0.13)
    tried = _tried(trials).sort_values("number")
    feasible = tried["feasible"]
    best = tried["value_lift_mean"].where(feasible).cummax()
    spots: dict[str, Any] = {"lw": 0, "s": 22, "zorder": 3}
    axes.scatter(tried["number"][~feasible], tried["value_lift_mean"][~feasible], c=RULE, label="refused", **spots)
    axes.scatter(tried["number"][feasible], tried["value_lift_mean"][feasible], c=OTHER, label="feasible", **spots)
    axes.step(tried["number"], best, where="post", c=INSIDER, label="best so far")
    axes.set(xlabel="trial", ylabel="value lift over the sort, mean")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="lower right")
    return figure


@styled
def lift_by_period(trials: pd.DataFrame, chosen: int | None, starts: Sequence[str] | None = None) -> Figure:
    """Value lift in each period of the search, earliest first: feasible trials thin, the chosen one thick; 1: the sort.

    `starts`: the periods' first days, earliest first.
    """
    figure, axes = canvas(left=0.13)
    folds = sorted((c for c in trials if re.fullmatch(r"value_lift_\d+", c)), reverse=True)  # 1 is the latest
    places = np.arange(len(folds))
    tried = trials[(trials["state"] == "COMPLETE") & trials["feasible"].astype(bool)]
    axes.plot(places, tried[folds].to_numpy(float).T, color=RULE, lw=0.8)
    axes.axhline(1, color=INK, lw=1, label="the sort")
    own = tried.loc[tried["number"] == chosen, folds].to_numpy(float)
    axes.plot(places, own.T, color=INSIDER, lw=2.2, marker="o", label="this recipe" if len(own) else None)
    _focus(axes, tried[folds].melt()["value"])
    axes.set(xlabel="start of the period", ylabel="value lift over the sort", xlim=(-0.3, len(folds) - 0.7))
    axes.set_xticks(places, starts if starts and len(starts) == len(folds) else [c.split("_")[-1] for c in folds])
    axes.legend(loc="lower right")
    return figure


@styled
def lorenz(net_revenue: pd.Series, is_insider: pd.Series) -> Figure:
    """Share of net revenue held by the best share of customers; the Insiders as a point."""
    figure, axes = canvas(left=0.13)
    ranked = np.sort(net_revenue.to_numpy(float))[::-1]
    total = ranked.sum()
    held = np.concatenate([[0.0], ranked.cumsum() / total])
    thinned = np.unique(np.linspace(0, len(ranked), 200).round().astype(int))
    axes.plot([0, 1], [0, 1], color=RULE, lw=1, label="if all were equal")
    axes.plot(thinned / len(ranked), held[thinned], color=INK, lw=1.6, label="customers, best first")
    if is_insider.any():
        spot = is_insider.mean(), net_revenue[is_insider].sum() / total
        axes.plot(*spot, "o", color=INSIDER, ms=9, label="Insiders")
        axes.vlines(spot[0], 0, spot[1], color=INSIDER, lw=0.8, ls=":")
    axes.set(xlabel="share of customers", ylabel="share of net revenue", xlim=(0, 1), ylim=(0, 1.03))
    _percent(axes.xaxis)
    _percent(axes.yaxis)
    axes.legend(loc="lower right")
    return figure


@styled
def months(revenue: pd.DataFrame) -> Figure:
    """Net revenue by month (columns month, insiders, others, is_partial); a partial month is hatched."""
    figure, axes = canvas(left=0.12, bottom=0.13, top=0.9)
    places = np.arange(len(revenue))
    partial = revenue["is_partial"].to_numpy(bool)
    below = np.zeros(len(revenue))
    for column, color in (("insiders", INSIDER), ("others", OTHER)):
        bars = axes.bar(places, revenue[column], bottom=below, color=color, width=0.8)
        below = below + revenue[column].to_numpy(float)
        for bar in np.array(bars, dtype=object)[partial]:
            bar.set(hatch="////", edgecolor="white", linewidth=0)
    step = -(-len(revenue) // 13)
    axes.set_xticks(places[::step], _month_names(revenue["month"])[::step])
    axes.set(ylabel="net revenue")
    axes.yaxis.set_major_formatter(FuncFormatter(_compact))
    keys = [Patch(color=INSIDER, label="Insiders"), Patch(color=OTHER, label="other customers")]
    figure.legend(handles=keys, loc="upper left", ncols=2, bbox_to_anchor=(0.1, 1.0))
    return figure


def _month_names(month: pd.Series) -> list[str]:
    """Letters of each month, with the year below January, and below the first month unless January is near."""
    stamps = pd.to_datetime(month)
    years = [at.month == 1 or (place == 0 and at.month < 11) for place, at in enumerate(stamps)]  # noqa: PLR2004
    return [f"{at:%b}\n{at:%Y}" if year else f"{at:%b}\n " for at, year in zip(stamps, years, strict=True)]


@styled
def traits(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """How many times the others' median the Insiders' is, on a log scale (keys label, ratio); no ratio, no dot."""
    shown = [row for row in rows if row["ratio"] is not None and row["ratio"] > 0][::-1]
    figure, axes = canvas(left=0.4, right=0.93, bottom=0.14, height=0.7 + 0.34 * max(len(shown), 1))
    ratios = [row["ratio"] for row in shown]
    places = np.arange(len(shown))
    axes.hlines(places, 1, ratios, color=INSIDER, lw=2, alpha=0.4)
    axes.scatter(ratios, places, s=50, c=INSIDER, zorder=3)
    axes.axvline(1, color=INK, lw=1)
    for place, ratio in zip(places, ratios, strict=True):
        axes.annotate(
            f"{ratio:,.1f}\N{MULTIPLICATION SIGN}", (ratio, place), (7 if ratio >= 1 else -7, 0), **_beside(ratio >= 1)
        )
    axes.set_yticks(places, [row["label"] for row in shown])
    axes.set(xscale="log", xlabel="Insiders' median as a multiple of the others'")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}\N{MULTIPLICATION SIGN}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(min([1, *ratios]) / 4, max([1, *ratios]) * 3)
    return figure


def _beside(right: bool) -> dict[str, Any]:
    return {"textcoords": "offset points", "va": "center", "ha": "left" if right else "right", "fontsize": 8.5}


@styled
def segments(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Each segment's share of the customers and of the net revenue (keys segment, customer_share, ...)."""
    shown = list(rows)[::-1]
    names = [row["segment"] for row in shown]
    left = min(0.06 + 0.0135 * max(map(len, names), default=0), 0.55)
    figure, axes = canvas(left=left, right=0.92, bottom=0.12, top=0.88, height=0.9 + 0.5 * max(len(shown), 1))
    places = np.arange(len(shown))
    for offset, column, color, label in (
        (0.2, "customer_share", OTHER, "of the customers"),
        (-0.2, "net_revenue_share", INSIDER, "of the net revenue"),
    ):
        bars = axes.barh(places + offset, [row[column] for row in shown], 0.36, color=color, label=label)
        axes.bar_label(bars, [f"{row[column]:.1%}" for row in shown], padding=3, fontsize=8)
    axes.set_yticks(places, names)
    _percent(axes.xaxis)
    axes.margins(x=0.12)
    figure.legend(loc="upper left", ncols=2, bbox_to_anchor=(0.1, 1.0))
    return figure


@styled
def captures(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """What each way to choose the same number of customers captured of the next period's revenue.

    Keys label, capture, is_list; and low, high where an interval is known.
    """
    shown = list(rows)[::-1]
    figure, axes = canvas(left=0.33, right=0.92, bottom=0.15, height=0.8 + 0.36 * max(len(shown), 1))
    colors = [INSIDER if row["is_list"] else OTHER for row in shown]
    bars = axes.barh(range(len(shown)), [row["capture"] for row in shown], 0.62, color=colors)
    axes.bar_label(bars, [f"{row['capture']:.1%}" for row in shown], padding=3, fontsize=8.5)
    axes.set_yticks(range(len(shown)), [row["label"] for row in shown])
    axes.set(xlabel="share of the next period's revenue")
    axes.margins(x=0.14)
    _percent(axes.xaxis)
    return figure


@styled
def backtest(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Expected with its interval against actual group revenue, by date (keys as_of, expected, low, high, actual)."""
    figure, axes = canvas(left=0.14, bottom=0.13, top=0.9)
    places = np.arange(len(rows))
    expected = np.array([row["expected"] for row in rows], float)
    low, high = (np.array([row[end] for row in rows], float) for end in ("low", "high"))
    axes.errorbar(
        places, expected, [expected - low, high - expected], fmt="o", color=QUIET, capsize=4, label="expected"
    )
    actual = [np.nan if row["actual"] is None else row["actual"] for row in rows]
    axes.plot(places, actual, "D", color=INSIDER, ms=7, label="what came")
    axes.set_xticks(places, [str(row["as_of"]) for row in rows])
    axes.set(ylabel="net revenue of the list", xlim=(-0.5, len(rows) - 0.5))
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(_compact))
    figure.legend(loc="upper left", ncols=2, bbox_to_anchor=(0.12, 1.0))
    return figure


def page_pictures(
    members: pd.DataFrame, trials: pd.DataFrame, answers: Mapping[str, Any], labels: Mapping[str, str]
) -> dict[str, Figure]:
    """Every picture of the report by name; those whose numbers are missing are left out."""
    guarantee, inside = answers["guarantee"], members["is_insider"]
    chosen = guarantee["search"]["trial"]
    months_frame = pd.DataFrame(answers["revenue_share"]["months"])
    medians = [{**row, "label": labels[row["trait"]]} for row in answers["traits"]["medians"]]
    ways = [{**row, "label": labels[row["name"]], "is_list": row["name"] == "list"} for row in guarantee["captures"]]
    drawn = {
        "rfm_map": rfm_map(members["recency_days"], members["net_revenue"], inside),
        "segments": segments(answers["how_many"]["segments"]),
        "lorenz": lorenz(members["net_revenue"], inside),
        "months": months(months_frame),
        "captures": captures(ways),
        "front": front(trials, chosen),
        "lift_by_period": lift_by_period(trials, chosen, guarantee["search"]["starts"]),
    }
    if inside.any():
        drawn["traits"] = traits(medians)
    if answers["expected_revenue"]["backtest"]:
        drawn["backtest"] = backtest(answers["expected_revenue"]["backtest"])
    return drawn

"""How every picture looks and speaks: small, readable on a phone, on paper and in MLflow.

No function knows pyplot or any other global state; crowds of points are drawn as pixels, so that a picture stays small.
"""

import re
from collections.abc import Callable, Iterable
from functools import wraps
from io import StringIO
from typing import Any, NamedTuple, ParamSpec, TypeVar
from xml.sax.saxutils import escape

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from insiders.language import Language

ENGLISH = Language("en", "XXX")  # ISO 4217: no currency; a picture outside of the page shows no money with its sign
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
MONTHS_NAMED = 14  # at most so many below an axis
MONTH_STEPS = (1, 2, 3, 4, 6, 12)  # what a year divides into, so that January is always named, with its year
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


class Picture(NamedTuple):
    """A figure with the words that stand below it, and those that a screen reader says."""

    figure: Figure
    title: str
    description: str


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


def room(labels: Iterable[str]) -> float:
    """The left margin that these labels of a vertical axis need, whatever the language."""
    return min(0.05 + 0.0135 * max(map(len, labels), default=0), 0.55)


def shares(axis: Axis, language: Language) -> None:
    """Write 0.2 on an axis as the language writes 20%."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: language.share(value, 0)))


def amounts(axis: Axis, language: Language) -> None:
    """Write 250,000 on an axis as the language writes 250K."""
    axis.set_major_formatter(FuncFormatter(language.compact))


def name_months(axes: Axes, month: pd.Series, language: Language) -> None:
    """Name the months that stand at 0, 1, 2, ... below an axis: all, or every second, third ... from January on."""
    stamps = pd.to_datetime(month)
    step = next((step for step in MONTH_STEPS if len(stamps) <= step * MONTHS_NAMED), MONTH_STEPS[-1])
    places = [place for place, at in enumerate(stamps) if (at.month - 1) % step == 0]
    axes.set_xticks(places, month_names(stamps.iloc[places], language))


def month_names(month: pd.Series, language: Language = ENGLISH) -> list[str]:
    """Letters of each month, with the year below January, and below the first month unless January is near."""
    stamps = pd.to_datetime(month)
    years = [at.month == 1 or (place == 0 and at.month < 11) for place, at in enumerate(stamps)]  # noqa: PLR2004
    letters = [language.month_letters(at) for at in stamps]
    return [f"{name}\n{at:%Y}" if year else f"{name}\n " for name, at, year in zip(letters, stamps, years, strict=True)]

"""The programme check by check."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from insiders.language import Language
from insiders.report.figures.scene import Scene
from insiders.report.figures.style import (
    ENGLISH,
    INK,
    INSIDER,
    OTHER,
    QUIET,
    RULE,
    SIZE,
    Picture,
    amounts,
    canvas,
    name_months,
    styled,
)


def pictures(scene: Scene) -> dict[str, Picture]:
    checks, say = scene.answers["leave"]["months"], scene.language.say
    if not checks:
        return {}
    return {
        "programme": Picture(
            programme(pd.DataFrame(checks), scene.language),
            say("Members at each check"),
            described(scene.language),
        )
    }


def described(language: Language) -> str:
    return language.say(
        "Stacked bars for each check: members who stayed, are in grace, joined or returned; below the line those who "
        "left."
    )


@styled
def programme(checks: pd.DataFrame, language: Language = ENGLISH, height: float = SIZE[1]) -> Figure:
    """Members at each check (columns as_of, stayed, in_grace, joined, returned, left); below the line who left.

    `height` in inches.
    """
    figure, axes = canvas(left=0.12, bottom=0.42 / height, top=1 - 0.35 / height, height=height)
    say = language.say
    places = np.arange(len(checks))
    below = np.zeros(len(checks))
    layers = {
        "stayed": (INSIDER, say("stayed")),
        "in_grace": ("#f2b48a", say("in grace")),
        "joined": (OTHER, say("joined")),
        "returned": (QUIET, say("returned")),
    }
    for column, (color, label) in layers.items():
        axes.bar(places, checks[column], bottom=below, color=color, width=0.8, label=label)
        below = below + checks[column].to_numpy(float)
    axes.bar(places, -checks["left"], color=INK, width=0.8, label=say("left"))
    axes.axhline(0, color=RULE, lw=0.8)
    _name_checks(axes, checks["as_of"], language)
    axes.set(ylabel=say("members"))
    amounts(axes.yaxis, language)
    figure.legend(loc="upper left", ncols=5, bbox_to_anchor=(0.08, 1.02), columnspacing=1.0, handlelength=1.2)
    return figure


def _name_checks(axes: Axes, days: pd.Series, language: Language) -> None:
    """By months; a last check in the month of the one before is the present."""
    is_present = len(days) > 1 and days.iloc[-1][:7] == days.iloc[-2][:7]
    name_months(axes, days.iloc[:-1] if is_present else days, language)
    if is_present:
        names = [label.get_text() for label in axes.get_xticklabels()]
        now = "\n" + language.say("now")  # below: beside the month before there is no room
        axes.set_xticks([*axes.get_xticks(), len(days) - 1], [*names, now])

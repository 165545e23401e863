"""The exploration page of the small shop of report_tables, whose files lie in the working folder."""

from typing import Any

import pandas as pd

import report_tables as shop
from insiders.answers import exploration
from insiders.language import Language
from insiders.report import exploration as report
from insiders.report import page
from insiders.report.figures import exploration as figures
from insiders.report.figures import style


def looked(registered: dict[str, Any] | None = None, people: pd.DataFrame | None = None) -> exploration.Look:
    manifest = registered or shop.registered()
    known = shop.members(shop.customers()) if people is None else people
    return exploration.look(known, shop.trials(), manifest)


def written(seen: exploration.Look, answers: dict[str, Any], language: Language) -> tuple[dict[str, Any], str]:
    numbers = report.build(seen.numbers, answers)
    drawn = figures.pictures(figures.Sight(numbers, seen.spots, page.labels(language), language))
    pictures = {name: page.Drawing(style.svg(*each), each.title) for name, each in drawn.items()}
    return numbers, report.render(numbers, answers, pictures, language)

"""All that the report writes: the nine answers as JSON, the page, its figures, lists of customers, the second page."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from insiders.answers import exploration
from insiders.answers.inputs import Inputs
from insiders.answers.registry import ANSWERS, Answer
from insiders.io import paths, spreadsheets, tables
from insiders.io.tables import Contents
from insiders.report import metrics, page, sheets, text
from insiders.report.figures import summary
from insiders.report.figures.scene import Scene
from insiders.report.numbers import Answers, tidy
from insiders.report.page import Drawing

if TYPE_CHECKING:
    import pandas as pd

# What earlier stages and the report write beside the page, besides lists of customers.
OWN = (
    *(paths.INSIDERS, paths.TRIALS, paths.ANSWERS, paths.METRICS, paths.EXPLORATION_PAGE, paths.EXPLORATION_NUMBERS),
    paths.INTAKE,
)


def write(inputs: Inputs) -> Mapping[str, float]:
    """Write every file once all of them are computed. -> the figures, by dotted name."""
    inputs.look_at_purchases()
    answers, kind = compose(inputs), inputs.settings.report.spreadsheet
    figures = metrics.build(answers)
    lists = {path: list_ for row in ANSWERS for path, list_ in row.lists(inputs).items()}
    worded = in_words(inputs, lists)
    beside = _beside([*lists, *(paths.SPREADSHEETS / name for name in spreadsheets.names(worded, kind))])
    html = page.render(answers, figures, draw(inputs, answers), inputs.language, beside)
    second = exploration.explore(inputs, answers)
    tables.write_json(answers, paths.ANSWERS)
    tables.write_json(figures, paths.METRICS)
    tables.write_together(lists)
    _remove_audiences_but(lists)
    spreadsheets.write(worded, paths.SPREADSHEETS, kind, inputs.language.decimal)
    tables.write_text(html, paths.PAGE)
    tables.write_json(second.numbers, paths.EXPLORATION_NUMBERS)
    tables.write_text(second.html, paths.EXPLORATION_PAGE)
    return metrics.flat(figures)


def _beside(lists: Iterable[Path]) -> list[str]:
    """Every file beside the page, as a link names it."""
    return [path.relative_to(paths.REPORTS).as_posix() for path in (*OWN, *lists)]


def in_words(inputs: Inputs, lists: Contents) -> dict[str, "pd.DataFrame"]:
    """The lists for people, by their names, in words."""
    meant = tables.spreadsheet_read(lists[paths.AUDIENCES][0])
    frames = {"insiders": inputs.insiders, "audiences": meant, "recommendations": inputs.recommended}
    return {name: sheets.worded(frame, inputs.language) for name, frame in frames.items()}


def _remove_audiences_but(written: Collection[Path]) -> None:
    """An action that is no longer among the settings means nobody."""
    for path in sorted(set(paths.AUDIENCE_FILES.glob("*.csv")) - set(written)):
        path.unlink()


def compose(inputs: Inputs, rows: Iterable[Answer] = ANSWERS) -> Answers:
    """Each answer with its question, one sentence and the numbers behind it, as plain JSON values."""
    environment = text.environment(inputs.language)
    numbers = {row.key: tidy(row.numbers(inputs)) for row in rows}
    worded = {
        key: {**text.wording(environment, key, each)._asdict(), **each}  # question and answer first
        for key, each in numbers.items()
    }
    return cast("Answers", worded)


def draw(inputs: Inputs, answers: Answers) -> dict[str, Drawing]:
    """Every picture of the page, by name."""
    scene = Scene(inputs.members, inputs.trials, answers, text.labels(inputs.language), inputs.language)
    drawn = [summary.pictures(scene), *(row.pictures(scene) for row in ANSWERS)]
    return {name: Drawing.of(picture) for pictures in drawn for name, picture in pictures.items()}

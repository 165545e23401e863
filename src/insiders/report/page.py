"""The page: one HTML file that needs no network and no script, for a screen, a phone or paper."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

from insiders.language import Language
from insiders.report import glossary, text
from insiders.report.figures import style
from insiders.report.figures.style import Picture
from insiders.report.metrics import Metrics
from insiders.report.numbers import Answers


class Drawing(NamedTuple):
    """An <svg> element and the words below it."""

    svg: str
    title: str

    @classmethod
    def of(cls, picture: Picture) -> Self:
        return cls(style.svg(*picture), picture.title)


def render(
    answers: Answers,
    metrics: Metrics,
    pictures: Mapping[str, Drawing],
    language: Language,
    files: Sequence[str] = (),
) -> str:
    """Fill the template; every number in it comes from `answers` or `metrics`. `files` lie beside the page."""
    template = text.environment(language).get_template("page.html.j2")
    html = template.render(answers=answers, metrics=metrics, pictures=pictures, files=files)
    return glossary.link(html, text.words(language).glossary)

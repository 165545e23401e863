"""The page: one HTML file that needs no network and no script, for a screen, a phone or paper."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from insiders.language import Language
from insiders.report import text


class Drawing(NamedTuple):
    """An <svg> element and the words below it."""

    svg: str
    title: str


def render(
    answers: Mapping[str, Any], metrics: Mapping[str, Any], pictures: Mapping[str, Drawing], language: Language
) -> str:
    """Fill the template; every number in it comes from `answers` or `metrics`."""
    template = text.environment(language).get_template("page.html.j2")
    return template.render(answers=answers, metrics=metrics, pictures=pictures)


def labels(language: Language) -> Mapping[str, str]:
    """Readable names of columns and of the ways to choose customers."""
    words: Any = text.environment(language).globals["words"]
    found: Mapping[str, str] = words.labels
    return found

"""The page: one HTML file that needs no network and no script, for a screen, a phone or paper."""

from collections.abc import Mapping
from typing import Any

from insiders.report import text


def render(
    answers: Mapping[str, Any], metrics: Mapping[str, Any], pictures: Mapping[str, str], currency: str, language: str
) -> str:
    """Fill the template; every number in it comes from `answers` or `metrics`, every picture is an <svg> element."""
    environment = text.environment(currency)
    words = text.sentences(environment, language)
    template = environment.get_template(f"page.{language}.html.j2")
    return template.render(answers=answers, metrics=metrics, pictures=pictures, words=words)


def captions(language: str, currency: str) -> Mapping[str, tuple[str, str]]:
    """Title and description of each picture, by its name."""
    found: Mapping[str, tuple[str, str]] = text.sentences(text.environment(currency), language).pictures
    return found


def labels(language: str, currency: str) -> Mapping[str, str]:
    """Readable names of columns and of the ways to choose customers."""
    found: Mapping[str, str] = text.sentences(text.environment(currency), language).labels
    return found

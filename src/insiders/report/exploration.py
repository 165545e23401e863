"""The exploration page: from the data to the list and what follows, each step with what was found in these data."""

from collections.abc import Mapping

from insiders.language import Language
from insiders.report import glossary, text
from insiders.report.numbers import Answers
from insiders.report.page import Drawing


def render(numbers: Mapping[str, object], answers: Answers, pictures: Mapping[str, Drawing], language: Language) -> str:
    """Fill the template; every number comes from `numbers`, what is told of the run from `answers`."""
    template = text.environment(language).get_template("exploration.html.j2")
    html = template.render(found=numbers, steps=numbers["steps"], answers=answers, pictures=pictures)
    return glossary.link(html, text.words(language).glossary, "index.html")

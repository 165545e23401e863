"""How the page and the answers are worded: templates in one language's texts, numbers written in its way."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from insiders.language import NONE, Language
from insiders.report.certainty import certainty

if TYPE_CHECKING:
    from insiders.programme.readout import ReadOut


@cache  # with the templates that it compiled: both pages share most of them
def environment(language: Language) -> Environment:
    """Templates of this package; what ends with .html.j2 is escaped, a missing number is an error.

    Every template knows `words` (labels, units, the glossary), `language`, `currency` and `certainty`.
    """
    made = Environment(
        loader=PackageLoader("insiders.report"),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html.j2"], default=False),
        extensions=["jinja2.ext.i18n"],
        lstrip_blocks=True,
    )
    made.policies["ext.i18n.trimmed"] = True
    texts: Any = made  # the extension adds a method that no type knows
    texts.install_gettext_translations(language.translations, newstyle=True)
    made.filters.update({name: _or_dash(write) for name, write in _filters(language).items()})
    made.globals.update(language=language.name, currency=language.currency, certainty=certainty)
    made.globals["words"] = made.get_template("words.j2").module
    return made


def _filters(language: Language) -> dict[str, Callable[..., str]]:
    return {
        "count": language.count,
        "amount": language.amount,
        "money": language.money,
        "rounded": language.rounded,
        "share": language.share,
        "beyond": language.beyond,
        "ratio": language.ratio,
        "number": language.number,
        "day": language.day,
        "month": language.month,
        "weekday": language.weekday,
        "segment": language.segment,
        "country": language.country,
    }


class Words(Protocol):
    """What templates/words.j2 sets, as far as code asks for it."""

    labels: Mapping[str, str]
    reasons: Mapping[str, str]
    gates: Mapping[str, str]
    sides: Mapping[str, tuple[str, str]]
    glossary: Mapping[str, tuple[str, str, str]]
    heads: Mapping[str, str]
    actions: Mapping[str, str]
    codes: Mapping[str | bool, str]

    def portrait(self, difference: object) -> str:
        """A trait in which a segment lies apart (portraits.Difference)."""


def words(language: Language) -> Words:
    return cast("Words", environment(language).globals["words"])


def labels(language: Language) -> Mapping[str, str]:
    """Readable names of columns and of the ways to choose customers."""
    return words(language).labels


class Wording(NamedTuple):
    """A question, and the sentence that answers it."""

    question: str
    answer: str


def readout(language: Language, numbers: "ReadOut") -> list[str]:
    """Lines on the experiment's reading, as sentences/readout.j2 words them."""
    module: Any = environment(language).get_template("sentences/readout.j2").module
    lines = (module.sentence, module.power, module.stop)
    verdict, *outlook = (_one_line(each(numbers)) for each in lines)
    return [module.question, verdict, *(_one_line(module.arm(row)) for row in numbers["arms"]), *outlook]


def wording(environment: Environment, key: str, numbers: object) -> Wording:
    """What sentences/KEY.j2 says, without the line breaks of the template."""
    module: Any = environment.get_template(f"sentences/{key}.j2").module
    return Wording(module.question, _one_line(module.sentence(numbers)))


def _one_line(text: str) -> str:
    return re.sub("[ \n]+", " ", text).strip()


def _or_dash(write: Callable[..., str]) -> Callable[..., str]:
    return lambda value, *rest: NONE if value is None else write(value, *rest)

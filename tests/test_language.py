"""How each language writes, and that nothing which the page says is missing in any of them."""

import re
import tomllib
from datetime import date
from functools import cache
from io import BytesIO
from typing import Any

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

from insiders import language
from insiders.evidence import gates
from insiders.language import LOCALES, Language
from insiders.model import segments
from insiders.report import text
from small_shop import TOP

ENGLISH, PORTUGUESE = (Language(name, "GBP") for name in LOCALES)
OTHERS = [name for name in LOCALES if name != language.TEXTS_ARE_IN]
KEYWORDS = {**DEFAULT_KEYWORDS, "say": None, "named": ((1, "c"), 2)}
PLACE = re.compile(r"%\(\w+\)s|\{\w+\}|%%")

WRITTEN = [
    ("count", (12_345.6,), "12,346", "12.346"),
    ("amount", (12_345.6,), "12,346", "12.346"),
    ("amount", (12.5,), "12.50", "12,50"),
    ("amount", (12.0,), "12", "12"),
    ("money", (12_345.6,), "£12,346", "£\u00a012.346"),
    ("money", (-12.5,), "-£12.50", "-£\u00a012,50"),
    ("rounded", (1_145_000,), "£1.1M", "£\u00a01,1\u00a0mi"),
    ("rounded", (99_600,), "£100K", "£\u00a0100\u00a0mil"),
    ("rounded", (-912,), "-£910", "-£\u00a0910"),
    ("rounded", (0,), "£0", "£\u00a00"),
    ("beyond", (1.072,), "7%", "7%"),
    ("beyond", (0.988, 1), "1.2%", "1,2%"),
    ("share", (0.1234,), "12.3%", "12,3%"),
    ("share", (12.34, 0), "1,234%", "1.234%"),
    ("ratio", (1.01,), "1.010", "1,010"),
    ("number", (1234.50,), "1,234.5", "1.234,5"),
    ("number", (3.0,), "3", "3"),
    ("compact", (250_000,), "250K", "250\u00a0mil"),
    ("compact", (1_250_000,), "1.2M", "1,2\u00a0mi"),
    ("day", (date(2011, 12, 10),), "10 December 2011", "10 de dezembro de 2011"),
    ("day", ("2011-12-10",), "10 December 2011", "10 de dezembro de 2011"),
    ("month", ("2011-12",), "Dec 2011", "dez. de 2011"),
    ("month_letters", (date(2011, 12, 1),), "Dec", "dez"),
    ("weekday", (0,), "Mon", "seg"),
]


@pytest.mark.parametrize(("kind", "values", "english", "portuguese"), WRITTEN)
def test_numbers_and_days_are_written_as_the_language_does(
    kind: str, values: tuple[Any, ...], english: str, portuguese: str
) -> None:
    assert [getattr(each, kind)(*values) for each in (ENGLISH, PORTUGUESE)] == [english, portuguese]


def test_a_currency_without_cents_gets_none() -> None:
    assert Language("en", "JPY").money(12_345) == "JP¥12,345"
    assert Language("pt-BR", "BRL").money(12_345.6) == "R$\u00a012.346"


def test_countries_are_named_in_the_language_where_they_are_known() -> None:
    names = ["United Kingdom", "EIRE", "Brazil"]
    assert [PORTUGUESE.country(name) for name in names] == ["Reino Unido", "EIRE", "Brasil"]
    assert [ENGLISH.country(name) for name in names] == names


def test_every_gate_has_words() -> None:
    words: Any = text.environment(ENGLISH).globals["words"]
    assert set(words.gates) == set(gates.MEANINGS)


def test_names_of_segments_are_put_together_from_their_words() -> None:
    assert ENGLISH.segment("Insiders: frequent, large orders, 2") == "Insiders: frequent, large orders, 2"
    said = PORTUGUESE.segment("Regular, recently active, 2")
    assert said.endswith(", 2")
    assert "Regular, recently" not in said


def test_every_word_of_a_segments_name_is_known() -> None:
    names = [condition.name for condition in segments.CONDITIONS]
    words = {*names, *map(str.lower, names), segments.INSIDERS, segments.OTHERS, segments.UNCLUSTERED}
    assert words | {each for pair in segments.TRAITS.values() for each in pair} <= set(language.SEGMENT_WORDS)


Message = tuple[str | None, str]  # context and text


@cache
def said() -> set[Message]:
    """Every message that templates and code mark, found as `make texts` finds them."""
    rules = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["babel"]["mappings"]
    methods = [(rule["pattern"], rule["method"]) for rule in rules]
    options = {rule["pattern"]: {k: v for k, v in rule.items() if k not in ("pattern", "method")} for rule in rules}
    found = extract_from_dir(str(TOP / "src/insiders"), methods, options, KEYWORDS)
    return {(context, text) for _, _, text, _, context in found if isinstance(text, str)}


@pytest.mark.parametrize("name", OTHERS)
def test_nothing_that_is_said_is_untranslated_and_nothing_translated_is_unsaid(name: str) -> None:
    known = read_po(BytesIO(language.source(name)))
    translated = {(each.context, each.id) for each in known if each.id and each.string and not each.fuzzy}
    assert sorted(said() - translated, key=str) == []
    assert sorted(translated - said(), key=str) == []


@pytest.mark.parametrize("name", OTHERS)
def test_no_translation_loses_a_placeholder_or_its_edges(name: str) -> None:
    for each in read_po(BytesIO(language.source(name))):
        if each.id:
            assert sorted(PLACE.findall(each.string)) == sorted(PLACE.findall(each.id)), each.id
            assert each.string == each.string.strip(), each.id
            assert each.id.endswith((".", "?", ":")) == each.string.endswith((".", "?", ":")), each.id


def test_a_message_says_a_whole_thing() -> None:
    """No text begins or ends with white space: nothing is glued together from parts."""
    assert [text for _, text in said() if text != text.strip()] == []


def test_the_catalogue_is_that_of_the_language() -> None:
    assert ENGLISH.say("net revenue") == "net revenue"
    assert PORTUGUESE.say("net revenue") == "faturamento líquido"

"""Every number that a reader sees is one of answers.json or metrics.json, written by the page's own filters."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, NamedTuple

import pytest

import report_tables as shop
from insiders.language import LOCALES, Language
from insiders.report import metrics, page, text

OPEN, CLOSE = "\u2060", "\u2061"  # invisible: around everything that a filter has written
# Numbers that belong to the words and not to the shop, each with what it stands for.
STRUCTURAL = {
    **{str(number): "heading of an answer, or a reference to one" for number in range(1, 10)},
    "0": "end of a scale that a note explains",
    "30": "unit of a column: orders per 30 days",
    "90": "name of a column: of the last 90 days",
    "180": "name of a column: of the last 180 days",
    "256": "sha256",
    "0.15": "Cliff's delta: negligible below (Romano et al. 2006)",
    "0.47": "Cliff's delta: large from here on (Romano et al. 2006)",
}


def leaves(value: Any) -> Iterator[Any]:
    """Every value at any depth, and how many entries each list has."""
    if isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        yield len(value)
        for each in value:
            yield from leaves(each)
    else:
        yield value


class Recorder:
    """Stands in for the page's filters: notes each value, and marks what they write."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def filters(self, language: Language) -> dict[str, Any]:
        return {name: self._marking(write) for name, write in FILTERS(language).items()}

    def _marking(self, write: Any) -> Any:
        def marked(value: Any, *rest: Any) -> str:
            self.values.append(value)
            return f"{OPEN}{write(value, *rest)}{CLOSE}"

        return marked


FILTERS = text._filters


class Reader(HTMLParser):
    """The words that a reader sees; pictures and style are not read."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self._hidden = "", 0

    def handle_starttag(self, tag: str, _attrs: Any) -> None:
        self.words += " "
        self._hidden += tag in ("svg", "style", "script", "title")

    def handle_endtag(self, tag: str) -> None:
        self.words += " "
        self._hidden -= tag in ("svg", "style", "script", "title")

    def handle_data(self, data: str) -> None:
        self.words += "" if self._hidden else data


class Shown(NamedTuple):
    words: str
    written: list[Any]  # the values that filters wrote
    known: list[Any]  # all values of answers.json and metrics.json
    nine: dict[str, Any]


def record(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write through the recorder, with templates of its own: those that are compiled already keep their filters."""
    monkeypatch.setattr(text, "_filters", recorder.filters)
    monkeypatch.setattr(text, "environment", text.environment.__wrapped__)


@pytest.fixture(scope="module", params=LOCALES)
def shown(request: pytest.FixtureRequest) -> Shown:
    recorder, reader = Recorder(), Reader()
    with pytest.MonkeyPatch.context() as monkeypatch:
        record(recorder, monkeypatch)
        nine = shop.nine(shop.Shop(language=request.param))
        figures = metrics.build(nine)
        reader.feed(page.render(nine, figures, {}, Language(request.param, "GBP")))
    return Shown(reader.words, recorder.values, [*leaves(nine), *leaves(figures)], nine)


def without_marked(words: str) -> str:
    return re.sub(f"{OPEN}[^{CLOSE}]*{CLOSE}", " ", words)


def test_whatever_a_filter_writes_is_an_answer(shown: Shown) -> None:
    assert len(shown.written) > 300
    assert [value for value in shown.written if value not in shown.known] == []


def test_no_number_is_written_without_a_filter(shown: Shown) -> None:
    outside, origin = without_marked(shown.words), shown.nine["guarantee"]["provenance"]
    texts = {without_marked(each) for each in shown.known if isinstance(each, str) and re.search(r"\d", each)}
    named = {*texts, str(origin["seed"]), origin["sha256"][:12]}  # names, ids, days, code; a seed is no quantity
    for each in sorted(named, key=len, reverse=True):
        outside = re.sub(rf"(?<![\d.,]){re.escape(each)}(?!\d)", " ", outside)  # whole, and not a part of a number
    found = {each.replace(",", ".") for each in re.findall(r"\d+(?:[.,]\d+)*", outside)}
    assert sorted(found - set(STRUCTURAL)) == []


def test_the_recorder_would_notice_a_number_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check itself: a template that computes is caught."""
    recorder = Recorder()
    record(recorder, monkeypatch)
    made = text.environment(Language("en", "GBP")).from_string("{{ (n + 1) | count }}")
    assert made.render(n=41) == f"{OPEN}42{CLOSE}"
    assert [value for value in recorder.values if value == 42] == [42]

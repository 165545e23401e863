"""The page as a manager reads it: nine tiles of few words, short sections, and no term of statistics unfolded."""

import re
from functools import cache
from html.parser import HTMLParser

import pandas as pd
import pytest

import report_tables as shop
from insiders.io import paths
from insiders.language import LOCALES, Language
from insiders.programme import movement
from insiders.report import metrics, page
from insiders.report.certainty import certainty

TILE_WORDS, SECTION_WORDS, PAGE_WORDS = 20, 350, 3500
VOID = {"meta", "link", "br", "img", "input", "hr"}
# What only a statistician reads with profit; each has its plain words on the page, or stands in a fold.
STATISTICS = {
    "en": "lift oracle baseline bootstrap resampl p-value Cohen Cliff Gini Jaccard Rand silhouette precision recall "
    "NDCG MASE ETS ARIMA CUPED caliper variance deviation standardised quartile median confidence interval significan "
    "regression hypothes strata stratum embedding foresight top-N caliper",
    "pt-BR": "lift oráculo bootstrap reamostr p-valor Cohen Cliff Gini Jaccard Rand silhueta precisão revocação NDCG "
    "MASE ETS ARIMA CUPED variância desvio padronizad quartil mediana confiança intervalo significân regressão "
    "hipótese estrato representação previsibilidade caliper",
}


class Unfolded(HTMLParser):
    """The words that stand open, by tile and by section; of a fold only its summary."""

    def __init__(self) -> None:
        super().__init__()
        self.tiles: list[str] = []
        self.sections: list[str] = []
        self.text = ""
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        in_tiles = bool(self._open) and self._open[-1] == "tiles"
        self._open.append("tiles" if ("class", "tiles") in attrs else "tile" if in_tiles else tag)
        self.tiles += [""] if in_tiles else []
        self.sections += [""] if tag == "section" else []
        self._add(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._open.pop()
            self._add(" ")

    def handle_data(self, data: str) -> None:
        hidden = {"style", "script", "title", "svg", "head"} & set(self._open)
        folded = self._open.count("details") and (self._open.count("details") > 1 or "summary" not in self._open)
        if not hidden and not folded:
            self._add(data)

    def _add(self, data: str) -> None:
        self.text += data
        if "tile" in self._open:
            self.tiles[-1] += data
        if "section" in self._open:
            self.sections[-1] += data


@cache
def html(language: str) -> str:
    nine = shop.nine(shop.Shop(language=language))
    return page.render(nine, metrics.build(nine), {}, Language(language, "GBP"))


def unfolded(document: str) -> Unfolded:
    reader = Unfolded()
    reader.feed(document)
    return reader


def words(text: str) -> int:
    return len([word for word in text.split() if re.search(r"\w", word)])


@pytest.mark.parametrize("language", LOCALES)
def test_nine_tiles_answer_in_few_words(language: str) -> None:
    tiles = unfolded(html(language)).tiles
    assert len(tiles) == 9
    assert {tile: words(tile) for tile in tiles if words(tile) > TILE_WORDS} == {}


@pytest.mark.parametrize("language", LOCALES)
def test_what_is_not_folded_is_short(language: str) -> None:
    read = unfolded(html(language))
    assert [words(section) for section in read.sections if words(section) > SECTION_WORDS] == []
    assert words(read.text) <= PAGE_WORDS


@pytest.mark.parametrize("language", LOCALES)
def test_no_term_of_statistics_stands_unfolded(language: str) -> None:
    text, terms = unfolded(html(language)).text, STATISTICS[language].split()
    assert [term for term in terms if re.search(rf"\b{term}", text, re.IGNORECASE)] == []


def test_the_words_of_the_list_are_there_where_they_are_folded() -> None:
    """The list itself: without folds it would find what it looks for."""
    text = unfolded(html("en").replace("<details>", "<div>").replace("</details>", "</div>")).text
    assert {"Gini", "silhouette"} - {term for term in ("Gini", "median", "interval") if term in text} == {"silhouette"}


def test_without_a_list_every_tile_says_so_in_its_place() -> None:
    told = shop.nine(shop.Shop(shop.regime("none", passed=False, champion_version=None, backtest=[]), shop.nobody()))
    read = unfolded(page.render(told, metrics.build(told), {}, Language("en", "GBP")))
    assert len(read.tiles) == 9
    assert sum("No list can be defended" in tile for tile in read.tiles) >= 5
    assert [tile for tile in read.tiles if words(tile) > TILE_WORDS] == []


def test_every_action_that_is_told_first_pays_and_has_its_file() -> None:
    ranked = [each for each in shop.usual()["actions"]["ranked"] if each["gain"] > 0]
    assert [each["gain"] for each in ranked] == sorted((each["gain"] for each in ranked), reverse=True)
    links = re.findall(r'<li><a href="([^"]+)"', html("en")[: html("en").index("</header>")])
    first = [paths.audience(each["key"]).relative_to(paths.REPORTS).as_posix() for each in ranked[:3]]
    assert [link for link in links if link.startswith("audiences/")][: len(first)] == first


# What changed.


def test_changes_count_from_the_check_before_or_from_the_last_decision() -> None:
    def walk(decided: list[bool]) -> movement.Walk:
        rows = [("a", "stayed"), ("b", "left"), ("c", "outside")], [("a", "stayed"), ("c", "joined")], [("c", "stayed")]
        days = ["2011-10-01", "2011-11-01", "2011-12-01"]
        table = [
            {"customer_id": name, "as_of": day, "event": "joined" if day == days[0] and name != "c" else event}
            for day, each in zip(days, rows, strict=True)
            for name, event in each
        ]
        frame = pd.DataFrame(table)
        flags = dict(zip(days, decided, strict=True))
        frame["decided"] = frame["as_of"].map(flags)
        return movement.Walk.of(frame.assign(as_of=pd.to_datetime(frame["as_of"])))

    before = movement.since(walk([False, False, False]))
    decided = movement.since(walk([True, False, False]))
    assert before == {"as_of": "2011-11-01", "decided": False, "members": 2, "joined": 0, "left": 1}
    assert decided == {"as_of": "2011-10-01", "decided": True, "members": 2, "joined": 1, "left": 2}


# How sure.


@pytest.mark.parametrize(
    ("ratio", "low", "high", "says"),
    [
        (1.07, 1.01, 1.13, "certain"),
        (0.9, 0.8, 0.99, "certain"),
        (1.07, 0.97, 1.17, "likely"),  # 80 %: 1.005 to 1.135
        (0.93, 0.83, 1.03, "likely"),
        (1.05, 0.95, 1.15, "unsure"),  # 80 %: 0.985 to 1.115
        (1.0, 1.0, 1.0, "unsure"),
    ],
)
def test_how_sure_a_ratio_is_follows_from_its_interval(ratio: float, low: float, high: float, says: str) -> None:
    assert certainty(ratio, low, high) == says

"""Links to words of the glossary: the first use in each section, and nowhere where a link would be one too many."""

import re

import pytest

import report_tables as shop
from insiders.language import LOCALES, Language
from insiders.report import glossary, metrics, page, text

WORDS = {
    "insider": ("Insider", "Insiders, Insider", "a member"),
    "list": ("Best simple list", "best simple list", "by one number"),
    "lot": ("By lot", "by lot", "at random"),
}


def linked(section: str) -> str:
    return glossary.link(f"<section>{section}</section>", WORDS).removeprefix("<section>").removesuffix("</section>")


def test_the_first_use_in_a_section_is_a_link() -> None:
    assert linked("<p>An insider, two Insiders.</p>") == (
        '<p>An <a class="word" href="#word-insider">insider</a>, two Insiders.</p>'
    )
    both = glossary.link("<section>Insider</section><section>Insider</section>", WORDS, "index.html")
    assert both.count('href="index.html#word-insider"') == 2


def test_only_whole_words_are_linked() -> None:
    assert linked("<p>Insidership, slot by lottery</p>") == "<p>Insidership, slot by lottery</p>"


@pytest.mark.parametrize(
    "where",
    [
        '<a href="#x">Insiders</a>',
        "<h2>Insiders</h2>",
        "<summary>Insiders</summary>",
        "<svg><title>Insiders</title></svg>",
        "<tbody><tr><td>Insiders</td></tr></tbody>",
        '<p title="Insiders">none</p>',
    ],
)
def test_a_link_a_head_and_a_picture_keep_their_words(where: str) -> None:
    assert linked(where) == where
    assert linked(f"{where}<p>Insiders</p>").count('class="word"') == 1  # what follows is open again


@pytest.mark.parametrize("language", LOCALES)
def test_every_link_leads_to_a_word_and_the_page_uses_most_of_them(language: str) -> None:
    nine = shop.nine(shop.Shop(language=language))
    spoken = Language(language, "GBP")
    html = page.render(nine, metrics.build(nine), {}, spoken)
    used, known = (set(re.findall(pattern, html)) for pattern in ('href="#word-([a-z_]+)"', 'id="word-([a-z_]+)"'))
    assert used <= known == set(text.words(spoken).glossary)
    assert len(used) >= 9
    for section in re.findall(r"<section>.*?</section>", html, re.DOTALL):
        links = re.findall(r'href="#word-([a-z_]+)"', section)
        assert len(links) == len(set(links))

"""The page as a browser shows it: both languages, phone, desktop and paper, no network, nothing that axe forbids."""

import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

import exploration_tables
import report_tables as shop
from insiders.answers import exploration, outputs
from insiders.language import LOCALES, Language
from insiders.report import metrics, page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDTHS = {"phone": 390, "desktop": 1280}
FILES = ("insiders.csv", "audiences/perks.csv", "spreadsheets/insiders.csv")
PAPER = 688  # CSS pixels that A4 leaves between margins of 14 mm

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


PAGES = [("index.html", language) for language in LOCALES] + [("exploration.html", "pt-BR")]


@pytest.fixture(scope="module", params=PAGES, ids=" ".join)
def document(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of the small shop, with their pictures: the first in each language."""
    name, spoken = request.param
    language, folder = Language(spoken, "GBP"), tmp_path_factory.mktemp("page")
    draw = _first if name == "index.html" else _second
    (folder / name).write_text(draw(language, folder), encoding="utf-8")
    return folder / name


def _second(language: Language, folder: Path) -> str:
    shop.write(folder)
    with chdir(folder):
        return exploration.write(exploration_tables.look(), shop.nine(shop.Shop()), language).html


def _first(language: Language, _folder: Path) -> str:
    inputs = shop.Shop(language=language.name)
    nine = shop.nine(inputs)
    return page.render(nine, metrics.build(nine), outputs.draw(inputs, nine), language, FILES)


class Opened:
    """A page in a window of some width, and whatever it asked of the network or said on the console."""

    def __init__(self, browser: Any, document: Path, width: int) -> None:
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page = browser.new_page(viewport={"width": width, "height": 900})
        self.page.route("**/*", self._answer)
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(document.as_uri())

    def _answer(self, route: Any) -> None:
        if route.request.url.startswith("file:") and route.request.is_navigation_request():
            route.continue_()
        else:
            self.asked.append(route.request.url)
            route.abort()

    def unfold(self) -> None:
        self.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")

    def too_wide(self) -> list[str]:
        """Elements that reach out of the window, other than what scrolls by itself."""
        return self.page.evaluate(
            """() => [...document.body.querySelectorAll('*')]
                .filter(each => !each.closest('.scroll, svg, figure') || each.matches('.scroll, figure'))
                .filter(each => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
                .map(each => each.tagName + ' ' + each.className + ' ' + each.textContent.trim().slice(0, 40))"""
        )


@pytest.fixture(params=WIDTHS.values(), ids=WIDTHS)
def opened(request: pytest.FixtureRequest, browser: Any, document: Path) -> Iterator[Opened]:
    shown = Opened(browser, document, request.param)
    yield shown
    shown.page.close()


def test_it_asks_nothing_of_the_network_and_says_nothing_on_the_console(opened: Opened) -> None:
    opened.unfold()
    opened.page.wait_for_load_state()
    assert opened.asked == []
    assert opened.said == []


def test_nobody_scrolls_sideways(opened: Opened) -> None:
    opened.unfold()
    assert opened.too_wide() == []
    assert opened.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_axe_finds_no_violation(opened: Opened) -> None:
    from axe_playwright_python.sync_playwright import Axe

    opened.unfold()
    found = Axe().run(opened.page).response["violations"]
    assert [(each["id"], [node["html"][:150] for node in each["nodes"][:3]]) for each in found] == []


def test_every_answer_is_one_click_from_the_top(opened: Opened) -> None:
    links = opened.page.query_selector_all("nav a")
    assert len(links) >= 9
    for link in links:
        target = link.get_attribute("href")
        if target.startswith("#"):
            assert opened.page.query_selector(f"h2{target}")


def test_the_bar_marks_the_section_on_screen(opened: Opened, document: Path) -> None:
    if document.name != "index.html":
        pytest.skip("only the first page has a bar")
    marked = opened.page.locator(".bar [aria-current]")
    assert marked.count() == 0  # on the summary
    for key in ("leave", "who"):
        opened.page.evaluate(f"document.getElementById({key!r}).scrollIntoView({{behavior: 'instant'}})")
        opened.page.wait_for_function(f"document.querySelector('.bar [aria-current]')?.hash === '#{key}'")
    assert marked.count() == 1


def test_a_word_unfolds_the_glossary(opened: Opened, document: Path) -> None:
    if document.name != "index.html":
        pytest.skip("only the first page has the glossary")
    word = opened.page.locator("a.word").first
    target = opened.page.locator(str(word.get_attribute("href")))
    assert not target.is_visible()
    word.evaluate("each => each.click()")
    target.wait_for(state="visible")


def test_the_summary_is_one_screen_and_the_page_is_short(opened: Opened, document: Path) -> None:
    if document.name != "index.html":
        pytest.skip("only the first page has a summary")
    is_phone = opened.page.viewport_size["width"] == WIDTHS["phone"]
    assert opened.page.evaluate("document.documentElement.scrollHeight") <= (14_000 if is_phone else 7_000)
    assert is_phone or opened.page.evaluate("document.querySelector('.summary').getBoundingClientRect().bottom") <= 900


def test_the_summary_prints_on_two_pages(browser: Any, document: Path) -> None:
    if document.name != "index.html":
        pytest.skip("only the first page has a summary")
    shown = Opened(browser, document, PAPER)
    shown.page.evaluate("document.querySelectorAll('main, footer').forEach(each => each.remove())")
    assert _pages(shown.page.pdf(format="A4", prefer_css_page_size=True)) <= 2
    shown.page.close()


def _pages(printed: bytes) -> int:
    return printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ")


@pytest.mark.parametrize("script", [True, False])
def test_all_members_are_listed_with_and_without_script(browser: Any, document: Path, script: bool) -> None:
    if document.name != "index.html":
        pytest.skip("only the first page lists the members")
    context = browser.new_context(java_script_enabled=script)
    shown = context.new_page()
    shown.goto(document.as_uri())
    assert shown.locator("table.members tbody tr").count() == shop.usual()["who"]["count"]
    assert shown.locator("input[type=search]").count() == script
    context.close()


def test_members_can_be_searched_and_sorted(opened: Opened, document: Path) -> None:
    if document.name != "index.html":
        pytest.skip("only the first page lists the members")
    opened.unfold()
    rows, members = opened.page.locator("table.members tbody tr"), shop.usual()["who"]["members"]
    opened.page.locator("table.members thead button").nth(4).click()
    orders = [int(text) for text in rows.locator("td:nth-child(5)").all_inner_texts()]
    assert orders == sorted(row["order_count"] for row in members)
    opened.page.locator("input[type=search]").fill(members[2]["customer_id"])
    assert [row.locator("th").inner_text() for row in rows.all() if row.is_visible()] == [members[2]["customer_id"]]


def test_paper_shows_what_a_screen_folds(browser: Any, document: Path) -> None:
    shown = Opened(browser, document, PAPER)
    shown.page.emulate_media(media="print")
    folded = shown.page.query_selector_all("details:not(.listed)")
    assert folded
    assert all(each.query_selector("table, p, figure, pre, ul, ol, dl").bounding_box()["height"] > 0 for each in folded)
    assert shown.too_wide() == []
    assert (
        shown.page.evaluate(  # a table that scrolls on a screen would be cut on paper
            "[...document.querySelectorAll('.scroll')].filter(each => each.scrollWidth > each.clientWidth + 1).length"
        )
        == 0
    )
    shown.page.close()


def test_it_prints_to_pdf(browser: Any, document: Path) -> None:
    shown = Opened(browser, document, PAPER)
    printed = shown.page.pdf(format="A4", prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    assert 5 <= _pages(printed) <= 60
    shown.page.close()

import json
import re
from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError

import judged_tables
import report_tables as shop
from insiders.answers import outputs
from insiders.language import Language
from insiders.report import metrics, page
from insiders.report.figures import revenue_share, style

ENGLISH = Language("en", "GBP")
FILES = ("insiders.csv", "audiences/perks.csv", "spreadsheets/insiders.csv", "exploration.html")


def _page(nine, pictures=None) -> str:
    return page.render(nine, metrics.build(nine), pictures or {}, ENGLISH, FILES)


class _Reader(HTMLParser):
    """Visible text outside of pictures and style, and the tags that were opened."""

    def __init__(self):
        super().__init__()
        self.words, self.tags, self._hidden = [], [], 0

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._hidden += tag in ("svg", "style", "script", "title")

    def handle_endtag(self, tag):
        self._hidden -= tag in ("svg", "style", "script", "title")

    def handle_data(self, data):
        if not self._hidden:
            self.words.append(data)


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    return reader


def test_the_page_needs_no_network():
    html = _page(shop.usual(), {"months": page.Drawing(style.svg(revenue_share.months(shop.months()), "t", "d"), "t")})

    tags = _read(html).tags
    assert not [tag for tag, _ in tags if tag in ("link", "iframe", "img")]
    assert [attrs for tag, attrs in tags if tag == "script"] == [{}]  # within the page
    targets = [attrs.get(key) for _, attrs in tags for key in ("href", "src", "xlink:href") if attrs.get(key)]
    files = {target for target in targets if not target.startswith(("#", "data:"))}
    assert set(FILES) <= files
    assert [name for name in files if re.search("[:?]|^/", name)] == []  # all lie beside the page
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)


def test_tables_and_pictures_can_be_heard():
    drawn = outputs.draw(shop.Shop(), shop.usual())
    html = _page(shop.usual(), drawn)

    tags = _read(html).tags
    assert ("html", {"lang": "en"}) in tags
    assert html.count("<table") == html.count("<caption>")
    assert all(attrs.get("scope") for tag, attrs in tags if tag == "th")
    assert html.count('role="img"><title>') == html.count("<svg") == len(drawn)


def _luminance(color: str) -> float:
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("color", [style.INK, style.QUIET, style.INSIDER, "#14653a", "#a61b1b"])
@pytest.mark.parametrize("ground", ["#ffffff", "#f6f7f9", "#fdf3ec"])
def test_text_stands_out_from_its_ground(color, ground):
    assert (_luminance(ground) + 0.05) / (_luminance(color) + 0.05) >= 4.5


def test_what_customers_are_called_cannot_break_the_page():
    members = shop.members(shop.customers())
    members["customer_id"] = [f'<b>{i}&"' for i in range(len(members))]

    html = _page(shop.nine(shop.Shop(people=members)))

    assert "<b>" not in html
    assert "&lt;b&gt;" in html


def test_first_lines_say_when_a_baseline_serves():
    baseline = {"name": "net_revenue", "n": 40}
    told = shop.nine(shop.Shop(shop.regime("baseline", baseline=baseline, passed=False, champion_version=None)))

    shown = re.sub("<[^>]+>", "", _page(told))
    assert (
        "No segmentation passed every test, so a simple list serves: the 40 customers with the highest net revenue."
        in shown
    )
    assert (
        "No segmentation passed every test, so the list is the simple one by net revenue."
        in told["guarantee"]["answer"]
    )


def test_without_a_defensible_list_the_page_names_nobody():
    registered = shop.regime("none", passed=False, champion_version=None, backtest=[])
    told = shop.nine(shop.Shop(registered, shop.nobody()))

    html = _page(told)
    assert "No list of Insiders can be defended" in html
    assert "worth inviting" not in html
    for key in ("who", "how_many", "traits", "revenue_share", "expected_revenue", "enter", "leave", "actions"):
        assert told[key]["answer"] == "No list can be defended on these data, so nobody is named."
    json.dumps(metrics.build(told), allow_nan=False)


def test_first_lines_say_that_a_newer_version_did_not_pass():
    told = shop.nine(shop.Shop(shop.regime("model", version="4", passed=False, alias="challenger")))

    assert "Version 4, newer than version 3 that serves, did not pass every test." in re.sub("<[^>]+>", "", _page(told))


@pytest.mark.parametrize(
    ("lift", "says"),
    [
        ((1.01, 1.04), "The list was better than the best simple list."),
        ((0.98, 1.04), "The list was as good as the best simple list"),
        ((0.90, 1.04), "it was not shown to be as good as the best simple list"),
        ((0.80, 0.90), "it was worse than the best simple list"),
    ],
)
def test_the_page_compares_with_the_best_simple_list(lift, says):
    validation = {**judged_tables.VALIDATION, "sort_lift_low": lift[0], "sort_lift_high": lift[1]}

    html = _page(shop.nine(shop.Shop(shop.regime("model", validation=validation))))
    assert says in re.sub("<[^>]+>", "", html)


def test_a_missing_number_is_an_error_and_not_a_gap():
    gap = {**shop.usual(), "revenue_share": {"question": "?", "answer": "."}}

    with pytest.raises(UndefinedError):
        page.render(gap, metrics.build(shop.usual()), {}, ENGLISH)

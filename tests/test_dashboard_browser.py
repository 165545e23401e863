"""The dashboard on a store as a browser shows it: both languages, phone and desktop, nothing that axe forbids."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from dashboard_pages import PAGES
from databases import free_port
from insiders.answers import publication
from insiders.answers.release import LANGUAGES
from insiders.dashboard.app import NAMES
from insiders.io import streamlit_server
from insiders.io.stores.release import Publisher
from test_browser import CHROMIUM, WIDTHS, browser  # noqa: F401 - a fixture

pytestmark = [
    pytest.mark.battery,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium"),
]
FIRST = "overview"  # the page that a visitor comes to, whose address has no name
ADDRESSES = {FIRST: ""}
STARTED_WITHIN = 60  # seconds
SETTLED = "document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"


@pytest.fixture(scope="module")
def address(easy_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard that shows a database, from a folder without a project."""
    folder = tmp_path_factory.mktemp("store")
    shutil.copytree(easy_shop, folder / "shop", ignore=shutil.ignore_patterns("mlruns", "*.html"))
    with chdir(folder / "shop"):
        store = f"sqlite:///{folder}/shop.db"
        list(publication.publish([store], Publisher(datetime(2026, 1, 2), "ana", ""), may_empty=False))
    with served(folder, store) as shown:
        yield shown


@contextmanager
def served(folder: Path, store: str) -> Iterator[str]:
    port = free_port()
    environment = os.environ | {streamlit_server.STORE: store}
    process = subprocess.Popen(streamlit_server.command("127.0.0.1", port), cwd=folder, env=environment)
    try:
        answer_of(f"http://127.0.0.1:{port}/_stcore/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def answer_of(address: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + STARTED_WITHIN
    while True:
        assert process.poll() is None, "the dashboard ended"
        try:
            requests.get(address, timeout=5).raise_for_status()
            return
        except requests.RequestException:
            assert time.monotonic() < until, "the dashboard did not start"
            time.sleep(0.1)


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_of_a_store_have_no_error_and_no_violation(
    browser: Any,  # noqa: F811
    address: str,
    language: str,
    width: int,
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(viewport={"width": width, "height": 900})
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    for name in PAGES:
        page.goto(f"{address}/{ADDRESSES.get(name, name)}")
        choose(page, language)
        assert page.locator("[data-testid=stException], [data-testid=stAlertContentError]").count() == 0, name
        violations = Axe().run(page).response["violations"]
        assert [(each["id"], [node["html"][:150] for node in each["nodes"][:3]]) for each in violations] == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
    assert said == []
    page.close()


def choose(page: Any, language: str) -> None:
    """Choose the language in the menu, which a phone folds, and wait for the page."""
    page.wait_for_selector("h1")
    unfold = page.locator("[data-testid=stExpandSidebarButton]")
    if folded := unfold.is_visible():
        unfold.click()
    page.locator("[data-testid=stSidebar]").get_by_text(NAMES[language], exact=True).click()
    page.wait_for_function(SETTLED)
    if folded:
        page.locator("[data-testid=stSidebarCollapseButton] button").click()
    page.wait_for_timeout(500)  # until pictures stand and menus are folded

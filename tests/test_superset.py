"""Apache Superset itself: it imports the board, answers every chart's query, and draws the dashboard in a browser.

It needs an environment of its own, which `make test-superset` makes; that target alone runs this file.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests

import databases
from insiders.answers import publication
from insiders.answers.bi import deliver
from insiders.answers.bi.sections import SECTIONS
from insiders.io.stores.release import Publisher

PROGRAM = os.environ.get("INSIDERS_SUPERSET", "")  # path of the command `superset`
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.superset,
    pytest.mark.skipif(not PROGRAM, reason="INSIDERS_SUPERSET names no Superset: `make test-superset` installs one"),
]
USER = {"username": "admin", "password": "only-here"}  # pragma: allowlist secret
SETTINGS = """
SECRET_KEY = "of a test, for its minutes"  # pragma: allowlist secret
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/superset.db"
WTF_CSRF_ENABLED = TALISMAN_ENABLED = RATELIMIT_ENABLED = False
"""
CARDS = [card for section in SECTIONS for card in section.cards]
EMPTY = {
    "From segment to segment since the release before",
    "Members about to leave, and why",
}  # of this small first release
STARTED_WITHIN = 120  # seconds


@pytest.fixture(scope="module")
def superset(easy_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Superset into which the board was imported, over a PostgreSQL with a small shop."""
    if why := databases.missing():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("superset")
    shutil.copytree(easy_shop, folder / "shop", ignore=shutil.ignore_patterns("mlruns", "*.html"))
    with databases.server() as url, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder / "shop")
        list(publication.publish([url], Publisher(datetime(2026, 1, 2), "ana", ""), may_empty=False))
        list(deliver.superset(url, folder / "board.zip"))
        imported(folder)
        with served(folder) as address:
            yield address


def environment(folder: Path) -> dict[str, str]:
    (folder / "superset_config.py").write_text(SETTINGS.format(folder=folder))
    own = {"SUPERSET_CONFIG_PATH": str(folder / "superset_config.py"), "FLASK_APP": "superset"}
    return {**{name: value for name, value in os.environ.items() if name != "PYTHONPATH"}, **own}


def imported(folder: Path) -> None:
    names = ["--firstname", "a", "--lastname", "b", "--email", "a@b.example"]
    for words in (
        ["db", "upgrade"],
        ["fab", "create-admin", *(f"--{name}={value}" for name, value in USER.items()), *names],
        ["init"],
        ["import-dashboards", "-p", str(folder / "board.zip"), "-u", USER["username"]],
    ):
        done = subprocess.run([PROGRAM, *words], env=environment(folder), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}: {done.stderr[-2000:]}"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Superset on a free port, until the end of the block."""
    port = databases.free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [PROGRAM, "run", "-p", str(port), "--with-threads"], env=environment(folder), stdout=log, stderr=log
        )
    try:
        answering(address := f"http://127.0.0.1:{port}", process)
        yield address
    finally:
        process.terminate()
        process.wait(STARTED_WITHIN)


def answering(address: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until it does."""
    for _ in range(STARTED_WITHIN):
        assert process.poll() is None, "Superset did not start"
        try:
            requests.get(f"{address}/health", timeout=5).raise_for_status()
            return
        except requests.RequestException:
            time.sleep(1)
    pytest.fail("Superset does not answer")


def test_every_chart_is_answered_with_rows(superset: str) -> None:
    session = requests.Session()
    token = session.post(f"{superset}/api/v1/security/login", json={**USER, "provider": "db"}, timeout=60).json()
    session.headers["Authorization"] = f"Bearer {token['access_token']}"
    charts = session.get(f"{superset}/api/v1/chart/?q=(page_size:100)", timeout=60).json()["result"]
    answers: dict[str, Any] = {
        chart["slice_name"]: session.get(f"{superset}/api/v1/chart/{chart['id']}/data/", timeout=60).json()
        for chart in charts
    }
    assert sorted(answers) == sorted(card.title for card in CARDS)
    rows = {title: answer.get("result", [{"rowcount": answer}])[0]["rowcount"] for title, answer in answers.items()}
    assert {title for title, count in rows.items() if count == 0} <= EMPTY
    assert all(isinstance(count, int) for count in rows.values()), rows


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")
def test_the_dashboard_is_drawn(superset: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1400, "height": 4200})
        page.goto(f"{superset}/login/")
        for name, value in USER.items():
            page.fill(f"#{name}", value)
        page.press("#password", "Enter")
        page.wait_for_load_state("networkidle")
        page.goto(f"{superset}/superset/dashboard/insiders/?standalone=1")
        drawn = page.locator("[data-test='slice-container'], .slice_container")
        drawn.nth(len(CARDS) - 1).wait_for(timeout=120_000)
        page.wait_for_load_state("networkidle")
        assert drawn.count() == len(CARDS)
        assert page.get_by_text("Unexpected error").count() == 0
        if picture := os.environ.get("INSIDERS_PICTURE"):
            page.screenshot(path=picture)
        browser.close()

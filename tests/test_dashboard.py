"""The dashboard: every page in both languages, one release at a time, downloads by arm, and what-if lists."""

import io
import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard_pages import PAGES, run
from insiders.answers import release, what_if
from insiders.answers.release import files
from insiders.answers.release.files import Files
from insiders.dashboard import APP
from insiders.dashboard.overview import cards
from insiders.io import paths, streamlit_server, tables, workspace
from insiders.io.tracking import address
from insiders.programme.size import Place

FREE = Place(0.0, 0.4, 0.05)


@pytest.fixture(scope="module", autouse=True)
def shop(easy_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("dashboard") / "project"
    shutil.copytree(easy_shop, folder)
    with chdir(folder), pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.delenv(address.VARIABLE, raising=False)
        yield


@pytest.mark.parametrize("language", release.LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_shows_without_an_error(name: str, language: str) -> None:
    shown = run(name, language)
    assert len(shown.title) == 1
    assert not shown.error


def test_the_first_page_has_the_nine_answers() -> None:
    shown = AppTest.from_file(str(APP), default_timeout=60).run()
    assert not shown.exception
    answers = tables.read_json(paths.ANSWERS)
    told = [(each["question"], each["answer"]) for each in answers.values()]
    assert cards(told) in shown.get("html")[0].proto.body
    assert shown.title[0].value.startswith(f"{answers['who']['count']} Insiders as of ")


def test_the_numbers_of_a_list_of_the_same_size_are_those_of_the_programme() -> None:
    people = Files().opened().release.customers
    ranked = people.sort_values("place")
    some = what_if.of_size(people, 10, FREE)
    assert list(some.ids) == ranked["customer_id"].head(10).tolist()
    assert some.expected_revenue == pytest.approx(ranked["expected_revenue"].head(10).sum())
    assert some.profit == pytest.approx(0.02 * some.expected_revenue)
    assert what_if.profits(people, FREE)[9] == pytest.approx(some.profit)
    members = set(people.loc[people["is_insider"], "customer_id"])
    assert set(some.joining["customer_id"]) == set(some.ids) - members
    assert set(some.leaving["customer_id"]) == members - set(some.ids)


def test_conditions_of_ones_own() -> None:
    people = Files().opened().release.customers
    found = what_if.by_conditions(people, {"net_revenue": 500, "recency_days": 60}, Place(None, 0.4, 0.05))
    assert set(found.ids) == set(people.query("net_revenue >= 500 and recency_days <= 60")["customer_id"])
    assert found.profit is None
    assert 0 < found.customer_share < 1


def test_each_arm_is_a_file_of_its_own_and_search_narrows_the_list() -> None:
    shown = run("members")
    listed = pd.read_csv(paths.INSIDERS, dtype={"customer_id": "str"})
    assert len(shown.dataframe[0].value) == len(listed)
    one = listed["customer_id"].iloc[0]
    found = shown.text_input[0].set_value(one).run()
    assert found.dataframe[0].value.iloc[:, 1].tolist() == [one]
    held_out = pd.read_csv(
        io.StringIO(release.as_csv(listed[listed["arm"] == "held_out"])), dtype={"customer_id": "str"}
    )
    assert set(held_out["customer_id"]) == set(listed.loc[listed["arm"] == "held_out", "customer_id"])


def test_a_customer_is_explained_and_an_unknown_one_is_refused() -> None:
    shown = run("members")
    one = pd.read_csv(paths.INSIDERS, dtype={"customer_id": "str"})["customer_id"].iloc[0]
    assert f"customer {one}" in shown.text_input[1].set_value(one).run().text[0].value
    assert "no customer nobody" in shown.text_input[1].set_value("nobody").run().warning[0].value


def test_while_files_are_of_no_release_nothing_mixed_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of another release beside these tables, and a table cut off in the middle: a reason and no release."""
    monkeypatch.setattr(files, "PAUSE_SECONDS", 0.0)
    whole = paths.INSIDERS.read_bytes(), paths.MEMBERS.read_bytes()
    listed = pd.read_csv(paths.INSIDERS, dtype="str")
    with workspace.alone("assign"):
        listed.assign(release="2020-01-01/1/other").to_csv(paths.INSIDERS, index=False)
    assert Files().opened() == (None, files.WRITING)
    paths.INSIDERS.write_bytes(whole[0])
    paths.MEMBERS.write_bytes(whole[1][:100])
    assert "members.parquet" in Files().opened().problem
    paths.MEMBERS.write_bytes(whole[1])
    assert Files().opened().release is not None


def test_nothing_is_promoted_without_a_confirmation() -> None:
    shown = run("models")
    assert [each.disabled for each in shown.button] == [True, True]
    shown = shown.checkbox[0].check().run()
    assert [each.disabled for each in shown.button] == [False, False]
    assert "serves" in shown.button[0].click().run().success[0].value


def test_the_server_listens_here_only_and_reports_nothing() -> None:
    command = streamlit_server.command("127.0.0.1", 8501)
    assert {"--server.address=127.0.0.1", "--server.port=8501", "--browser.gatherUsageStats=false"} <= set(command)

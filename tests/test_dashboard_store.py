"""The dashboard on a store: the pages of the files, also while one release after another is published."""

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, contextmanager
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import published_tables
from dashboard_pages import PAGES, run
from insiders.answers.inputs import Inputs
from insiders.answers.publication import contents, documents
from insiders.answers.release import LANGUAGES
from insiders.answers.release.files import Files
from insiders.answers.release.stored import COLUMNS, Stored
from insiders.errors import InputError
from insiders.io import params, stores, streamlit_server
from insiders.io.stores.release import Publisher, Release, Table, schema_of
from insiders.io.tracking import address

PUBLISHER = Publisher(datetime(2026, 1, 2), "ana", "")
PUBLISHES = 20


@pytest.fixture(scope="module", autouse=True)
def shop(easy_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A project whose release is in a database, which the dashboard is told to read."""
    folder = tmp_path_factory.mktemp("dashboard") / "project"
    shutil.copytree(easy_shop, folder)
    with chdir(folder), pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.delenv(address.VARIABLE, raising=False)
        monkeypatch.setenv(streamlit_server.STORE, "sqlite:///shop.db")
        st.cache_resource.clear()
        made = contents.release(Inputs(params.read()))
        for store in ("sqlite:///shop.db", "parquet:published"):
            stores.open_store(store, "unused").publish(made, PUBLISHER)
        yield
        st.cache_resource.clear()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_shows_without_an_error(name: str, language: str) -> None:
    shown = run(name, language)
    assert len(shown.title) == 1
    assert not shown.error


@pytest.mark.parametrize("store", ["sqlite:///shop.db", "parquet:published"])
def test_a_store_tells_what_the_files_tell(store: str) -> None:
    files, stored = Files().opened().release, Stored(store).opened().release
    assert files is not None
    assert stored is not None
    for name in ("name", "as_of", "language", "currency", "place", "before_on", "intake"):
        assert getattr(stored, name) == getattr(files, name), name
    for name in ("before", "coordinates"):
        here, there = (getattr(each, name).sort_values("customer_id", ignore_index=True) for each in (files, stored))
        assert here.equals(there), name
    for language in LANGUAGES:
        here, there = (list(each.wordings(each.speak(language)).items()) for each in (files, stored))
        assert here == there
    ids, features = files.customers["customer_id"], ["recency_days", "order_count", "is_insider", "place", "segment"]
    here, there = (each.customers.set_index("customer_id").loc[ids, features] for each in (files, stored))
    assert (here == there).all(axis=None)
    assert stored.ledger["rule"].tolist() == files.ledger["rule"].tolist()


def test_a_story_from_a_store_is_that_of_the_files_but_for_the_reasons_of_who_stayed() -> None:
    files, stored = Files().opened().release, Stored("sqlite:///shop.db").opened().release
    assert files is not None
    assert stored is not None
    for customer in files.insiders["customer_id"].head(5):
        here, there = (told(each.story(customer)) for each in (files, stored))
        assert set(there) <= set(here)
        checks = {line for line in set(here) - set(there) if line.startswith("  20")}
        assert {line.split()[-1] for line in checks} <= {"stayed"}  # by a check that changed nobody
    assert "is not among" in stored.story("nobody")


def told(story: str) -> list[str]:
    """A story without the reasons of who stayed, and without that of the segment."""
    lines = [line.partition("stayed:")[0] + "stayed" if "stayed:" in line else line for line in story.splitlines()]
    return [*lines[:2], *lines[3:]]


def test_models_are_said_to_be_elsewhere_and_cannot_be_changed() -> None:
    shown = run("models")
    assert "A store holds no models" in shown.info[0].value
    assert not shown.button


def test_a_store_without_a_release_says_so(tmp_path: Path) -> None:
    found = Stored(f"sqlite:///{tmp_path / 'empty.db'}").opened()
    assert found == (None, f"sqlite:///{tmp_path / 'empty.db'} holds no release: `insiders publish` adds one")
    assert Stored("sqlite:////no/such/folder/shop.db").opened().release is None


def test_a_release_without_its_documents_cannot_be_shown() -> None:
    made = contents.release(Inputs(params.read()))
    store = stores.open_store("sqlite:///bare.db", "unused")
    store.publish(published_tables.release(1), PUBLISHER)
    bare = [table for table in made.tables if table.shape.name != "documents"]
    store.publish(made._replace(tables=tuple(bare)), PUBLISHER)
    assert "published without its documents" in Stored("sqlite:///bare.db").opened().problem


def test_an_address_that_names_no_store_starts_no_server() -> None:
    with pytest.raises(InputError, match="nowhere names no store: expected parquet:FOLDER"):
        streamlit_server.serve("127.0.0.1", 1, "nowhere")


# --- while others are published ---


def numbered(made: Release, rows: dict[str, list[dict[str, Any]]], number: int) -> Release:
    """The release with `number` for all money of the list, for its members in the answers, and in its name."""
    read = [table for table in made.tables if table.shape.name in COLUMNS]
    return made._replace(
        name=f"release {number}",
        digest=f"{number}",
        tables=tuple(table._replace(blocks=partial(marked, table, rows[table.shape.name], number)) for table in read),
    )


def marked(table: Table, rows: list[dict[str, Any]], number: int) -> Iterator[pa.RecordBatch]:
    schema = schema_of(table.shape, table.columns)
    yield pa.RecordBatch.from_pylist([{**row, **changed(row, number)} for row in rows], schema)


def changed(row: dict[str, Any], number: int) -> dict[str, Any]:
    named: dict[str, Any] = {"release": f"release {number}"}
    if "rank" in row and "net_revenue" in row:
        named["net_revenue"] = Decimal(number)
    if row.get("name") == "answers":
        answers = json.loads(row["content"])
        named["content"] = json.dumps({**answers, "who": {**answers["who"], "count": number}})
    return named


def two_pages() -> None:
    """One visit: two pages of one release, and its name."""
    import streamlit as st

    from insiders.dashboard import current, members, overview
    from insiders.dashboard.view import View

    found = current.latest()
    assert found.release is not None, found.problem
    view = View(found.release, found.release.speak("en"), False)
    overview.show(view)
    members.show(view)
    st.caption(view.release.name)


@contextmanager
def publishing(store: str) -> Iterator[Callable[[], bool]]:
    """Publish one release after the other meanwhile; yields what tells whether there are more to come."""
    made = contents.release(Inputs(params.read()))
    read = [table for table in made.tables if table.shape.name in COLUMNS]
    rows = {table.shape.name: [row for block in table.blocks() for row in block.to_pylist()] for table in read}
    opened = stores.open_store(store, "unused")
    opened.publish(numbered(made, rows, 1), PUBLISHER)
    rest = [numbered(made, rows, number) for number in range(2, PUBLISHES + 1)]
    with ThreadPoolExecutor(1) as pool:
        done = [pool.submit(opened.publish, each, PUBLISHER) for each in rest]
        yield lambda: not done[-1].done()
    assert all(each.result().is_new for each in done)


@pytest.mark.parametrize("store", ["sqlite:///many.db", "parquet:many"])
def test_a_visitor_sees_one_release_while_others_are_published(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(streamlit_server.STORE, store)
    monkeypatch.setattr(documents, "PART_LETTERS", 10**7)
    st.cache_resource.clear()
    visit = AppTest.from_function(two_pages, default_timeout=60)
    with publishing(store) as goes_on:
        while goes_on():
            assert 1 <= number_shown(visit) <= PUBLISHES
    assert number_shown(visit) == PUBLISHES


def number_shown(visit: Any) -> int:
    """Of the release that a visit shows; each of its figures is of that one."""
    shown = visit.run()
    assert not shown.exception, shown.exception
    number = int(shown.caption[-1].value.removeprefix("release "))
    assert shown.title[0].value.startswith(f"{number} Insiders ")
    assert set(shown.dataframe[0].value["net revenue"]) == {float(number)}
    return number

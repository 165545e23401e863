"""Dashboards of BI tools: what they ask is published and true, and each tool gets it once, in its own form."""

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sql
import yaml
from typer.testing import CliRunner

import databases
import metabase_double
from insiders import cli
from insiders.answers import bi, publication
from insiders.answers.bi import Card, metabase, queries
from insiders.answers.bi.cards import GRID, boxes
from insiders.answers.bi.sections import SECTIONS
from insiders.answers.registry import ANSWERS
from insiders.io import paths, tables
from insiders.io.stores.release import Publisher
from insiders.language import LOCALES
from metabase_double import Metabase
from small_shop import TOP

CARDS = [card for section in SECTIONS for card in section.cards]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(TOP / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)


def change(section: str, **values: Any) -> None:
    own = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    own[section] |= values
    Path("params.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")


def run(*words: str) -> str:
    result = CliRunner().invoke(cli.app, ["bi", *words])
    assert result.exit_code == 0, result.output
    return str(result.output)


def refused(*words: str) -> str:
    result = CliRunner().invoke(cli.app, ["bi", *words])
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    return str(result.output)


# What is asked.


def test_the_nine_answers_are_there() -> None:
    assert {card.answers for card in CARDS} - {""} == {answer.key for answer in ANSWERS}


def test_everything_that_a_card_reads_is_published() -> None:
    assert bi.read().left_out == ()


def test_names_and_titles_tell_cards_and_figures_apart() -> None:
    figures = {figure for card in CARDS for figure in card.figures}
    assert len({card.name for card in CARDS}) == len(CARDS)
    for language in LOCALES:
        change("report", language=language)
        say = bi.read().say
        assert len({say(card.title) for card in CARDS}) == len(CARDS)
        of_tables = {(card.table, figure.title) for card in CARDS for figure in card.figures}
        assert len({(table, say(title)) for table, title in of_tables}) == len(of_tables)
    assert len({figure.title for figure in figures}) == len(figures)


def test_cards_fill_the_grid_without_lying_on_each_other() -> None:
    for section in SECTIONS:
        cells = [
            (column, row)
            for _, box in boxes(section)
            for column in range(box.column, box.column + box.width)
            for row in range(box.row, box.row + box.height)
        ]
        assert len(cells) == len(set(cells))
        assert max(column for column, _ in cells) == GRID - 1


def test_what_is_not_published_is_left_out_by_name() -> None:
    change("publish", columns={"forecast": [], "segments": ["customers"]})
    board = bi.read()
    assert board.left_out == ("forecast_by_month", "segment_revenue", "segments")
    assert "not published there: forecast_by_month" in run("metabase", "--database", "7", "--out", "cards.json")


# What is answered.


@pytest.fixture(scope="module")
def postgres(easy_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL to which the small shop was published."""
    if why := databases.missing():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("bi") / "shop"
    shutil.copytree(easy_shop, folder, ignore=shutil.ignore_patterns("mlruns", "*.html"))
    with databases.server() as url, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        list(publication.publish([url], Publisher(datetime(2026, 1, 2), "ana", ""), may_empty=False))
        yield url


def ask(url: str, query: str) -> tuple[list[str], list[Any]]:
    """The columns and the rows that a query is answered with."""
    engine = sql.create_engine(url)
    with engine.connect() as connection:
        answer = connection.exec_driver_sql(query)
        columns, rows = list(answer.keys()), [tuple(row) for row in answer]
    engine.dispose()
    return columns, rows


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_query_is_answered_with_the_columns_that_the_card_names(card: Card, postgres: str) -> None:
    board = bi.read()
    columns, _ = ask(postgres, queries.select(card, board.schema))
    assert columns == list(board.heads(card)) == list(board.kinds(card))
    if card.is_searchable:
        query = queries.select(card, board.schema, metabase.ONE_CUSTOMER)
        assert ask(postgres, query.replace("[[", "").replace("]]", "").replace("{{customer_id}}", "'nobody'"))[1] == []


def test_the_tiles_say_what_the_page_says(postgres: str, easy_shop: Path) -> None:
    answers = tables.read_json(easy_shop / paths.ANSWERS)
    outlook = tables.read_json(easy_shop / paths.OUTLOOK)
    audiences = pd.read_csv(easy_shop / paths.AUDIENCES)["action"].value_counts()
    said = {card.name: ask(postgres, queries.select(card, "insiders"))[1] for card in CARDS}
    tiles = {card.name: float(said[card.name][0][0] or 0) for card in CARDS if card.form == "number"}
    assert tiles["members"] == answers["who"]["count"]
    assert tiles["customer_share"] == pytest.approx(answers["how_many"]["customer_share"], abs=1e-4)
    assert tiles["revenue_share"] == pytest.approx(answers["revenue_share"]["net_revenue_share"], abs=1e-4)
    assert tiles["expected"] == pytest.approx(outlook["expected"], rel=1e-4)
    assert tiles["about_to_leave"] == audiences.get("about_to_leave", 0)
    assert tiles["one_step_away"] == audiences.get("one_step_from_entering", 0)
    customers = tables.read(easy_shop / paths.CUSTOMERS)
    listed = customers["customer_id"].isin(
        pd.read_csv(easy_shop / paths.INSIDERS, dtype={"customer_id": str})["customer_id"]
    )
    medians = {row[0]: row[2] for row in said["traits"]}  # of the net revenue
    assert medians[True] == pytest.approx(customers.loc[listed, "net_revenue"].median(), abs=0.01)
    assert medians[False] == pytest.approx(customers.loc[~listed, "net_revenue"].median(), abs=0.01)
    assert {row[0]: row[1] for row in said["actions"]} == audiences.to_dict()


# Metabase.


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Metabase]:
    monkeypatch.setenv("METABASE_API_KEY", metabase_double.KEY)
    with metabase_double.running() as double:
        yield double


def send(server: Metabase, database: str = "7") -> str:
    return run("metabase", "--to", server.address, "--database", database)


def test_metabase_gets_every_card_and_a_dashboard_that_shows_them(server: Metabase) -> None:
    assert send(server).endswith(f": {len(CARDS) + 2} made, 0 brought up to date\n")
    [dashboard] = server.entities["dashboard"].values()
    cards = server.entities["card"]
    assert {card["name"] for card in cards.values()} == {card.title for card in CARDS}
    shown = [each for each in dashboard["dashcards"] if each["card_id"]]
    assert sorted(each["card_id"] for each in shown) == sorted(cards)
    for each in shown:
        query = cards[each["card_id"]]["dataset_query"]
        assert query["database"] == 7
        has_filter = "template-tags" in query["native"]
        assert has_filter == ("{{customer_id}}" in query["native"]["query"]) == bool(each["parameter_mappings"])
        assert [mapping["parameter_id"] for mapping in each["parameter_mappings"]] in ([], ["c0570e12"])


def test_metabase_sent_twice_doubles_nothing_and_keeps_what_people_added(server: Metabase) -> None:
    send(server)
    [dashboard] = server.entities["dashboard"].values()
    own = {"id": 5, "card_id": None, "row": 90, "col": 0, "size_x": 4, "size_y": 2}
    dashboard["dashcards"].append(own)
    before = {kind: dict(each) for kind, each in server.entities.items()}
    numbers = {each["card_id"]: each["id"] for each in dashboard["dashcards"] if each["card_id"]}
    change("report", language="pt-BR")
    assert send(server).endswith(f": 0 made, {len(CARDS) + 2} brought up to date\n")
    assert {kind: set(each) for kind, each in before.items()} == {
        kind: set(each) for kind, each in server.entities.items()
    }
    assert dashboard["dashcards"].count(own) == 1
    assert {each["card_id"]: each["id"] for each in dashboard["dashcards"] if each["card_id"]} == numbers
    assert len(dashboard["dashcards"]) == len(CARDS) + len(SECTIONS) + 1
    assert {card["name"] for card in server.entities["card"].values()} == {bi.read().say(card.title) for card in CARDS}


def test_a_session_does_where_there_is_no_key(server: Metabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("METABASE_API_KEY")
    assert "METABASE_API_KEY is not set" in refused("metabase", "--to", server.address, "--database", "7")
    monkeypatch.setenv("METABASE_SESSION", metabase_double.KEY)
    assert "brought up to date" in send(server)


def test_what_metabase_refuses_is_said_with_what_mends_it(server: Metabase, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("metabase", "--to", server.address)
    assert "no database 9: name one of 1 (Sample Database), 7 (marketing)" in refused(*words, "--database", "9")
    assert server.entities["collection"] == {}
    assert "there is no /api/database" in refused("metabase", "--to", f"{server.address}/page", "--database", "7")
    assert "nothing to do: name a Metabase with --to" in refused("metabase", "--database", "7")
    nobody = f"http://127.0.0.1:{databases.free_port()}"
    assert "cannot be reached (ConnectionError)" in refused("metabase", "--to", nobody, "--database", "7")
    server.instead = b"<html>log in</html>"
    assert "does not answer as Metabase does" in refused(*words, "--database", "7")
    server.instead = b""
    monkeypatch.setenv("METABASE_API_KEY", "another")
    said = refused(*words, "--database", "7")
    assert "the key in METABASE_API_KEY is refused" in said
    assert "another" not in said

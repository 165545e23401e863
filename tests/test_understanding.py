"""`insiders check`: one screen of what was understood of a delivery, and the settings that it proposes."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from deliveries import REPOSITORY
from insiders.cli import app
from insiders.errors import InputError
from insiders.io import params

HEAD = "Order,Date,SKU,Title,Qty,Price,Email,Status,Currency,Channel\n"


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(REPOSITORY / "params.yaml", "params.yaml")


def deliver(*more: str) -> None:
    rows = [f"{n},2024-01-{1 + n:02},A{n % 3},Thing,2,1.50,p{n % 5}@x.org,paid,EUR,web\n" for n in range(20)]
    Path("shop.csv").write_text(HEAD + "".join([*rows, *more]), encoding="utf-8")


def checked(*options: str) -> tuple[int, str]:
    ended = CliRunner().invoke(app, ["check", "shop.csv", *options])
    return ended.exit_code, ended.output


def test_the_screen_says_what_was_read_and_what_was_not():
    deliver(
        "90,2024-01-21,A1,Thing,2,1.50,guest,voided,EUR,shop\n", "91,2024-01-22,A1,Thing,2,1.50,guest,b2b,EUR,shop\n"
    )
    code, text = checked()
    assert code == 0
    for line in (
        "- 22 of 22 rows of shop.csv",
        "- customer_id is 'Email'",
        "- 'Channel': 2 different texts, most often 'web', 'shop'",
        "- dates as %Y-%m-%d, from 2024-01-01 to 2024-01-22",
        "- 'Price' is the price of one piece, in GBP; discount: none",
        "- void_orders: 1 rows (4.5%), 0.0% of what known customers paid",
        "- id 'guest' is nobody in particular, and counts as missing",
        "- rows said to be void: 'voided'",
        "- 'b2b' in 1 rows is not known, and counts as a sale: preprocess.words can say otherwise",
        "- preprocess.currency: EUR",
    ):
        assert line in text.splitlines(), text


def test_it_leaves_nothing_but_the_settings_that_are_asked_for():
    deliver()
    before = Path("params.yaml").read_text(encoding="utf-8")
    assert checked()[0] == 0
    assert sorted(path.name for path in Path().iterdir()) == ["params.yaml", "shop.csv"]
    assert Path("params.yaml").read_text(encoding="utf-8") == before
    assert checked("--write")[0] == 0
    settings = params.read()
    assert (settings.ingest.source, settings.preprocess.currency) == ("shop.csv", "EUR")
    after = Path("params.yaml").read_text(encoding="utf-8").splitlines()
    changed = [new for old, new in zip(before.splitlines(), after, strict=True) if old != new]
    assert [line.split("#")[0].strip() for line in changed] == ['source: "shop.csv"', 'currency: "EUR"']
    assert all("#" in line for line in changed)


def test_the_address_of_a_database_stays_as_it_is_set_with_the_variable_of_its_password(
    monkeypatch: pytest.MonkeyPatch,
):
    deliver()
    monkeypatch.setenv("SHOP_PASSWORD", "s3cret")
    with closing(sqlite3.connect("shop.db")) as shop:
        pd.read_csv("shop.csv").to_sql("sales", shop)
    address = "sqlite:///file:shop.db?uri=true&vfs=unix&key=${SHOP_PASSWORD}"
    params.write_value("ingest", "source", address)
    params.write_value("ingest", "table", "sales")
    ended = CliRunner().invoke(app, ["check", "--write"])
    assert ended.exit_code == 0, ended.output
    assert "ingest.source" not in ended.output
    assert (params.read().ingest.source, params.read().preprocess.currency) == (address, "EUR")


def test_an_open_question_ends_it_with_the_setting_that_answers_it():
    deliver("90,2024-01-21,A1,Thing,2,1.50,p1@x.org,paid,USD,web\n")
    code, text = checked()
    assert code == 1
    assert "ingest.rates: {EUR: ..., USD: ...}" in text


def test_a_setting_without_a_line_of_its_own_is_said():
    with pytest.raises(InputError, match=r"no line for preprocess\.colour"):
        params.write_value("preprocess", "colour", "red")
    with pytest.raises(InputError, match=r"no line for ingest\.seeds"):  # another section has it
        params.write_value("ingest", "seeds", "3")

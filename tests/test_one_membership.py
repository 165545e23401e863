"""One membership: page, answers, metrics, lists, audiences, experiment and explain agree about every customer."""

import shutil
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import small_shop
from files_of_a_run import contradictions, opened
from insiders.answers import enrolment, readout
from insiders.io.tracking import address
from small_shop import EASY

TWENTY_MONTHS: Mapping[str, Any] = {"simulate": {"days": 610}}
LAST = ("assign", "report")
PARTS = ("data", "reports")  # what these stages write


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.delenv(address.VARIABLE, raising=False)
        folder = small_shop.new_project(
            tmp_path_factory.mktemp("shop") / "project", empty_store, EASY, TWENTY_MONTHS, {"programme": {"size": 40}}
        )
        small_shop.run(folder)
        yield folder


@pytest.fixture
def ruled(shop: Path, tmp_path: Path) -> Iterator[Path]:
    """The same project, at its place, with a rule preferred; afterwards with the files as they were."""
    for part in PARTS:
        shutil.copytree(shop / part, tmp_path / part)
    write_params(shop, by="rule")
    small_shop.run(shop, LAST)
    yield shop
    write_params(shop)
    for part in PARTS:
        shutil.rmtree(shop / part)
        shutil.copytree(tmp_path / part, shop / part)


def write_params(folder: Path, **programme: object) -> None:
    small_shop.write_params(folder, EASY, TWENTY_MONTHS, {"programme": {"size": 40, **programme}})


def test_no_file_contradicts_another(shop: Path) -> None:
    assert contradictions(shop) == []
    assert len(opened(shop).inside) == 40  # as asked for, those who are held out among them
    assert opened(shop).answers["how_many"]["own"]["count"] == 40
    assert opened(shop).answers["guarantee"]["readout"] is None  # nothing is decided yet


def test_a_rule_decides_where_it_is_preferred_and_everything_follows(ruled: Path) -> None:
    files = opened(ruled)
    people = files.table("customers")
    assert contradictions(ruled) == []
    meets = people.query(files.answers["enter"]["sql"].replace("AND", "and").replace("OR", "or"))["customer_id"]
    stays = people.query(files.answers["leave"]["sql"].replace("AND", "and").replace("OR", "or"))["customer_id"]
    inside = files.inside
    assert set(meets) <= set(inside.index)
    assert set(inside.index[inside["status"] == "member"]) <= set(stays)
    assert files.answers["leave"]["by_rule"]


def test_after_decisions_and_hands_no_file_contradicts_another(shop: Path) -> None:
    with small_shop.inside(shop):
        enrolment.enrol(date(2026, 6, 1))
        enrolment.enrol(date(2026, 7, 1))
    small_shop.run(shop, ["assign"])
    before = opened(shop).inside
    held_out, invited = (before.index[before["arm"] == arm][0] for arm in ("held_out", "invited"))
    outsider = min(set(opened(shop).table("customers")["customer_id"]) - set(before.index))
    with small_shop.inside(shop):
        for each in (invited, outsider):
            enrolment.set_hand(each, "never", "asked not to be written to", date(2026, 7, 2))
    small_shop.run(shop, LAST)
    assert contradictions(shop) == []
    files = opened(shop)
    assert invited not in files.inside.index
    assert files.members.loc[invited, ["status", "reason"]].tolist() == ["left", "objected"]
    assert files.answers["leave"]["decisions"] == 2
    the_experiment_is_read(shop)
    assert held_out not in set(files.csv("audiences").query("action == 'perks'")["customer_id"])

    with small_shop.inside(shop):
        enrolment.enrol(None)  # as of today: from now on the files tell what is recorded
        enrolment.set_hand(held_out, "never", "objects too", date(2026, 8, 4))
    small_shop.run(shop, LAST)
    assert contradictions(shop) == []
    assert opened(shop).members.loc[held_out, "status"] == "left"  # at once, whatever was recorded


def test_a_contradiction_would_be_noticed(shop: Path) -> None:
    listed = shop / "reports/insiders.csv"
    whole = listed.read_text(encoding="utf-8")
    pd.read_csv(listed, dtype=str).iloc[1:].to_csv(listed, index=False)
    assert "insiders.csv names others than members.parquet" in contradictions(shop)
    listed.write_text(whole, encoding="utf-8")


def the_experiment_is_read(shop: Path) -> None:
    """Everybody whom a decision had in, in the arm of their lot: on the page, in answers.json and by the command."""
    files = opened(shop)
    reading = files.answers["guarantee"]["readout"]
    decisions = [pd.read_parquet(path) for path in sorted((shop / "data" / "programme").glob("*.parquet"))]
    drawn = pd.concat([each[each["status"] != "left"] for each in decisions]).drop_duplicates("customer_id")
    assert (reading["first"], reading["months"], reading["verdict"]) == ("2026-06-01", 2, "too_early")
    assert {row["arm"]: row["drawn"] for row in reading["arms"]} == drawn["arm"].value_counts().to_dict()
    with small_shop.inside(shop):
        question, verdict, *arms = readout.tell()
    assert verdict.startswith("Too early to say")
    assert all(f"{row['drawn']} drawn" in line for row, line in zip(reading["arms"], arms, strict=False))
    assert question in (shop / "reports" / "index.html").read_text(encoding="utf-8")

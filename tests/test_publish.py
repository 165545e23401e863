"""`insiders publish` on a project that has run: the tables say what its files say, and what is wrong is refused."""

import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

import small_shop
from insiders import cli
from insiders.answers import drift
from insiders.answers.publication import parts
from insiders.answers.publication.pseudonyms import VARIABLE, Pseudonyms
from insiders.io import ledger, paths, tables
from insiders.schemas.published import TABLES

KEY = "a key that nobody guesses"


@pytest.fixture(autouse=True)
def _shop(easy_shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The project, for one test alone, without the models that publishing does not read."""
    folder = tmp_path / "shop"
    shutil.copytree(easy_shop, folder, ignore=shutil.ignore_patterns("mlruns", "*.html"))
    monkeypatch.chdir(folder)


def setting(**publish: Any) -> None:
    small_shop.write_params(Path(), small_shop.EASY, {"publish": publish})


def publish(*words: str, to: str = "sqlite:///shop.db") -> str:
    result = CliRunner().invoke(cli.app, ["publish", "--to", to, *words])
    assert result.exit_code == 0, result.output
    return str(result.output)


def refused(*words: str) -> str:
    result = CliRunner().invoke(cli.app, ["publish", "--to", "sqlite:///shop.db", *words])
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    return str(result.output)


def read(name: str) -> pd.DataFrame:
    with closing(sqlite3.connect("shop.db")) as connection:
        return pd.read_sql(f"SELECT * FROM {name}", connection)


def test_the_tables_say_what_the_files_say() -> None:
    release = tables.read(paths.TERMS)["release"].iloc[0]
    assert publish("--note", "first") == f"sqlite:///shop.db: release {release} published, {rows():,} rows\n"
    assert publish() == f"sqlite:///shop.db: release {release} is there already, nothing changes\n"
    listed = pd.read_csv(paths.INSIDERS, dtype={"customer_id": str})
    insiders = read("current_insiders").sort_values("rank", ignore_index=True)
    for name in ("rank", "customer_id", "segment", "net_revenue", "expected_low", "reason", "since", "arm", "release"):
        assert insiders[name].tolist() == listed[name].tolist(), name
    assigned = tables.read(paths.ASSIGNMENTS).set_index("customer_id")
    customers = read("customers").set_index("customer_id")
    assert customers["segment"].to_dict() == assigned["segment"].to_dict()
    known = tables.read(paths.CUSTOMERS).set_index("customer_id")
    assert (customers["net_revenue"] - known["net_revenue"]).abs().max() < 0.0051
    assert customers["recency_days"].to_dict() == known["recency_days"].to_dict()
    sides = read("revenue_by_month").groupby("side")["net_revenue"].sum()
    assert sides.sum() == pytest.approx(known["net_revenue"].sum(), abs=0.2)
    assert sides["insiders"] == pytest.approx(known.loc[listed["customer_id"], "net_revenue"].sum(), abs=0.2)
    answers = tables.read_json(paths.ANSWERS)
    months = {row["month"]: row["share"] for row in answers["revenue_share"]["months"]}
    shares = read("revenue_share_by_month").set_index("month")["share"]
    assert {month[:7]: share for month, share in shares.items()} == pytest.approx(months, abs=1e-4)
    segments = read("segments").set_index("segment")
    assert segments["customers"].to_dict() == assigned["segment"].value_counts().to_dict()
    assert len(read("recommendations")) == len(pd.read_csv(paths.RECOMMENDATIONS))
    assert read("current_members")["customer_id"].sort_values().tolist() == sorted(listed["customer_id"])


def rows() -> int:
    """As many as the store now holds, without the row of the release."""
    return sum(len(read(table.name)) for table in TABLES)


def test_rows_are_in_the_order_of_their_keys_however_many_customers_are_read_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish(to="parquet:whole")
    monkeypatch.setattr(parts, "CUSTOMERS", 60)
    publish(to="parquet:in-parts")
    for shape in TABLES:
        [whole] = Path("whole", shape.name).rglob("*.parquet")
        rows = parquet.read_table(whole, partitioning=None).to_pylist()
        again = Path("in-parts", *whole.parts[1:])
        assert parquet.read_table(again, partitioning=None).to_pylist() == rows, shape.name
        key = [name for name in shape.key if name != "release"]
        assert rows == sorted(rows, key=lambda row: tuple(row[name] for name in key)), shape.name
    assert len(tables.read(paths.CUSTOMERS)) > 3 * 60


def test_stretches_of_a_customer_follow_one_another() -> None:
    publish()
    stretches = read("assignments").sort_values(["customer_id", "valid_from"])
    now = stretches[stretches["valid_to"].isna()].set_index("customer_id")
    assigned = tables.read(paths.ASSIGNMENTS).set_index("customer_id")
    assert now["segment"].to_dict() == assigned["segment"].to_dict()
    assert now["score"].notna().all()
    after = stretches.groupby("customer_id").shift(-1)
    ended = stretches["valid_to"].notna()
    assert (stretches["valid_to"] == after["valid_from"])[ended].all()
    assert (stretches["segment"] != after["segment"])[ended].all()
    before = tables.read(paths.MEMBERSHIPS)
    then = before.merge(stretches, on="customer_id")
    day = then["as_of"].dt.strftime("%Y-%m-%d")
    then = then[(then["valid_from"] <= day) & (then["valid_to"].isna() | (day < then["valid_to"]))]
    assert len(then) == len(before)
    assert (then["segment_x"] == then["segment_y"]).all()


def test_what_was_accepted_of_the_data_stands_in_the_note() -> None:
    entry = {"data": drift.delivered(), "version": "1", "release": "r", "why": "a sale", "on": "2025-12-11"}
    ledger.append_accepted({**entry, "faults": {"prices": "the same products cost 0.75 times"}})
    ledger.append_accepted({**entry, "data": "of another delivery", "faults": {"days": "40 days"}})
    publish("--note", "first")
    accepted = "accepted although the same products cost 0.75 times (2025-12-11: a sale)"
    assert read("releases")["note"].tolist() == [f"first / {accepted}"]


def test_what_people_decided_is_an_event_without_their_words() -> None:
    ledger.append_hand({"customer_id": "10001", "hand": "never", "why": "wrote to us", "on": "2025-12-11"})
    publish()
    events = read("membership_events").set_index("event")
    assert events.loc["never", ["customer_id", "on_date", "reason"]].tolist() == ["10001", "2025-12-11", "by_hand"]
    assert b"wrote to us" not in Path("shop.db").read_bytes()


def test_with_pseudonyms_no_id_leaves_and_all_tables_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    setting(pseudonymise=True)
    assert f"the variable {VARIABLE} is not set" in refused()
    monkeypatch.setenv(VARIABLE, "short")
    assert "expected 16 or more" in refused()
    monkeypatch.setenv(VARIABLE, KEY)
    publish()
    ids = tables.read(paths.CUSTOMERS)["customer_id"]
    hashed = {Pseudonyms(KEY.encode()).of(each) for each in ids}
    content = Path("shop.db").read_bytes()
    assert [each for each in ids if f"\x00{each}\x00".encode() in content] == []
    for table in TABLES:
        if "customer_id" in table.columns:
            assert set(read(table.name)["customer_id"]) <= hashed, table.name
    assert set(read("customers")["customer_id"]) == hashed
    documents = read("documents").sort_values("part").groupby("name")["content"].agg("".join)
    assert set(documents.index) == {"answers", "settings"}
    named = set(re.findall(r'"customer_id": "([^"]+)"', documents["answers"]))
    assert named
    assert named <= hashed
    first = json.loads(documents["answers"])["who"]
    assert first["first"][0]["customer_id"] in first["answer"]
    monkeypatch.setenv(VARIABLE, KEY[::-1])
    assert "published" in publish()
    assert not set(read("customers")["customer_id"]) & hashed


def test_without_a_model_nobody_is_on_the_map() -> None:
    Path("mlruns/written.json").unlink(missing_ok=True)
    tables.write(tables.read(paths.PLACES).head(0).astype({"place": "object"}), paths.PLACES)
    publish()
    assert read("customers")["map_x"].isna().all()


def test_only_the_columns_that_are_asked_for_are_published() -> None:
    setting(columns={"customers": ["net_revenue"], "recommendations": []})
    publish()
    assert list(read("customers")) == ["release", "customer_id", "net_revenue", "segment"]
    assert "recommendations" not in read("sqlite_master")["name"].tolist()
    setting(columns={"clients": []})
    assert "names the tables clients: expected some of customers, " in refused()
    setting(columns={"customers": ["revenue"]})
    assert "publish.columns.customers in params.yaml names the columns revenue: expected " in refused()


def test_contacts_are_joined_to_the_lists() -> None:
    first = pd.read_csv(paths.INSIDERS, dtype=str)["customer_id"][0]
    setting(contacts="crm.csv")
    assert "crm.csv is missing: mend publish.contacts" in refused()
    Path("crm.csv").write_text(f"customer_id,contact_id\n{first},0042\n{first},7\n")
    assert "more than one row for 1 customers" in refused()
    for damaged in (b"", b"customer_id,contact_id\nJos\xe9,1\n"):
        Path("crm.csv").write_bytes(damaged)
        assert "crm.csv cannot be read" in refused()
    Path("crm.csv").write_text("id,contact_id\n")
    assert "has the columns ['id', 'contact_id']: expected customer_id and contact_id" in refused()
    Path("crm.csv").write_text(f"customer_id,contact_id\n{first},0042\nnobody,7\n")
    publish()
    keys = read("current_insiders").set_index("customer_id")["contact_id"]
    assert keys[first] == "0042"
    assert keys.drop(first).isna().all()
    assert len(read("audiences")) == len(pd.read_csv(paths.AUDIENCES))


def test_what_is_not_there_or_not_of_one_run_is_not_published() -> None:
    answers = paths.ANSWERS.read_text(encoding="utf-8")
    paths.ANSWERS.unlink()
    assert "reports/answers.json is missing: run `dvc repro`" in refused()
    paths.ANSWERS.write_text(answers, encoding="utf-8")
    terms = tables.read(paths.TERMS)
    tables.write(terms.assign(release="2025-12-10/7/00000000"), paths.TERMS)
    assert "are not of one run: they name the releases " in refused()


def test_customers_of_a_run_that_ended_before_they_were_assigned_are_not_published() -> None:
    customers = tables.read(paths.CUSTOMERS)
    tables.write(customers.iloc[3:], paths.CUSTOMERS)
    assert "3 customers are in one of the two alone, or of another day" in refused()
    tables.write(customers.assign(as_of=customers["as_of"] + pd.Timedelta(days=1)), paths.CUSTOMERS)
    assert f"{2 * len(customers):,} customers are in one of the two" in refused()
    assert not Path("shop.db").exists()
    tables.write(customers, paths.CUSTOMERS)
    publish()


def test_a_full_list_is_not_replaced_by_an_empty_one_without_a_word() -> None:
    publish()
    nobody()
    assert "names nobody (regime none): publish it with --allow-empty if that is meant" in refused()
    assert len(read("current_insiders")) > 0
    assert "published" in publish("--allow-empty")
    assert read("current_insiders").empty


def nobody() -> None:
    """The files of a run that could not defend any list."""
    release = "2025-12-10/none/00000000"
    insiders = pd.read_csv(paths.INSIDERS, dtype=str)
    insiders.iloc[:0].to_csv(paths.INSIDERS, index=False)
    for path in (paths.TERMS, paths.ASSIGNMENTS):
        tables.write(tables.read(path).assign(release=release), path)
    tables.write(tables.read(paths.MEMBERS).iloc[:0], paths.MEMBERS)
    tables.write(tables.read(paths.MOVEMENT).iloc[:0], paths.MOVEMENT)
    answers = tables.read_json(paths.ANSWERS)
    answers["who"]["count"] = 0
    tables.write_json(answers, paths.ANSWERS)
    tables.write_json(tables.read_json(paths.REGISTERED) | {"regime": "none", "gates": []}, paths.REGISTERED)
    tables.write_json(tables.read_json(paths.OUTLOOK) | {"expected": 0.0, "months": []}, paths.OUTLOOK)

"""Databases as sources, real servers among them: the rows of a file, read only, and the same sample everywhere."""

import hashlib
from collections.abc import Iterator
from contextlib import chdir
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sql

import databases
from deliveries import HEADER, settings, taken, transactions, write_csv
from insiders.errors import InputError
from insiders.io import paths
from insiders.io.delivery import blocks, database, increments, sampling, sources

SERVERS = {"postgres": (databases.missing, databases.server), "mariadb": (databases.mariadb_missing, databases.mariadb)}
SHARE = 0.3
CUSTOMERS = 60
# Ids as shops write them: each is one customer in every source, however it is written there.
ODD = ["A1", "a1", "17850.0", " 17851 ", "Ann@Example.com", "ann@example.com", "o'neil@x.org", "null", "NaN", "", "é1"]


def lines() -> list[list[str]]:
    """Two invoices of each customer, one of whom nobody knows each, in the header's order."""
    ids = [f"{10_000 + number}" for number in range(CUSTOMERS)] + ODD
    return [
        [
            f"{500 + 3 * place + turn}",
            "85123A",
            "HEART",
            "2",
            f"12/{1 + place % 28}/2010 8:{10 + turn}",
            "2.55",
            owner,
            "France",
        ]
        for place, customer in enumerate(ids)
        for turn, owner in enumerate((customer, customer, ""))
    ]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, str]]:
    """Addresses of the servers that were started so far."""
    started: dict[str, Any] = {}
    yield started
    for context in started.values():
        context[0].__exit__(None, None, None)


@pytest.fixture(params=["sqlite", *SERVERS])
def shop(request: pytest.FixtureRequest, servers: dict[str, Any], tmp_path: Path) -> str:
    """A database of each kind with the table `sales` and, of numbers, `numbered`."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'shop.db'}"
        fill(url)
        return url
    missing, server = SERVERS[request.param]
    if why := missing():
        pytest.skip(why)
    if request.param not in servers:
        context = server()
        servers[request.param] = (context, context.__enter__())
        fill(servers[request.param][1])
    return str(servers[request.param][1])


def fill(url: str) -> None:
    engine = sql.create_engine(url)
    made = sql.MetaData()
    for name, kind in (("sales", sql.Text()), ("numbered", sql.BigInteger())):
        columns = [
            sql.Column(each, sql.Text()) for each in HEADER if each not in ("Quantity", "InvoiceDate", "CustomerID")
        ]
        typed = [
            sql.Column("Quantity", sql.Integer),
            sql.Column("InvoiceDate", sql.DateTime),
            sql.Column("CustomerID", kind),
        ]
        sql.Table(name, made, *columns, *typed)
    made.create_all(engine)
    every = [dict(zip(HEADER, line, strict=True)) for line in lines()]
    with engine.begin() as connection:
        for name in made.tables:
            rows = [typed_row(row, number=name == "numbered") for row in every]
            connection.execute(made.tables[name].insert(), [row for row in rows if row])
    engine.dispose()


def typed_row(row: dict[str, str], *, number: bool) -> dict[str, Any] | None:
    customer: Any = row["CustomerID"] or None
    if number and customer is not None:
        customer = int(customer) if customer.isdigit() else None
    day = datetime.strptime(row["InvoiceDate"], "%m/%d/%Y %H:%M")
    return {**row, "Quantity": int(row["Quantity"]), "InvoiceDate": day, "CustomerID": customer}


def sampled(source: Any, **ingest: Any) -> pd.DataFrame:
    taken(source, **ingest)
    return transactions().sort_values(["invoice", "customer_id"], ignore_index=True)


@pytest.fixture(scope="module")
def of_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All rows of a file, and those of a sample."""
    with chdir(tmp_path_factory.mktemp("file")):
        path = write_csv(Path("shop.csv"), lines())
        return sampled(path), sampled(path, sample=SHARE)


def test_the_sample_is_the_same_from_a_file_and_from_every_database(
    shop: str, of_files: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    whole, of_file = of_files
    of_table = sampled(shop, table="sales", sample=SHARE)
    of_query = sampled(shop, query="SELECT * FROM sales;", sample=SHARE)
    pd.testing.assert_frame_equal(of_table, of_file)
    pd.testing.assert_frame_equal(of_query, of_file)
    chosen = set(of_file["customer_id"].dropna())
    expected = whole[
        [is_in(owner, invoice) for owner, invoice in zip(whole["customer_id"], whole["invoice"], strict=True)]
    ]
    pd.testing.assert_frame_equal(
        of_file, expected.reset_index(drop=True)
    )  # all rows of a customer, and nobody in part
    assert 10 < len(chosen) < 35
    numbered = sampled(shop, table="numbered", sample=SHARE)
    assert set(numbered["customer_id"].dropna()) == {each for each in chosen if each.isdigit() and int(each) < 17_000}


def is_in(customer: Any, invoice: str) -> bool:
    text = invoice if pd.isna(customer) else customer
    return int(hashlib.md5(text.encode()).hexdigest(), 16) < SHARE * 2**128


def test_the_database_leaves_out_who_is_not_in_the_sample(shop: str) -> None:
    sent = list(database.rows(settings(shop, table="sales", sample=SHARE).ingest).values)
    every = list(database.rows(settings(shop, table="sales").ingest).values)
    assert len(every) == 3 * (CUSTOMERS + len(ODD))
    odd = 3 * len(ODD)  # of whom it cannot tell
    assert len(sent) < SHARE * 1.5 * len(every) + odd


def test_only_days_that_changed_are_read_again(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    engine = sql.create_engine(shop)
    sales = sql.Table("sales", sql.MetaData(), autoload_with=engine)
    ingest = settings(shop, table="sales").ingest
    with engine.begin() as connection:
        rows = [dict(row) for row in connection.execute(sql.select(sales)).mappings()]
    increments.read(ingest, paths.LAST_READING)
    capsys.readouterr()
    for values in ({"Quantity": 5}, {"CustomerID": None}, {"InvoiceDate": datetime(2010, 12, 3, 7, 30)}):
        with engine.begin() as connection:
            connection.execute(sql.update(sales).where(sales.c.InvoiceNo == "503").values(**values))
        changed = as_set(*increments.read(ingest, paths.LAST_READING))
        full = database.rows(ingest)
        assert changed == as_set(full.names, blocks.from_values(full.values, full.names))
        assert int(capsys.readouterr().err.split()[1]) < len(rows) / 4
    with engine.begin() as connection:
        connection.execute(sql.delete(sales))
        connection.execute(sql.insert(sales), rows)
    engine.dispose()


def as_set(names: Any, batches: Any) -> set[tuple[Any, ...]]:
    """The rows, of which no two are alike."""
    return {tuple(row.values()) for each in batches for row in each.select(names).to_pylist()}


def test_a_sample_of_nobody_is_refused() -> None:
    path = write_csv(Path("shop.csv"), lines()[:3])
    with pytest.raises(InputError, match=r"no customer is in the sample of 1e-09: raise ingest\.sample"):
        taken(path, sample=1e-9)


def test_people_with_several_ids_are_sampled_whole() -> None:
    path = write_csv(Path("shop.csv"), lines())
    Path("people.csv").write_text("id,person\n" + "".join(f"{10_000 + n},p{n // 2}\n" for n in range(CUSTOMERS)))
    found = sampled(path, sample=SHARE, identities="people.csv")
    counts = found[found["customer_id"].str.startswith("p", na=False)].groupby("customer_id").size()
    assert set(counts) == {4}
    assert all(is_in(person, "") for person in counts.index)


def test_a_source_cannot_be_changed(shop: str) -> None:
    with pytest.raises(InputError, match=r"the database cannot be read: .*"):
        taken(shop, query="SELECT * FROM sales); DELETE FROM sales; SELECT * FROM (sales")
    with database._connected(shop) as connection, pytest.raises(sql.exc.DBAPIError, match=r"(?i)read.?only"):
        connection.exec_driver_sql("DELETE FROM sales")


def test_a_missing_table_names_those_that_are_there(shop: str) -> None:
    with pytest.raises(InputError, match="there is no table salez: expected one of numbered, sales"):
        taken(shop, table="salez")


def test_a_password_comes_from_the_environment_or_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"//host/shop: the address holds a password, which params\.yaml must not"):
        taken("postgresql+psycopg://ann:secret@host/shop", table="sales")  # pragma: allowlist secret
    url = "sqlite:///${PLACE}"
    with pytest.raises(InputError, match="the variable PLACE is not set"):
        taken(url, table="sales")
    fill(f"sqlite:///{tmp_path / 'shop.db'}")
    (tmp_path / "secret").write_text(f"{tmp_path / 'shop.db'}\n")
    monkeypatch.setenv("PLACE_FILE", str(tmp_path / "secret"))
    assert taken("sqlite:///${PLACE}", table="sales")["rows_read"] == len(lines())
    assert sources.shown("postgresql+psycopg://ann:${NAME}@host/shop") == "postgresql+psycopg://host/shop"


def test_the_limit_is_a_share_of_all_hashes() -> None:
    assert sampling.limit(0.5) == f"8{'0' * 31}"
    assert int(sampling.limit(0.1), 16) / 2**128 == 0.1

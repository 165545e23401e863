"""What somebody may have put into a delivery on purpose: formulas, HTML, SQL, paths and archives that never end."""

import csv
import gzip
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import chdir, closing, nullcontext
from copy import deepcopy
from html.parser import HTMLParser
from itertools import cycle
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import sqlalchemy as sql
from pydantic import ValidationError

import report_tables as shop
from deliveries import HEADER, ROWS, changed, csv_text, taken
from exploration_tables import look
from insiders.answers import exploration as explore
from insiders.answers import listing, publication, release
from insiders.dashboard import overview
from insiders.errors import InputError
from insiders.io import params, paths, spreadsheets, stores, tables
from insiders.io.delivery import download, files
from insiders.io.stores import folder
from insiders.language import Language
from insiders.report import exploration, metrics, page
from published_tables import PUBLISHER
from published_tables import release as published

# --- formulas ---

CALLS = ("1+1", "cmd|' /C calc'!A0", 'HYPERLINK("http://evil.example","x")', "SUM(1+1)*cmd|' /C calc'!A0")
STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\u2212")
FORMULAS = [
    *(start + call for start in STARTS for call in CALLS),
    *("x\r=1+1", "x\n=1+1", "x\r\n=1+1"),
    *("\t=1+1", "\r=1+1", "\n=1+1", " =1+1", "\u00a0=1+1", "\ufeff=1+1", "\u200b=1+1", "'=1+1", '"=1+1', "=\n1+1"),
]
HARMLESS = ["-5", "+5511987654321", "-1,5", "a=b", "0012", "-", "@"]


def computes(cell: str) -> bool:
    """Whether a spreadsheet would compute it, judged with suspicion: whatever looks like a sign, after all blanks."""
    seen = "".join(
        each for each in unicodedata.normalize("NFKC", cell) if unicodedata.category(each) not in ("Cf", "Cc")
    )
    seen = seen.lstrip().replace("\u2212", "-")
    return len(seen) > 1 and seen[0] in "=+-@" and not re.fullmatch(r"[+-]?\d+([.,]\d+)*", seen)


def texts() -> pd.DataFrame:
    return pd.DataFrame({"n": range(len(FORMULAS)), "country": pd.array(FORMULAS, dtype="str")})


def in_store(path: Path) -> None:
    block = pa.RecordBatch.from_pydict({"country": FORMULAS})
    folder._write_csv(path, block.schema, [block])


WRITERS = {
    "list": lambda path: tables.write(tables.spreadsheet_safe(texts()), path),
    "people's list": lambda path: spreadsheets.write({path.stem: texts()}, path.parent, "csv", "."),
    "people's list, in Portuguese": lambda path: spreadsheets.write({path.stem: texts()}, path.parent, "csv", ","),
    "published": in_store,
    "dashboard": lambda path: path.write_text(release.as_csv(texts()), encoding="utf-8", newline=""),
}


def test_there_are_enough_of_them() -> None:
    assert len(FORMULAS) >= 40
    assert sum(map(computes, FORMULAS)) >= 40
    assert not any(map(computes, HARMLESS))


@pytest.mark.parametrize("name", WRITERS)
def test_no_csv_computes_a_formula(name: str, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    WRITERS[name](path)
    separator = ";" if "Portuguese" in name else ","
    text = path.read_bytes().decode("utf-8-sig")
    cells = [row[-1] for row in list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))[1:]]
    assert len(cells) == len(FORMULAS)
    assert [cell for cell in cells if computes(cell)] == []
    assert [one_line_end(cell.removeprefix("'")) for cell in cells] == [one_line_end(each) for each in FORMULAS]


def one_line_end(text: str) -> str:
    return re.sub("\r\n?", "\n", text)


def test_no_workbook_computes_a_formula(tmp_path: Path) -> None:
    pytest.importorskip("xlsxwriter", reason="the extra `stores` is not installed")
    spreadsheets.write({"list": texts()}, tmp_path, "xlsx", ".")
    stores.open_store(f"{tmp_path}/release.xlsx", "insiders").publish(published(1), PUBLISHER)
    for name in ("list.xlsx", "release.xlsx"):
        with zipfile.ZipFile(tmp_path / name) as archive:
            sheets = [archive.read(each).decode() for each in archive.namelist() if "worksheets/" in each]
        assert sheets
        assert not any(re.search(r"<f[ >]|<hyperlink", sheet) for sheet in sheets)


# --- ids ---


def rows_with(ids: list[str]) -> str:
    return csv_text(
        [changed(ROWS[1], InvoiceNo=f"{600000 + number}", CustomerID=each) for number, each in enumerate(ids)]
    )


def test_ids_that_are_formulas_are_the_same_in_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = [*FORMULAS, *HARMLESS]
    Path("shop.csv").write_bytes(rows_with([re.sub(r"[\r\n]", "", each) for each in given]).encode())
    taken("shop.csv")
    ids = pd.read_parquet(paths.TRANSACTIONS).drop_duplicates("customer_id")
    assert not any(map(computes, ids["customer_id"]))
    listed = pd.DataFrame({"customer_id": ids["customer_id"], "amount": 1.0})
    tables.write(tables.spreadsheet_safe(listed), Path("list.csv"))
    read = pd.read_csv("list.csv", dtype=str, keep_default_na=False)
    assert sorted(read["customer_id"]) == sorted(ids["customer_id"])  # which joins
    assert set(HARMLESS) <= set(read["customer_id"])


def test_no_two_ids_become_one() -> None:
    marked = ["=1+1", "_=1+1", "__=1+1"]
    assert len({f"_{each}" for each in marked} | set(marked)) == 4


# --- HTML ---

HTML = [
    *(
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>",
        "<svg><script>1</script></svg>",
    ),
    *('" onmouseover="alert(1)', "' onmouseover='alert(1)", 'x" autofocus onfocus=alert(1) y="', "`onload=alert(1)`"),
    *(
        "</title><script>1</script>",
        "</style><script>1</script>",
        "</script><script>1</script>",
        "</svg><script>1</script>",
    ),
    *(
        "<a href=javascript:alert(1)>x</a>",
        "javascript:alert(1)",
        "data:text/html,<script>1</script>",
        "<iframe src=//evil>",
    ),
    *("&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;script&#62;", "&quot; onload=1 &quot;", "&amp;lt;b&amp;gt;"),
    *("{{ 7 * 7 }}", "{% raw %}", "{# x #}", "%(count)s", "{count}", "${7*7}"),
    *("<!--", "-->", "]]><script>1</script>", "<b>bold</b>", "<base href=//evil>", "<meta http-equiv=refresh>"),
]
# What comes from a delivery or from whoever runs the project, by the name of the number in answers.json.
THEIRS = ("customer_id", "description", "product_code", "because", "source", "why", "country", "sha256")


class Tags(HTMLParser):
    """Every element with its attributes, but those that hold words."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(
            (tag, [(name, value if name not in ("title", "aria-label") else "") for name, value in attrs])
        )


def elements(html: str) -> list[tuple[str, list[tuple[str, str | None]]]]:
    tags = Tags()
    tags.feed(html)
    return tags.found


def filled(each: Any, values: Iterator[str]) -> Any:
    """The numbers of a page with these texts in place of those that are not ours."""
    if isinstance(each, list):
        refused = [{**each[0], "action": "quarantined"}] * len(HTML) if each and is_rule(each[0]) else []
        named = [{**one, "rule": f"quarantined: {next(values)}"} for one in refused]  # by a column of the delivery
        return [*(filled(one, values) for one in each), *named]
    if isinstance(each, dict):
        ours = {name: one for name, one in each.items() if name not in THEIRS or not isinstance(one, str)}
        return {name: filled(one, values) if name in ours else next(values) for name, one in each.items()}
    return each


def is_rule(each: Any) -> bool:
    return isinstance(each, dict) and {"rule", "action"} <= set(each)


def answers(values: list[str]) -> Any:
    nine = deepcopy(shop.usual())
    accepted = [{"faults": ["prices"], "why": each, "on": "2025-12-11"} for each in values]
    nine["guarantee"]["provenance"]["accepted"] = accepted
    return filled(nine, cycle(values))


@pytest.fixture(scope="module")
def explored(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The numbers of the second page, without its pictures."""
    folder = tmp_path_factory.mktemp("explored")
    shop.write(folder)
    with chdir(folder), pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("insiders.report.figures.exploration.pictures", lambda *_: {})
        return explore.write(look(), shop.usual(), Language("en", "GBP")).numbers


def pages(values: list[str], explored: Any, language: Language) -> list[str]:
    nine = answers(values)
    second = exploration.render(filled(explored, cycle(values)), nine, {}, language)
    return [page.render(nine, metrics.build(nine), {}, language), second]


@pytest.mark.parametrize("spoken", ["en", "pt-BR"])
def test_no_text_of_a_delivery_becomes_part_of_a_page(spoken: str, explored: Any) -> None:
    language = Language(spoken, "GBP")
    assert len(HTML) >= 30
    plain, given = (pages(values, explored, language) for values in (["x"] * len(HTML), HTML))
    for number in range(2):
        assert elements(plain[number]) == elements(given[number])
    assert "&lt;script&gt;alert(1)" in given[0]
    assert "{{ 7 * 7 }}" in given[0]  # as it came


def test_no_text_becomes_part_of_a_card_of_the_dashboard() -> None:
    plain, given = (overview.cards([(each, each) for each in values]) for values in (["x"] * len(HTML), HTML))
    assert elements(plain) == elements(given)


# --- names of tables and columns ---

NAMES = [
    *(
        "lines; DROP TABLE lines",
        "lines--",
        "lines'",
        'lines"',
        "lines`",
        "lines/*",
        "*",
        "lines WHERE 1=1",
        "(SELECT 1)",
    ),
    *(
        "lines' OR '1'='1",
        'lines" UNION SELECT 1',
        "sqlite_master",
        "main.lines; DELETE FROM lines",
        "lines\x00",
        "\\",
        "%s",
    ),
    *(
        ":name",
        "?",
        "$where",
        "{$ne: null}",
        "system.users",
        "a.b.c.d",
        "lines\nDROP TABLE lines",
        "$gt",
        "",
        "\u2028",
        "..",
        ".",
    ),
]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = pd.DataFrame(ROWS, columns=HEADER)
    with closing(sql.create_engine("sqlite:///shop.db").raw_connection()) as connection:
        rows.to_sql("lines", connection.driver_connection, index=False)
    return tmp_path / "shop.db"


@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_a_table_is_more_than_a_name(name: str, database: Path) -> None:
    before = database.read_bytes()
    with pytest.raises(InputError):
        taken("sqlite:///shop.db", table=name)
    assert database.read_bytes() == before


def test_there_are_enough_names() -> None:
    assert len(NAMES) >= 25


def test_no_name_that_is_published_is_more_than_a_name() -> None:
    settings = params.read(Path(__file__).parents[1] / "params.yaml")
    for name in NAMES:
        with pytest.raises(InputError, match=r"publish\.columns"):
            list(publication.contents.chosen_columns({name: ("customer_id",)}))
        with pytest.raises(InputError, match=r"publish\.columns"):
            list(publication.contents.chosen_columns({"customers": (name,)}))
        with nullcontext() if name.isidentifier() else pytest.raises(ValidationError):  # what is a name may be one
            type(settings.publish).model_validate(settings.publish.model_dump(by_alias=True) | {"schema": name})


def test_values_are_published_as_they_are(tmp_path: Path) -> None:
    made = published(1)
    texts = [*NAMES[:13], *FORMULAS[:5]]
    texts = [each.replace("\x00", "") for each in texts]
    [table] = [each for each in made.tables if each.shape.name == "segments"]
    rows = pa.RecordBatch.from_pylist(
        [
            {**row, "segment": each}
            for each, row in zip(texts, [next(table.blocks()).to_pylist()[0]] * len(texts), strict=True)
        ],
        next(table.blocks()).schema,
    )
    store = stores.open_store(f"sqlite:///{tmp_path}/shop.db", "insiders")
    store.publish(made._replace(tables=(table._replace(blocks=lambda: iter([rows])),)), PUBLISHER)
    with closing(sql.create_engine(f"sqlite:///{tmp_path}/shop.db").raw_connection()) as connection:
        found = connection.cursor().execute("SELECT segment FROM segments").fetchall()
    assert sorted(each for (each,) in found) == sorted(texts)


# --- paths ---

PLACES = [
    *(
        "..",
        ".",
        "../../etc/passwd",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e",
        "%2e%2e%2f",
        "a/%2e%2e",
        "/etc/passwd",
        "%2fetc%2fpasswd",
    ),
    *(
        "..%5c..%5cwindows",
        "C:%5cwindows",
        "c:",
        "nul.csv",
        "CON",
        "com1.csv",
        "a%00b.csv",
        "%00",
        ".hidden",
        "_database.parquet",
    ),
    *("~root", "a" * 300 + ".csv", "", "a%0ab.csv", "%ef%bc%8e%ef%bc%8e"),
]


@pytest.mark.parametrize("place", PLACES)
def test_no_address_leads_out_of_the_folder(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []
    monkeypatch.setattr(download, "download", lambda _url, path, _sha256: written.append(path))
    download.cached(f"http://shop.example/{place}", None, tmp_path)
    [path] = written
    assert path.parent == tmp_path
    assert path.resolve().parent == tmp_path.resolve()
    assert re.fullmatch(r"\w[^/\\:\x00]*", path.name)
    assert path.name not in ("nul.csv", "CON", "com1.csv", "_database.parquet")
    path.touch()  # every system takes it


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "name", ["../evil.csv", "/tmp/evil.csv", "a/../../evil.csv", "x\\..\\evil.csv", "C:\\evil.csv", "evil.csv/../x.csv"]
)
def test_an_archive_writes_nowhere(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "project"
    inside.mkdir()
    monkeypatch.chdir(inside)
    archive(inside / "shop.zip", {name: csv_text(ROWS).encode()})
    assert taken("shop.zip")["rows"] == len(ROWS)
    assert sorted(path.name for path in tmp_path.rglob("*evil*")) == []


def test_a_link_in_an_archive_is_no_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    link = zipfile.ZipInfo("link.csv")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile("shop.zip", "w") as made:
        made.writestr(link, "/etc/passwd")
    with pytest.raises(InputError):
        taken("shop.zip")


@pytest.mark.parametrize("name", ["shop.zip", "shop.xlsx"])
def test_an_archive_with_a_name_that_is_no_text_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    whole = archive(tmp_path / name, {"vendas-março.csv": csv_text(ROWS).encode()}).read_bytes()
    Path(name).write_bytes(whole.replace("ç".encode(), b"\xb9\xb9"))
    with pytest.raises(InputError, match="directory is damaged"):
        taken(name)


# --- archives that never end ---

SMALL = 1 << 20  # bytes that count as small in these tests


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(files, "UNPACKED_SMALL", SMALL)


def bomb_lines() -> bytes:
    head, line, *_ = csv_text(ROWS).encode().splitlines(keepends=True)
    return head + line * (8 * SMALL // len(line))


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("form", ["zip", "gz", "many", "lying", "xlsx", "nested"])
def test_an_archive_that_unpacks_to_too_much_is_refused(form: str) -> None:
    content, name = bomb_lines(), "shop.zip"
    match form:
        case "zip":
            archive(Path(name), {"shop.csv": content})
        case "gz":
            name = "shop.csv.gz"
            Path(name).write_bytes(gzip.compress(content))
        case "many":
            archive(Path(name), {f"shop{number}.csv": content[: SMALL // 2] for number in range(40)})
        case "lying":
            packed = archive(Path(name), {"shop.csv": content}).read_bytes()
            size = len(content).to_bytes(4, "little")
            Path(name).write_bytes(packed.replace(size, (1000).to_bytes(4, "little")))
        case "xlsx":
            name = "shop.xlsx"
            archive(Path(name), {"xl/worksheets/sheet1.xml": b"<c/>" * (2 * SMALL), "[Content_Types].xml": b"<Types/>"})
        case "nested":
            inner = archive(Path("inner.zip"), {"shop.csv": content}).read_bytes()
            archive(Path(name), {"inner.zip": inner, "inner.csv.gz": gzip.compress(content)})
    with pytest.raises(InputError, match=r"unpacks to more than|damaged or incomplete|found inner"):
        taken(name)
    assert not list(Path("data").glob("*.parquet"))


@pytest.mark.usefixtures("_small")
def test_an_honest_archive_is_read() -> None:
    lines = csv_text([changed(ROWS[1], InvoiceNo=f"{number}") for number in range(500_000, 504_000)])
    archive(Path("shop.zip"), {"shop.csv": lines.encode()})
    assert taken("shop.zip")["rows"] == 4000


def test_what_must_be_read_whole_is_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(files, "WHOLE_MAX", 1000)
    pd.DataFrame({"a": range(5000)}).to_parquet("shop.parquet")
    archive(Path("shop.zip"), {"shop.parquet": Path("shop.parquet").read_bytes()})
    with pytest.raises(InputError, match="more than 1,000 bytes"):
        taken("shop.zip")


def test_a_list_of_any_size_goes_where_it_is_told() -> None:
    with pytest.raises(InputError, match="expected a file that ends with"):
        listing.write(listing.TopList(pd.DataFrame(), 0.0, None, 0, 0), Path("../list.exe"))

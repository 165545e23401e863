"""Lists as a spreadsheet opens them: the separators of a language, numbers as numbers, the same bytes."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

import small_shop
from insiders.answers import actions, outputs
from insiders.answers.inputs import Inputs
from insiders.errors import InputError
from insiders.io import params, spreadsheets
from insiders.language import LOCALES, Language
from insiders.report import sheets

ENGLISH, PORTUGUESE = Language("en", "BRL"), Language("pt-BR", "BRL")
LIST = pd.DataFrame(
    {
        "rank": [1, 2],
        "customer_id": ["=1+1", "0012"],
        "net_revenue": [1234.5, 7.0],
        "is_wholesaler": [True, False],
        "country": ["Brasil; Sul", None],
        "as_of": pd.to_datetime(["2011-12-10", "2011-12-10"]),
    }
).astype({"customer_id": "str", "country": "str"})


@pytest.mark.parametrize(
    ("language", "line"),
    [
        (ENGLISH, "1,'=1+1,1234.5,True,Brasil; Sul,2011-12-10"),
        (PORTUGUESE, '1;\'=1+1;1234,5;True;"Brasil; Sul";2011-12-10'),
    ],
)
def test_csv_has_the_signs_of_the_language(tmp_path: Path, language: Language, line: str) -> None:
    spreadsheets.write({"insiders": LIST}, tmp_path, "csv", language.decimal)
    written = (tmp_path / "insiders.csv").read_bytes()
    assert written.startswith(b"\xef\xbb\xbf")
    assert written.decode("utf-8-sig").split("\r\n")[1] == line


def test_a_workbook_holds_numbers_texts_and_days(tmp_path: Path) -> None:
    pytest.importorskip("xlsxwriter", reason="the extra `stores` is not installed")
    from python_calamine import CalamineWorkbook

    spreadsheets.write({"insiders": LIST}, tmp_path, "both", PORTUGUESE.decimal)
    content = (tmp_path / "insiders.xlsx").read_bytes()
    head, first, second = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()
    assert head == list(LIST)
    assert first[:5] == [1.0, "=1+1", 1234.5, True, "Brasil; Sul"]
    assert f"{first[5]:%Y-%m-%d}" == "2011-12-10"
    assert second[1:5] == ["0012", 7.0, False, ""]
    spreadsheets.write({"insiders": LIST}, tmp_path, "both", PORTUGUESE.decimal)
    assert (tmp_path / "insiders.xlsx").read_bytes() == content


def test_another_form_leaves_no_old_file(tmp_path: Path) -> None:
    spreadsheets.write({"insiders": LIST, "gone": LIST}, tmp_path, "csv", ENGLISH.decimal)
    spreadsheets.write({"insiders": LIST}, tmp_path, "csv", ENGLISH.decimal)
    assert [path.name for path in tmp_path.iterdir()] == ["insiders.csv"]


def test_a_workbook_without_its_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(InputError, match="install the extra `stores`, or write csv"):
        spreadsheets.write({"insiders": LIST}, tmp_path, "xlsx", ENGLISH.decimal)
    assert list(tmp_path.iterdir()) == []


# In words.


def test_a_persons_list_is_in_words_and_its_days_are_days() -> None:
    told = sheets.worded(LIST.assign(status=["member", "grace"], as_of="2011-12-10"), PORTUGUESE)
    assert list(told) == [
        *("posição", "cliente", "faturamento líquido", "compra para revender", "país", "data de referência", "situação")
    ]
    assert told["compra para revender"].tolist() == ["sim", "não"]
    assert told["situação"].tolist() == ["membro", "em tolerância"]
    assert told["data de referência"].tolist() == [pd.Timestamp("2011-12-10")] * 2
    assert told["cliente"].tolist() == LIST["customer_id"].tolist()


def test_who_is_no_member_has_no_status_and_no_country_stays_empty() -> None:
    told = sheets.worded(LIST.assign(status=None), ENGLISH)
    assert told["status"].isna().all()
    assert told["country"].isna().tolist() == [False, True]


# As LibreOffice reads them.

SOFFICE = shutil.which("soffice")
SPREADSHEET = "urn:oasis:names:tc:opendocument:xmlns:"
CELL, VALUE = f"{{{SPREADSHEET}table:1.0}}", f"{{{SPREADSHEET}office:1.0}}"
LCID = {"en": 1033, "pt-BR": 1046}  # Microsoft's numbers of languages, which the filter takes
MOST = 100  # columns; beyond the list LibreOffice states thousands of empty ones
KINDS = {"i": "float", "u": "float", "f": "float", "M": "date"}  # by numpy's kinds


@pytest.mark.skipif(SOFFICE is None, reason="no LibreOffice on this machine: `make servers` installs it")
@pytest.mark.parametrize("spoken", LOCALES)
def test_libreoffice_reads_numbers_texts_and_days(easy_shop: Path, tmp_path: Path, spoken: str) -> None:
    """The lists of a finished run, as workbooks and as CSV with the signs of the language."""
    lists = written(easy_shop, tmp_path, spoken)
    converted(tmp_path, "xlsx")
    for name, frame in lists.items():
        rows = list(cells(tmp_path / "read" / f"{name}.fods"))
        assert [text for _, text in rows[0]] == list(frame)
        for place, column in enumerate(frame):
            own = [row[place] for row in rows[1:] if len(row) > place]
            assert {kind for kind, text in own if text} <= {KINDS.get(frame[column].dtype.kind, "string")}, column
    converted(tmp_path, "csv", f"CSV:{ord(';' if spoken == 'pt-BR' else ',')},34,76,1,,{LCID[spoken]},false,true")
    revenue = list(lists["insiders"]).index(sheets.text.labels(Language(spoken, "GBP"))["net_revenue"])
    rows = list(cells(tmp_path / "read" / "insiders.fods"))[1:]
    assert [(kind, float(text)) for kind, text in (row[revenue] for row in rows)] == [
        ("float", value) for value in lists["insiders"].iloc[:, revenue]
    ]


def written(shop: Path, folder: Path, spoken: str) -> Mapping[str, pd.DataFrame]:
    """The run's lists for people in a language, written into the folder."""
    pytest.importorskip("xlsxwriter", reason="the extra `stores` is not installed")
    with small_shop.inside(shop):
        own = params.read()
        inputs = Inputs(own.model_copy(update={"report": own.report.model_copy(update={"language": spoken})}))
        lists = outputs.in_words(inputs, actions.lists(inputs))
    spreadsheets.write(lists, folder, "both", inputs.language.decimal)
    return lists


def converted(folder: Path, form: str, read_as: str | None = None) -> None:
    """Flat OpenDocument of every file of a form, into `read`; with a profile of its own."""
    profile, files = f"-env:UserInstallation={(folder / 'profile').as_uri()}", sorted(folder.glob(f"*.{form}"))
    reading = [f"--infilter={read_as}"] if read_as else []
    command = [str(SOFFICE), profile, "--headless", *reading, "--convert-to", "fods", "--outdir", folder / "read"]
    subprocess.run([*command, *files], check=True, capture_output=True, timeout=120)


def cells(path: Path) -> Iterator[list[tuple[str | None, str]]]:
    """Each row's cells: the kind that LibreOffice gives them, and their value."""
    for row in ElementTree.parse(path).iter(f"{CELL}table-row"):
        found: list[tuple[str | None, str]] = []
        for cell in row.iter(f"{CELL}table-cell"):
            kind, text = cell.get(f"{VALUE}value-type"), "".join(cell.itertext()).strip()
            value = cell.get(f"{VALUE}value") if kind == "float" else text
            found += [(kind, value or "")] * min(int(cell.get(f"{CELL}number-columns-repeated", 1)), MOST)
        while found and not found[-1][1]:  # what stands right of the list
            found.pop()
        if found:
            yield found

"""Lists as a spreadsheet opens them: the separators of a language, numbers as numbers, the same bytes."""

import sys
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest

from insiders.errors import InputError
from insiders.io import spreadsheets
from insiders.language import Language

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

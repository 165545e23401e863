"""Small files of every kind, and what ingest makes of them."""

import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pandas as pd

from insiders.io import params, paths
from insiders.io.delivery import intake, sources

REPOSITORY = Path(__file__).parents[1]
REAL = REPOSITORY.parent / "shared" / "data" / "online-retail.csv.zip"

HEADER = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
ROWS = [
    ["536365", "85123A", "WHITE HEART", "6", "12/1/2010 8:26", "2.55", "17850", "United Kingdom"],
    ["536365", "071053", 'LANTERN, 7" TALL', "6", "12/13/2010 8:26", "3.39", "17850.0", "United Kingdom"],
    ["C536379", "D", "Discount £5", "-1", "12/13/2010 9:41", "27.5", " 14527", "France"],
    ["536414", "22139", "", "56", "12/14/2010 11:52", "0", "", "United Kingdom"],
]
TRANSACTIONS = pd.DataFrame(
    [
        ("536365", "85123A", "WHITE HEART", 6, datetime(2010, 12, 1, 8, 26), "2.5500", "17850", "United Kingdom"),
        ("536365", "071053", 'LANTERN, 7" TALL', 6, datetime(2010, 12, 13, 8, 26), "3.3900", "17850", "United Kingdom"),
        ("C536379", "D", "Discount £5", -1, datetime(2010, 12, 13, 9, 41), "27.5000", "14527", "France"),
        ("536414", "22139", None, 56, datetime(2010, 12, 14, 11, 52), "0.0000", None, "United Kingdom"),
    ],
    columns=[
        "invoice",
        "product_code",
        "description",
        "quantity",
        "invoiced_at",
        "unit_price",
        "customer_id",
        "country",
    ],
).astype({"invoiced_at": "datetime64[us]", "unit_price": "str"})


def settings(source: str | Path, **ingest: Any) -> params.Params:
    """Take the project's params with another source and other values in the section `ingest`."""
    read = params.read(REPOSITORY / "params.yaml")
    return read.model_copy(update={"ingest": read.ingest.model_copy(update={"source": str(source), **ingest})})


def taken(source: str | Path, today: date | None = None, **ingest: Any) -> dict[str, Any]:
    """Run what the stage does, into `data/` of the working folder."""
    chosen = settings(source, **ingest)
    with sources.naming(chosen.ingest.source):
        return intake.take(sources.open_source(chosen), chosen.ingest, today=today)


def transactions() -> pd.DataFrame:
    frame = pd.read_parquet(paths.TRANSACTIONS)[[*TRANSACTIONS.columns]]
    return frame.astype({"unit_price": "str"})


def quarantined() -> pd.DataFrame:
    return pd.read_parquet(paths.QUARANTINE)


def csv_text(rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER, separator: str = ",") -> str:
    def quoted(value: str) -> str:
        return '"' + value.replace('"', '""') + '"' if set(value) & set(f'{separator}"\n') else value

    return "".join(separator.join(map(quoted, row)) + "\r\n" for row in [header, *rows])


def changed(row: Sequence[str], **values: str) -> list[str]:
    """Write other values into a row, by the header's names."""
    return [values.get(name, value) for name, value in zip(HEADER, row, strict=True)]


def write_csv(path: Path, rows: Sequence[Sequence[str]] = ROWS, header: Sequence[str] = HEADER) -> Path:
    path.write_text(csv_text(rows, header), encoding="utf-8", newline="")
    return path


def write_workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]]) -> Path:
    """Write the least that is a workbook: texts, numbers and dates (as a spreadsheet keeps them, in days)."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    names = list(enumerate(sheets, 1))
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types"/>')
        book.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r" Type="{office}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        entries = "".join(f'<sheet name="{escape(name)}" sheetId="{i}" r:id="s{i}"/>' for i, name in names)
        book.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{entries}</sheets></workbook>'
        )
        links = "".join(
            f'<Relationship Id="s{i}" Type="{office}/worksheet" Target="worksheets/s{i}.xml"/>' for i, _ in names
        )
        links += f'<Relationship Id="styles" Type="{office}/styles" Target="styles.xml"/>'
        book.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}/relationships">{links}</Relationships>'
        )
        book.writestr(
            "xl/styles.xml",
            f'<styleSheet xmlns="{main}"><cellXfs><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>',
        )
        for i, name in names:
            rows = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in sheets[name])
            book.writestr(
                f"xl/worksheets/s{i}.xml", f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
            )
    return path


def _cell(value: Any) -> str:
    match value:
        case None:
            return "<c/>"
        case datetime():
            return f'<c s="1"><v>{(value - datetime(1899, 12, 30)).total_seconds() / 86400!r}</v></c>'
        case int() | float():
            return f"<c><v>{value!r}</v></c>"
        case _:
            return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'

"""Reading what changed of a database against reading everything, over random splits of a delivery.

    python benchmarks/increments.py FILE ADDRESS [--splits N] [--first SEED]

FILE is a CSV in the form of Online Retail (or a .zip of it); ADDRESS a database in which the tables `every_line` and
`sales` may be replaced. Each split puts the lines before a random day into `sales`, but for some that come late; reads
them; then come the lines of the days after it and the late ones, some lines are corrected, move to another day or are
deleted; and it reads again. Ends with an error where transactions, quarantine or record differ from a full reading's.
"""

import argparse
import hashlib
import os
import random
import sys
import time
from contextlib import redirect_stderr
from datetime import timedelta
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import sqlalchemy as sql

from insiders.io import params, paths
from insiders.io.delivery import intake, sources

SETTINGS = Path(__file__).parents[1] / "params.yaml"
LATE, TOUCHED = 0.00005, 0.00005  # shares of all lines: that come late, and that are corrected, moved or deleted
ROW = "| {seed} | {rows:,} | {again:,} | {changed:.1f} | {full:.1f} | {same} |"


def load(path: Path, engine: sql.Engine) -> None:
    """Every line, and beside it a number drawn by lot, by which splits choose."""
    text = {name: "str" for name in ("InvoiceNo", "StockCode", "CustomerID")}
    lines = pd.read_csv(path, dtype=text, encoding="latin-1")
    dates = pd.to_datetime(lines["InvoiceDate"], format="%m/%d/%Y %H:%M")
    draw = random.Random(1)  # noqa: S311 - no secret
    lines = lines.assign(InvoiceDate=dates, lot=[draw.random() for _ in range(len(lines))])
    lines.to_sql("every_line", engine, if_exists="replace", index=False, chunksize=20_000)


class Shop:
    """The table `sales` and what happens to it in one split."""

    def __init__(self, engine: sql.Engine, seed: int) -> None:
        self.engine, self.draw = engine, random.Random(seed)  # noqa: S311
        self.lines = sql.Table("every_line", sql.MetaData(), autoload_with=engine)
        columns = [sql.Column(each.name, each.type) for each in self.lines.c]
        self.sales = sql.Table("sales", sql.MetaData(), *columns)
        with engine.begin() as connection:
            first, last = connection.execute(
                sql.select(sql.func.min(self.lines.c.InvoiceDate), sql.func.max(self.lines.c.InvoiceDate))
            ).one()
        self.day = first + (last - first) * self.draw.uniform(0.2, 0.9)
        self.late = self.window(LATE)

    def window(self, share: float) -> tuple[float, float]:
        start = self.draw.uniform(0, 1 - share)
        return start, start + share

    def begin(self) -> None:
        kept = self.lines.c.InvoiceDate < self.day, ~self.lines.c.lot.between(*self.late)
        with self.engine.begin() as connection:
            self.sales.drop(connection, checkfirst=True)
            self.sales.create(connection)
            self.insert(connection, *kept)

    def insert(self, connection: sql.Connection, *conditions: object) -> None:
        connection.execute(
            sql.insert(self.sales).from_select(list(self.lines.c.keys()), sql.select(self.lines).where(*conditions))
        )

    def go_on(self) -> None:
        """The days after it, late lines, corrections, moved and deleted lines."""
        until = self.day + timedelta(self.draw.randint(1, 14))
        late = (self.lines.c.InvoiceDate < self.day) & self.lines.c.lot.between(*self.late)
        other = self.day - timedelta(self.draw.randint(1, 60))
        with self.engine.begin() as connection:
            self.insert(connection, late | self.lines.c.InvoiceDate.between(self.day, until))
            for values in ({"Quantity": self.sales.c.Quantity + 1}, {"CustomerID": None}, {"InvoiceDate": other}):
                connection.execute(sql.update(self.sales).where(self.touched()).values(**values))
            connection.execute(sql.delete(self.sales).where(self.touched()))

    def touched(self) -> "sql.ColumnElement[bool]":
        return self.sales.c.lot.between(*self.window(TOUCHED))


def reading(address: str, reread: str) -> tuple[list[object], float, str]:
    """Digests of the tables and the record, the seconds that it took, and what was said."""
    settings = params.read(SETTINGS)
    ingest = settings.ingest.model_copy(
        update={"source": address, "table": "sales", "reread": reread, "ignore": ("lot",), "quarantine_share_max": 0.05}
    )
    said = StringIO()
    started = time.perf_counter()
    with redirect_stderr(said):
        record = intake.take(sources.open_source(settings.model_copy(update={"ingest": ingest})), ingest)
    seconds = time.perf_counter() - started
    digests = [hashlib.sha256(each.read_bytes()).hexdigest() for each in (paths.TRANSACTIONS, paths.QUARANTINE)]
    return [*digests, record], seconds, said.getvalue()


def split(engine: sql.Engine, address: str, seed: int) -> bool:
    """One split; prints what it took, and tells whether all tables were those of a full reading."""
    shop = Shop(engine, seed)
    shop.begin()
    first, *_ = reading(address, "changed")
    same = first == reading(address, "all")[0]
    shop.go_on()
    second, changed, said = reading(address, "changed")
    everything, full, _ = reading(address, "all")
    again, rows = (int(word.replace(",", "")) for word in said.split()[1:4:2])
    same = same and second == everything
    print(ROW.format(seed=seed, rows=rows, again=again, changed=changed, full=full, same=same), flush=True)
    return same


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("address")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    chosen = parser.parse_args()
    engine = sql.create_engine(chosen.address)
    if not sql.inspect(engine).has_table("every_line"):
        load(chosen.file, engine)
    print(
        "| split | rows | read again | seconds | of a full reading | the same |\n| --- | --- | --- | --- | --- | --- |"
    )
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        results = [split(engine, chosen.address, seed) for seed in range(chosen.first, chosen.first + chosen.splits)]
    sys.exit(0 if all(results) else "tables differ from those of a full reading")


if __name__ == "__main__":
    main()

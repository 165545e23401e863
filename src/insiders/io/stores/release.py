"""What is handed to a store: the tables of one release as blocks of rows, and who publishes them when."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from insiders.schemas.published import Published

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


class Store(Protocol):
    def members(self) -> int:
        """How many members the current release has; 0 where nothing is published yet."""
        ...

    def publish(self, release: Release, publisher: Publisher) -> Outcome:
        """Add the release whole, and make it the current one."""
        ...


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

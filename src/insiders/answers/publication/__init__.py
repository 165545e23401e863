"""Publish a release: the tables of one run, which agree with one another, into databases and files."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from insiders.answers import drift
from insiders.answers.inputs import Inputs
from insiders.answers.publication import contents
from insiders.errors import InputError
from insiders.io import addresses, params, stores
from insiders.io.stores.release import Outcome, Publisher, Release, Store


class Published(NamedTuple):
    """What became of a release in one store."""

    address: str
    release: str
    outcome: Outcome


def publish(targets: Sequence[str], publisher: Publisher, *, may_empty: bool) -> Iterator[Published]:
    """Publish what the last run made into each store, by its address, with what was accepted of the data in the note.

    Raises InputError where nothing has been assigned, where the files are not of one run, where a store cannot be
    written, or where a list would be replaced by an empty one and `may_empty` does not allow it.
    """
    settings = params.read()
    opened = {target: stores.open_store(target, settings.publish.schema_) for target in targets}
    release = contents.release(Inputs(settings))
    for target, store in opened.items():
        _refuse_empty(release, store, target, may_empty=may_empty)
    noting = publisher._replace(note=" / ".join(filter(None, (publisher.note, drift.accepted_note()))))
    for target, store in opened.items():
        yield Published(addresses.shown(target), release.name, store.publish(release, noting))


def _refuse_empty(release: Release, store: Store, target: str, *, may_empty: bool) -> None:
    """A full list is not replaced by an empty one without a word; that the store can be reached is seen on the way."""
    current = store.current()
    before = int(current["members"]) if current else 0
    if before and not release.members and not may_empty:
        raise InputError(
            f"{addresses.shown(target)} holds a list of {before:,} members, and release {release.name} names nobody "
            f"(regime {release.regime}): publish it with --allow-empty if that is meant"
        )

"""People with several ids: a table that says which of them are one person."""

from pathlib import Path
from typing import Any

import ibis

from insiders.errors import InputError
from insiders.io import engine
from insiders.io.delivery import files, rows

Table = Any  # Ibis has no types that mypy could follow


def merged(con: Any, delivered: Table, path: str | None) -> Table:
    """Give every row the id of its person: what the table at `path` has beside the row's own id, if it is there.

    The table is a CSV file whose first column holds ids and whose second one those that stand for the same person; one
    step, no chain. Raises InputError where it cannot be read, or gives one id two persons.
    """
    if path is None:
        return delivered
    people = _people(con, path)
    known = delivered.left_join(people, delivered.customer_id == people.id)
    return known.mutate(customer_id=ibis.coalesce(known.person, known.customer_id)).drop("id", "person")


def record(path: str | None) -> dict[str, Any] | None:
    """What is kept of the table, so that a later change of it is seen."""
    return None if path is None else {"source": path, **files.identity(Path(path))}


def _people(con: Any, path: str) -> Table:
    """One row per id, both written as ids of a delivery are."""
    if not Path(path).is_file():
        raise InputError(f"ingest.identities: there is no file {path}; expected a CSV file of two columns, or null")
    try:
        table = con.read_csv(path, all_varchar=True, header=True)
    except Exception as error:
        raise InputError(f"ingest.identities: {path} is no CSV file: {str(error).splitlines()[0]}") from error
    if len(table.columns) < 2:  # noqa: PLR2004 (two)
        raise InputError(f"ingest.identities: {path} has one column; expected an id and the id of its person")
    own, person = (rows.person(table[name].strip()) for name in table.columns[:2])
    people = table.select(id=own, person=person).filter(own.notnull() & person.notnull()).distinct()
    several = people.group_by("id").aggregate(persons=people.count()).filter(ibis._.persons > 1).order_by("id")
    if open_ids := [each["id"] for each in engine.fetch_records(several.limit(3))]:
        raise InputError(f"ingest.identities: {path} gives more than one person to {', '.join(map(repr, open_ids))}")
    return engine.materialize(con, people)

"""What a release consists of: its facts, and each published table as an expression that the engine streams."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import ibis

from insiders.answers.inputs import Inputs
from insiders.answers.publication import contacts, customers, documents, members, parts, summaries
from insiders.answers.publication.pseudonyms import Pseudonyms
from insiders.errors import InputError
from insiders.io import engine, ledger, paths, tables
from insiders.io.params import Params
from insiders.io.stores.release import Release, Table
from insiders.programme.members import inside
from insiders.schemas.published import BY_NAME, CUSTOMER_ID, TABLES, Kind, Published

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

TYPES: Mapping[Kind, str] = {
    "id": "string",
    "text": "string",
    "day": "date",
    "moment": "timestamp(6)",
    "money": "decimal(18, 2)",
    "share": "float64",
    "number": "float64",
    "count": "int64",
    "flag": "boolean",
}
BUILDERS: Mapping[str, Callable[[Inputs], "ir.Table"]] = {
    "customers": customers.customers,
    "assignments": customers.assignments,
    "members": members.members,
    "membership_events": members.events,
    "segments": summaries.segments,
    "insiders": customers.insiders,
    "audiences": customers.audiences,
    "recommendations": customers.recommendations,
    "revenue_by_month": summaries.revenue_by_month,
    "forecast": summaries.forecast,
    "ledger": summaries.ledger,
    "gates": summaries.gates,
    "experiment": summaries.experiment,
    "documents": documents.documents,
}
PER_CUSTOMER = ("customers", "assignments")  # joined and sorted part by part
SORTED = ("recommendations",)  # whose file is in the order of the key
FILES = (
    *(paths.CUSTOMERS, paths.ASSIGNMENTS, paths.EXPECTATIONS, paths.CONFIDENCE, paths.MEMBERSHIPS, paths.ORDERS),
    *(paths.PLACES, paths.INTAKE),
    *(paths.MEMBERS, paths.MOVEMENT, paths.TERMS, paths.OUTLOOK, paths.REGISTERED, paths.LEDGER),
    *(paths.INSIDERS, paths.AUDIENCES, paths.RECOMMENDATIONS, paths.ANSWERS),
)


class Chosen(NamedTuple):
    """A table, the columns of it that are to be published, and the release's name."""

    shape: Published
    columns: tuple[str, ...]
    release: str


def release(inputs: Inputs) -> Release:
    """The release that the files of the last run make. Raises InputError where some are missing or of another run."""
    for path in FILES:
        tables.require(path)
    name = inputs.terms["release"]
    _refuse_mixed(inputs, name)
    own = inputs.settings.publish
    contacts.read(own)  # what is wrong with it is said before anything is written
    pseudonyms = Pseudonyms.from_environment() if own.pseudonymise else None
    chosen = [Chosen(shape, columns, name) for shape, columns in chosen_columns(own.columns)]
    return Release(
        name=name,
        as_of=inputs.as_of,
        model_version=inputs.terms["model_version"],
        regime=inputs.registered["regime"],
        members=len(inputs.insiders),
        currency=inputs.settings.preprocess.currency,
        digest=_digest(inputs.settings, pseudonyms),
        tables=tuple(Table(each.shape, each.columns, partial(_blocks, inputs, each, pseudonyms)) for each in chosen),
    )


def chosen_columns(wanted: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[Published, tuple[str, ...]]]:
    """Each table to publish with its columns; keys and what the views need cannot be left out.

    Raises InputError where a name of publish.columns is unknown.
    """
    if unknown := sorted(set(wanted) - set(BY_NAME)):
        raise InputError(
            f"publish.columns in params.yaml names the tables {', '.join(unknown)}: expected some of "
            f"{', '.join(BY_NAME)}"
        )
    for shape in TABLES:
        names = wanted.get(shape.name)
        if names == ():
            continue
        if unknown := sorted(set(names or ()) - set(shape.columns)):
            raise InputError(
                f"publish.columns.{shape.name} in params.yaml names the columns {', '.join(unknown)}: expected some of "
                f"{', '.join(shape.columns)}"
            )
        yield shape, tuple(each for each in shape.columns if names is None or each in (*names, *shape.fixed))


def _refuse_mixed(inputs: Inputs, name: str) -> None:
    """The files must be of one run: those that name a release name this one, and the page tells of the same list."""
    assigned = inputs.fetch(inputs.scan(paths.ASSIGNMENTS).select("release").distinct())
    named = sorted({name, *map(str, assigned["release"]), *map(str, inputs.insiders["release"])})
    listed, page = len(inside(inputs.programme)), inputs.answers["who"]
    if len(named) > 1 or (page["count"], page["as_of"]) != (listed, f"{inputs.as_of}"):
        raise InputError(
            f"the files of data/ and reports/ are not of one run: they name the releases {', '.join(named)}; "
            f"{paths.ANSWERS} tells of {page['count']} members as of {page['as_of']}, {paths.MEMBERS} has {listed} as "
            f"of {inputs.as_of}: run `dvc repro`"
        )
    if others := _assigned_otherwise(inputs):
        raise InputError(
            f"{paths.CUSTOMERS} and {paths.ASSIGNMENTS} are not of one run: {others:,} customers are in one of the two "
            "alone, or of another day; a run that ended early leaves it so: run `dvc repro`, which says why it stops"
        )


def _assigned_otherwise(inputs: Inputs) -> int:
    """How many customers of either table the other one does not have as of the same day."""
    own = ["customer_id", "as_of"]
    known, assigned = (inputs.scan(path).select(own) for path in (paths.CUSTOMERS, paths.ASSIGNMENTS))
    alone = known.anti_join(assigned, own).union(assigned.anti_join(known, own))
    (count,) = engine.fetch_row(inputs.connection, alone.aggregate(count=alone.count()))
    return int(count)


def _digest(settings: Params, pseudonyms: Pseudonyms | None) -> str:
    """One sha256 over everything that can change what is published."""
    keys = [Path(settings.publish.contacts)] if settings.publish.contacts else []
    shaped = {
        **settings.publish.model_dump(exclude={"schema_"}),
        "key": pseudonyms and pseudonyms.fingerprint,
        "experiment": settings.report.experiment.model_dump(),  # by which the read-out is made
        "dashboard": documents.start(settings),
    }
    files = tables.digest(*FILES, *ledger.files(), *keys)
    return hashlib.sha256(f"{files} {tables.as_json(shaped)}".encode()).hexdigest()


def _blocks(inputs: Inputs, chosen: Chosen, pseudonyms: Pseudonyms | None) -> "Iterator[pa.RecordBatch]":
    """The rows of one table, in the types of its contract."""
    for part in parts.parts(inputs) if chosen.shape.name in PER_CUSTOMER else [inputs]:
        rows = _in_order(shaped(BUILDERS[chosen.shape.name](part), chosen), chosen.shape)
        for block in engine.stream(inputs.connection, rows):
            yield pseudonyms.replace(block, CUSTOMER_ID) if pseudonyms else block


def _in_order(rows: "ir.Table", shape: Published) -> "ir.Table":
    """In the order of the key the same release is the same bytes, and a database's indexes grow at their ends."""
    return rows if shape.name in SORTED else rows.order_by([name for name in shape.key if name != "release"])


def shaped(built: "ir.Table", chosen: Chosen) -> "ir.Table":
    """The columns of the contract in its order and types; one that is not built is missing in every row."""
    here = built.mutate(release=ibis.literal(chosen.release))
    types = {name: TYPES[chosen.shape.columns[name].kind] for name in chosen.columns}
    return here.select(
        **{name: here[name].cast(dtype) if name in here.columns else ibis.null(dtype) for name, dtype in types.items()}
    )

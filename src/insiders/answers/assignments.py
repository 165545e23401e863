"""What the serving model says of a table of customers: everyone's segment, and the ranked list of Insiders."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from insiders import schemas
from insiders.errors import InputError
from insiders.evidence import quality
from insiders.io import paths, tables
from insiders.io.tracking import registry
from insiders.model import segments
from insiders.units import YEAR_DAYS
from insiders.value import lifetime, scores

NO_LIST = "none"


class Labeller(Protocol):
    def predict(self, customers: pd.DataFrame, /) -> pd.DataFrame:
        """`cluster`, `segment` and `is_insider` of each row."""
        ...

    def embed(self, customers: pd.DataFrame, /) -> NDArray[np.float64] | None:
        """Coordinates in which customers are compared; None where they are not."""
        ...


class Served(NamedTuple):
    """What is said of the customers (schemas): ASSIGNMENTS, INSIDERS, CONFIDENCE, PLACES, EXPECTATIONS, MEMBERSHIPS."""

    assigned: pd.DataFrame
    insiders: pd.DataFrame
    confidence: pd.DataFrame
    places: pd.DataFrame
    expectations: pd.DataFrame
    memberships: pd.DataFrame


@dataclass(frozen=True)
class Server:
    """Who decides, and the name under which their decisions go into the tables."""

    labeller: Labeller
    version: str
    champion: str | None = None  # its number, where a version of the registry decides


@dataclass(frozen=True)
class Baseline:
    """The customers with the highest score of one kind (sorts.score); none where the count is 0."""

    score: str
    count: int
    horizon_days: int  # how far ahead an expected lifetime value looks

    def predict(self, customers: pd.DataFrame, /) -> pd.DataFrame:
        """`cluster`, `segment` and `is_insider` of each row."""
        scored = customers.assign(score=scores.score(self.score, customers, self.horizon_days))
        return segments.baseline(scored, "score", self.count)

    def embed(self, customers: pd.DataFrame, /) -> None:  # noqa: ARG002 (the protocol's signature)
        """Nobody is compared with anybody."""
        return

    def scaled(self, customers: int, of: int) -> "Baseline":
        """The same for another number of customers: the list keeps its share of `of`, rounded to whole people."""
        return replace(self, count=round(self.count * customers / of) if of else 0)


def named(name: str | None) -> Server:
    """The version with this number or alias; without a name the champion, and where there is none the baseline.

    Which baseline, and whether a list can be defended at all, is what `register` wrote into models/registered.json.
    """
    if name is None:
        champion = registry.sync_champion()
        return _baseline(tables.read_json(paths.REGISTERED)) if champion is None else _server(champion)
    for version in registry.versions():
        if name == version.number or name.removeprefix("@") in version.aliases:
            return _server(version)
    known = [f"{version.number} {' '.join('@' + each for each in version.aliases)}" for version in registry.versions()]
    raise InputError(f"no version {name!r}: there is {', '.join(known) or 'none'}; give a number or an alias")


def _server(version: registry.Version) -> Server:
    return Server(registry.load(version), version.number, version.number)


def _baseline(registered: Mapping[str, Any]) -> Server:
    chosen = registered["baseline"]
    if registered["regime"] == NO_LIST or chosen is None:
        return Server(Baseline(scores.SPREADSHEET, 0, horizon_days=1), NO_LIST)
    return Server(Baseline(chosen["name"], chosen["n"], chosen["horizon_days"]), f"baseline:{chosen['name']}")


def still_serves(server: Server) -> bool:
    """Whether nobody named another champion since."""
    champion = registry.champion()
    return (champion.number if champion else None) == server.champion


def read_customers(path: Path) -> pd.DataFrame:
    """A table of customers as of one day, from this project or made the same way."""
    return tables.read(path, schemas.CUSTOMERS)


def read_history() -> pd.DataFrame:
    """Past customers with the revenue that followed, the last period's included: here nothing is judged by it."""
    snapshots = tables.read(paths.SNAPSHOTS, schemas.SNAPSHOTS)
    last = tables.read(paths.HOLDOUT, schemas.HOLDOUT)
    keys = ["customer_id", "as_of"]
    known = snapshots[keys].merge(last, on=keys, how="left", validate="many_to_one")["next_revenue"]
    return snapshots.assign(next_revenue=snapshots["next_revenue"].fillna(known))


def read_months() -> pd.DataFrame:
    """Customers as they were known at the past month starts."""
    return tables.read(paths.HISTORY, schemas.HISTORY)


def serve(
    server: Server, customers: pd.DataFrame, history: pd.DataFrame, months: pd.DataFrame, horizon_days: int
) -> Served:
    """Everyone's assignment, how sure it is, and the Insiders with what they are expected to bring in `horizon_days`.

    `history` tells how far such expectations were off (schemas.SNAPSHOTS); at the dates of `months` (schemas.HISTORY)
    it is told who would have been a member.
    """
    labelled = server.labeller.predict(customers)
    assigned = segments.assignments(customers, labelled, server.version)
    with threadpool_limits(1):  # several threads make the small steps of a fit slower, and its last bits uncertain
        model = lifetime.calibrate(lifetime.fit(customers), history, horizon_days)
        expected = lifetime.predict(model, customers, horizon_days)
        year = lifetime.predict(model, customers, YEAR_DAYS)["expected_revenue"].to_numpy()
        embedded = server.labeller.embed(customers)
        sure = _confidence(embedded, customers, labelled)
    past = memberships(server.labeller, months, len(customers))
    listed, places = segments.ranked(customers, assigned, expected), _places(embedded, customers)
    return Served(assigned, listed, sure, places, _expectations(expected, year, customers), past)


def memberships(labeller: Labeller, months: pd.DataFrame, present: int) -> pd.DataFrame:
    """Whom today's model would have named at each date, from that date's own features alone (schemas.MEMBERSHIPS).

    A baseline names the same share of the customers as it does of the `present` ones.
    """
    told = [_at_one_date(labeller, known, present) for _, known in months.groupby("as_of", sort=True)]
    found = pd.concat(told) if told else _at_one_date(labeller, months, present)
    return found.sort_values(["as_of", "customer_id"], ignore_index=True)


def _at_one_date(labeller: Labeller, known: pd.DataFrame, present: int) -> pd.DataFrame:
    names = known[["customer_id", "as_of"]]
    if known.empty:  # no month lies far enough back
        return names.assign(segment=pd.array([], dtype="str"), is_insider=pd.array([], dtype="bool"))
    then = labeller.scaled(len(known), present) if isinstance(labeller, Baseline) else labeller
    labelled = then.predict(known.reset_index(drop=True)).set_axis(known.index)
    return names.assign(segment=labelled["segment"], is_insider=labelled["is_insider"])


def _confidence(embedded: NDArray[np.float64] | None, customers: pd.DataFrame, labelled: pd.DataFrame) -> pd.DataFrame:
    sure = np.nan if embedded is None else quality.confidence(embedded, labelled["cluster"].to_numpy())
    return customers[["customer_id"]].assign(confidence=sure).sort_values("customer_id", ignore_index=True)


def _expectations(expected: pd.DataFrame, year: NDArray[np.float64], customers: pd.DataFrame) -> pd.DataFrame:
    """What each customer is expected to bring (schemas.EXPECTATIONS): in the horizon, and in a `year`."""
    told = expected.assign(as_of=customers["as_of"].to_numpy(), expected_revenue_year=year)
    return told[list(schemas.EXPECTATIONS.columns)].sort_values("customer_id", ignore_index=True)


def _places(embedded: NDArray[np.float64] | None, customers: pd.DataFrame) -> pd.DataFrame:
    """Where the model sees each customer (schemas.PLACES)."""
    if embedded is None:
        return pd.DataFrame({"customer_id": pd.array([], dtype="str"), "place": pd.array([], dtype="object")})
    return customers[["customer_id"]].assign(place=list(embedded)).sort_values("customer_id", ignore_index=True)


def write(served: Served, folder: Path = Path()) -> None:
    """Write all tables at once, below `folder`; where one fails the last good list stays."""
    tables.write_together(
        {
            folder / paths.ASSIGNMENTS: (served.assigned, schemas.ASSIGNMENTS),
            folder / paths.CONFIDENCE: (served.confidence, schemas.CONFIDENCE),
            folder / paths.PLACES: (served.places, schemas.PLACES),
            folder / paths.EXPECTATIONS: (served.expectations, schemas.EXPECTATIONS),
            folder / paths.MEMBERSHIPS: (served.memberships, schemas.MEMBERSHIPS),
            folder / paths.INSIDERS: (tables.spreadsheet_safe(served.insiders), schemas.INSIDERS),
        }
    )

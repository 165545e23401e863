"""What is said of a table of customers: everyone's segment by the serving model, who is a member, and the list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from insiders import schemas
from insiders.answers import bounds, membership
from insiders.answers.bounds import MODEL, NO_LIST
from insiders.answers.listing import Known
from insiders.answers.membership import Candidates, Membership
from insiders.errors import InputError
from insiders.evidence import quality
from insiders.io import paths, tables
from insiders.io.params import Params
from insiders.io.tracking import registry
from insiders.model import segments
from insiders.model.embeddings.affinity import PRODUCTS
from insiders.units import YEAR_DAYS
from insiders.value import lifetime, scores


class Labeller(Protocol):
    @property
    def columns(self) -> Sequence[str]:
        """Columns that it looks at, beside the features of schemas.FEATURES."""
        ...

    def predict(self, customers: pd.DataFrame, /) -> pd.DataFrame:
        """`cluster`, `segment` and `is_insider` of each row."""
        ...

    def score_then(self, customers: pd.DataFrame, /) -> NDArray[np.float64]:
        """What ranks customers as of any day, by what was known on it."""
        ...

    def embed(self, customers: pd.DataFrame, /) -> NDArray[np.float64] | None:
        """Coordinates in which customers are compared; None where they are not."""
        ...


class Served(NamedTuple):
    """What is said of the customers (schemas): ASSIGNMENTS, INSIDERS and so on."""

    programme: Membership
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

    def score(self, customers: pd.DataFrame) -> NDArray[np.float64]:
        """What ranks customers as of any day, by what was known on it."""
        return self.labeller.score_then(customers)


@dataclass(frozen=True)
class Baseline:
    """The customers with the highest score of one kind (scores.score); none where the count is 0."""

    sort: str
    count: int
    horizon_days: int  # how far ahead an expected lifetime value looks
    columns: tuple[str, ...] = ()  # besides the features it looks at none

    def predict(self, customers: pd.DataFrame, /) -> pd.DataFrame:
        """`cluster`, `segment` and `is_insider` of each row."""
        return segments.baseline(customers.assign(score=self.score_then(customers)), "score", self.count)

    def score_then(self, customers: pd.DataFrame, /) -> NDArray[np.float64]:
        """What ranks customers as of any day."""
        return scores.score(self.sort, customers, self.horizon_days)

    def embed(self, customers: pd.DataFrame, /) -> None:  # noqa: ARG002 (the protocol's signature)
        """Nobody is compared with anybody."""
        return


def named(name: str | None, settings: Params, as_of: pd.Timestamp) -> Server:
    """The version with this number or alias; without a name the champion, and where there is none the baseline.

    Which baseline, and whether a list can be defended at all, is what `register` wrote into models/registered.json.
    `as_of` is the customers' day. InputError where the champion is lost, too old, or knows other features.
    """
    limits = bounds.limits(settings)
    if name is None:
        champion = registry.sync_champion()
        return _baseline(tables.read_json(paths.REGISTERED)) if champion is None else _server(champion, limits, as_of)
    for version in registry.versions():
        if name == version.number or name.removeprefix("@") in version.aliases:
            return _server(version, limits, as_of)
    known = [f"{version.number} {' '.join('@' + each for each in version.aliases)}" for version in registry.versions()]
    raise InputError(f"no version {name!r}: there is {', '.join(known) or 'none'}; give a number or an alias")


def _server(version: registry.Version, limits: bounds.Limits, as_of: pd.Timestamp) -> Server:
    bounds.refuse_other_features(version, limits.features)
    bounds.refuse_old(version, as_of, limits.champion_days_max)
    return Server(registry.load(version), version.number, version.number)


def _baseline(registered: Mapping[str, Any]) -> Server:
    if registered["regime"] == MODEL:
        bounds.refuse_lost(registered["champion_version"])
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
    """What a calibration looks at, the revenue of the last period included: here nothing is judged by it."""
    known = tables.read_without([PRODUCTS], paths.SNAPSHOTS, schemas.SNAPSHOTS)
    snapshots = known[["customer_id", *lifetime.PAST]]
    last = tables.read(paths.HOLDOUT, schemas.HOLDOUT)
    keys = ["customer_id", "as_of"]
    brought = snapshots[keys].merge(last, on=keys, how="left", validate="many_to_one")["next_revenue"]
    return snapshots.assign(next_revenue=snapshots["next_revenue"].fillna(brought))


def read_months(server: Server) -> pd.DataFrame:
    """Customers as they were known at the past month starts.

    Without their products, over half of all that is known of them, where the server does not look at these.
    """
    unread = {PRODUCTS} - set(server.labeller.columns)
    return tables.read_without(unread, paths.HISTORY, schemas.HISTORY)


def serve(
    server: Server, customers: pd.DataFrame, history: pd.DataFrame, months: pd.DataFrame, settings: Params
) -> Served:
    """Everyone's segment, how sure it is, what they are expected to bring, and who is a member of the programme.

    `history` tells how far such expectations were off (lifetime.PAST); over the dates of `months` (schemas.HISTORY)
    the membership is walked where no decision is recorded.
    """
    labelled = server.labeller.predict(customers)
    expected, year = expectations(customers, history, settings)
    with threadpool_limits(1):
        embedded = server.labeller.embed(customers)
        sure = _confidence(embedded, customers, labelled)
    programme = membership.propose(candidates(server, customers, labelled, expected), months, settings)
    assigned = _assigned(server, customers, labelled, programme, settings)
    return Served(
        programme=programme,
        assigned=assigned,
        insiders=membership.listed(programme, Known(customers, assigned, expected), settings),
        confidence=sure,
        places=_places(embedded, customers),
        expectations=_expectations(expected, year, customers),
        memberships=memberships(server.labeller, months, programme),
    )


def expectations(
    customers: pd.DataFrame, history: pd.DataFrame, settings: Params
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """What each customer is expected to bring in the horizon (lifetime.predict), and in a year."""
    horizon_days = settings.featurize.horizon_days
    with threadpool_limits(1):  # several threads make the small steps of a fit slower, and its last bits uncertain
        model = lifetime.calibrate(lifetime.fit(customers), history, horizon_days, settings.forecast.unseen_season)
        expected = lifetime.predict(model, customers, horizon_days)
        year = lifetime.expected_revenue(model, customers, YEAR_DAYS)
    return expected, year


def candidates(server: Server, customers: pd.DataFrame, labelled: pd.DataFrame, expected: pd.DataFrame) -> Candidates:
    return Candidates(
        customers=customers,
        expected_revenue=expected["expected_revenue"].to_numpy(float),
        suggested=int(labelled["is_insider"].sum()),
        model_version=server.version,
        score=server.score,
    )


def _assigned(
    server: Server, customers: pd.DataFrame, labelled: pd.DataFrame, programme: Membership, settings: Params
) -> pd.DataFrame:
    """One row per customer, by id (schemas.ASSIGNMENTS)."""
    table = pd.DataFrame(
        {
            **{name: customers[name] for name in ("customer_id", "as_of")},
            **{name: labelled[name] for name in ("cluster", "segment")},
            "is_insider": pd.Index(programme.inside).get_indexer(customers["customer_id"]) >= 0,
            "model_version": pd.Series(server.version, index=customers.index, dtype="str"),
            "reason": membership.reasons(programme, customers, settings),
            "release": pd.Series(programme.terms["release"], index=customers.index, dtype="str"),
        }
    ).join(programme.standing, on="customer_id")
    placed = _by_side(table) if isinstance(server.labeller, Baseline) else table
    return placed.sort_values("customer_id", ignore_index=True)


def _by_side(table: pd.DataFrame) -> pd.DataFrame:
    """Without a model there are two segments: the members, and the others."""
    sides = np.where(table["is_insider"], segments.INSIDERS, segments.OTHERS)
    return table.assign(segment=pd.array(sides, dtype="str"))


def memberships(labeller: Labeller, months: pd.DataFrame, programme: Membership) -> pd.DataFrame:
    """Who was, or would have been, a member at each past date, and in which segment today's model puts them then.

    Each date is looked at by its own features alone (schemas.MEMBERSHIPS).
    """
    rows = [_at_one_date(labeller, known, programme) for _, known in months.groupby("as_of", sort=True)]
    if not rows:  # no month lies far enough back
        names = months[["customer_id", "as_of"]]
        empty = {"segment": "str", "is_insider": "bool", "place": "Int64"}
        return names.assign(**{name: pd.array([], dtype=dtype) for name, dtype in empty.items()})
    return pd.concat(rows).sort_values(["as_of", "customer_id"], ignore_index=True)


def _at_one_date(labeller: Labeller, known: pd.DataFrame, programme: Membership) -> pd.DataFrame:
    customers = known.reset_index(drop=True)
    table = customers[["customer_id", "as_of"]].assign(
        segment=labeller.predict(customers)["segment"],
        is_insider=programme.held(customers["as_of"].iloc[0], customers["customer_id"]),
        place=programme.places(customers["as_of"].iloc[0], customers["customer_id"]),
    )
    return _by_side(table) if isinstance(labeller, Baseline) else table


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
    """Write all tables at once, below `folder`; where one fails the last good list stays.

    InputError where nobody would be on a list that was full, though something serves that names people.
    """
    bounds.refuse_empty(served.programme.inside, served.assigned["model_version"], folder / paths.MEMBERS)
    tables.write_together(
        {
            folder / paths.ASSIGNMENTS: (served.assigned, schemas.ASSIGNMENTS),
            folder / paths.CONFIDENCE: (served.confidence, schemas.CONFIDENCE),
            folder / paths.PLACES: (served.places, schemas.PLACES),
            folder / paths.EXPECTATIONS: (served.expectations, schemas.EXPECTATIONS),
            folder / paths.MEMBERSHIPS: (served.memberships, schemas.MEMBERSHIPS),
            folder / paths.MEMBERS: (served.programme.members, schemas.MEMBERS),
            folder / paths.MOVEMENT: (served.programme.movement, schemas.MOVEMENT),
            folder / paths.TERMS: (pd.DataFrame([served.programme.terms]), schemas.TERMS),
            folder / paths.INSIDERS: (tables.spreadsheet_safe(served.insiders), schemas.INSIDERS),
        }
    )

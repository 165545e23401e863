"""The membership that the data propose as of a day: from the last decision on, or over the months of the past."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from insiders.programme import members, size, stillness
from insiders.programme.arms import Lottery
from insiders.programme.decisions import Decision
from insiders.programme.members import Roster
from insiders.programme.membership import Policy

Tables = Mapping[pd.Timestamp, pd.DataFrame]  # day of a check -> members.review


class ProposalTerms(NamedTuple):
    """How a proposal is made; `hands` holds by customer_id what people decided, and counts from the next check on."""

    stillness: stillness.StillnessTerms
    lottery: Lottery
    hands: "pd.Series[str]"


class Proposal(NamedTuple):
    """The table after each check, the proposed one last, the policy behind it, and the roster of the last check."""

    tables: Tables
    policy: Policy
    last: Roster

    @property
    def border(self) -> int:
        """The last place at which a member stays."""
        return self.last.border(self.policy.band)

    @property
    def members(self) -> pd.DataFrame:
        return next(reversed(list(self.tables.values())))


def from_past(months: Sequence[pd.DataFrame], present: pd.DataFrame, share: float, terms: ProposalTerms) -> Proposal:
    """Walk over the customers (with `score`) of the months and the present one, by the policy that they ask for."""
    rosters = [*_rosters(months, share), _present(present, share, months[-1] if len(months) else None, terms)]
    policy = stillness.choose(*members.aligned(rosters), terms.stillness).policy
    return Proposal(_walked(rosters, policy, terms), policy, rosters[-1])


def from_decision(last: Decision, present: pd.DataFrame, share: float, terms: ProposalTerms) -> Proposal:
    """One step from a decision on, by its policy: a retrained model alone does not change how still the list is."""
    day = pd.Timestamp(last.as_of)
    roster = members.roster(present, size.places(share, len(present)), day, terms.hands)
    table = members.review(last.members, roster, last.policy, terms.lottery)
    return Proposal({roster.day: table}, last.policy, roster)


def look_back(months: Sequence[pd.DataFrame], share: float, policy: Policy, terms: ProposalTerms) -> Tables:
    """The months before the first decision: a simulation, not what was decided at the time."""
    return _walked(list(_rosters(months, share)), policy, terms)


def _walked(rosters: Sequence[Roster], policy: Policy, terms: ProposalTerms) -> Tables:
    tables = members.walk(rosters, policy, terms.lottery)
    return {each.day: table for each, table in zip(rosters, tables, strict=True)}


def _rosters(months: Sequence[pd.DataFrame], share: float) -> Iterator[Roster]:
    before, nobody = None, pd.Series({}, dtype="str")
    for customers in months:
        yield members.roster(customers, size.places(share, len(customers)), before, nobody)
        before = customers["as_of"].iloc[0]


def _present(present: pd.DataFrame, share: float, last: pd.DataFrame | None, terms: ProposalTerms) -> Roster:
    before = None if last is None else last["as_of"].iloc[0]
    return members.roster(present, size.places(share, len(present)), before, terms.hands)


def movement(tables: Tables, decided: bool) -> pd.DataFrame:
    """What happened at each check to whom it concerned (schemas.MOVEMENT)."""
    columns = ["customer_id", "as_of", "event", "reason"]
    rows = [
        table[table["event"] != "outside"].reset_index().assign(as_of=day)[columns] for day, table in tables.items()
    ]
    empty = members.none().reset_index().assign(as_of=pd.Series([], dtype="datetime64[us]"))[columns]
    return pd.concat([empty, *rows], ignore_index=True).assign(decided=decided)

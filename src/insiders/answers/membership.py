"""The programme's membership as of a day, from the tables, the ledger and the settings; and its recording."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from insiders import schemas
from insiders.answers import listing
from insiders.answers.listing import Known
from insiders.errors import InputError
from insiders.io import ledger
from insiders.io.params import Params
from insiders.language import Language
from insiders.programme import decisions, hands, learning, members, membership, proposal, rules, size
from insiders.programme import reasons as reasons_in_words
from insiders.programme.arms import Lottery
from insiders.programme.decisions import Decision, DecisionTerms
from insiders.programme.proposal import Proposal, Tables
from insiders.programme.rules import Rule
from insiders.programme.size import Limits, Place
from insiders.programme.stillness import StillnessTerms

BY_RULE = "rule"  # programme.by
# What is asked of a past month's customers: all that decides their places, by score or by rule.
RANKED = ["customer_id", "as_of", "score", *rules.AT_LEAST]
LISTED = ["rank", "customer_id", "status", "since", "arm", "release", "reason"]


class Candidates(NamedTuple):
    """Customers as of a day, what each is expected to bring, and how many of them the segments suggest."""

    customers: pd.DataFrame  # schemas.CUSTOMERS
    expected_revenue: NDArray[np.float64]
    suggested: int
    model_version: str
    score: Callable[[pd.DataFrame], NDArray[np.float64]]  # of customers as of any day: who comes first

    @property
    def as_of(self) -> date:
        day: date = self.customers["as_of"].iloc[0].date()
        return day


class Membership(NamedTuple):
    """Who is a member as of a day, how that came about, and who was a member on the days before."""

    members: pd.DataFrame  # schemas.MEMBERS
    movement: pd.DataFrame  # schemas.MOVEMENT
    terms: DecisionTerms
    earlier: Tables  # by day, that of members last
    ranked: Mapping[pd.Timestamp, pd.DataFrame]  # by day, today's last: Roster.customers, where all were scored

    @property
    def inside(self) -> "pd.Series[str]":
        return self.members.loc[self.members["status"] != members.LEFT, "customer_id"]

    def held(self, day: pd.Timestamp, ids: "pd.Series[str]") -> NDArray[np.bool_]:
        """Which customers were members on an earlier day, by the last check until then."""
        checks = [check for check in self.earlier if check <= day]
        if not checks:
            return np.zeros(len(ids), bool)
        return np.asarray(members.inside(self.earlier[max(checks)]).index.get_indexer(ids) >= 0)

    @property
    def standing(self) -> pd.DataFrame:
        """`score`, `place` and `hand` of every customer, by customer_id."""
        return self.ranked[max(self.ranked)][["score", "place", "hand"]]

    def places(self, day: pd.Timestamp, ids: "pd.Series[str]") -> "pd.Series[int]":
        """Place by score on a day; null where the customers were not scored then."""
        known = self.ranked[day]["place"].reindex(ids) if day in self.ranked else pd.Series(pd.NA, ids)
        return known.astype("Int64").set_axis(ids.index)


class _Before(NamedTuple):
    """What came before a proposal: what is simulated before the first decision, the decisions, and who ranked where."""

    simulated: Tables
    decided: list[Decision]
    ranked: Mapping[pd.Timestamp, pd.DataFrame]
    rule: Rule | None  # where it decides who is a member, and not the score


def propose(now: Candidates, months: pd.DataFrame, settings: Params) -> Membership:
    """The membership as of the customers' day: what was decided for it, else what the data propose.

    `months` are the customers at the past month starts (schemas.HISTORY).
    """
    decided = [_decision(record) for record in ledger.read_all(now.as_of)]
    terms, last = _terms(settings), decided[-1] if decided else None
    with threadpool_limits(1):  # several threads make the small steps of a fit slower, and its last bits uncertain
        first_day = pd.Timestamp(decided[0].as_of if decided else now.as_of)
        earlier = [_scored(each, now)[RANKED] for _, each in months[months["as_of"] < first_day].groupby("as_of")]
        present, share = _scored(now.customers, now), _share(now, settings, last)
    rule = _rule(present, share, last) if settings.programme.by == BY_RULE else None
    if rule is not None:
        bands = [*settings.programme.bands, *([last.policy.band] if last else [])]
        *earlier, present = (_with_looseness(each, rule, bands) for each in (*earlier, present))
    simulated = proposal.look_back(earlier, decided[0].share, decided[0].policy, terms) if decided else {}
    before = _Before(simulated, decided, _ranked(earlier, present, terms), rule)
    if last is None:
        return _membership(proposal.from_past(earlier, present, share, terms), before, now)
    if last.as_of == now.as_of:
        return _recorded(before, terms.hands)
    return _membership(proposal.from_decision(last, present, share, terms), before, now)


def _rule(present: pd.DataFrame, share: float, last: Decision | None) -> Rule:
    """The rule that decides: that of the last decision, else the one that describes those with the highest score."""
    if last is not None and last.terms["rule"]:
        return rules.from_text(last.terms["rule"])
    places = size.places(share, len(present))
    fit = learning.learn(present, pd.Series(membership.ranks(present) <= places, present.index))
    if fit is None and places:
        raise InputError(f"no rule describes the {places} customers with the highest score: set programme.by: score")
    return () if fit is None else fit.rule


def _with_looseness(customers: pd.DataFrame, rule: Rule, bands: list[float]) -> pd.DataFrame:
    return customers.assign(looseness=rules.looseness(rule, customers, bands))


def _ranked(
    earlier: list[pd.DataFrame], present: pd.DataFrame, terms: proposal.ProposalTerms
) -> dict[pd.Timestamp, pd.DataFrame]:
    """Who ranked where, by day; hands count today only."""
    past = [members.roster(each, 0, None, terms.hands.iloc[:0]) for each in earlier]
    return {each.day: each.customers for each in [*past, members.roster(present, 0, None, terms.hands)]}


def _decision(record: ledger.Record) -> Decision:
    as_of, terms, table = record
    return Decision(as_of, decisions.terms(terms), table.set_index("customer_id"))


def _terms(settings: Params) -> proposal.ProposalTerms:
    own = settings.programme
    still = StillnessTerms(own.flip_share_max, own.flip_months, own.leave_share_max, own.bands, own.grace_months)
    decided = hands.current(map(hands.entry, ledger.read_hands()))
    return proposal.ProposalTerms(still, Lottery(settings.seed, own.held_out_share), decided)


def _scored(customers: pd.DataFrame, now: Candidates) -> pd.DataFrame:
    known = customers.reset_index(drop=True)
    return known.assign(score=now.score(known))


def _share(now: Candidates, settings: Params, last: Decision | None) -> float:
    """The share of the customers who may be members."""
    own, tune = settings.programme, settings.tune
    if not now.suggested and last is None:  # nobody can be defended, and nobody was ever told that they are in
        return 0.0
    if own.size != size.AUTO:
        return size.fixed(float(own.size), len(now.customers))
    limits = Limits(tune.insider_share_min, tune.insider_share_max, last.share if last else None)
    return limits.hold(_count(now, settings) / len(now.customers))


def _count(now: Candidates, settings: Params) -> int:
    """As many as earn their place; where its cost is not known, as many as the segments suggest."""
    own = settings.programme
    paying = Place(own.place_cost, settings.report.margin_share, own.place_uplift).paying(now.expected_revenue)
    return now.suggested if paying is None else paying


def _membership(made: Proposal, before: _Before, now: Candidates) -> Membership:
    """What is proposed, after what was simulated and decided before it."""
    terms = DecisionTerms(
        size=made.last.size,
        customers=len(now.customers),
        band=made.policy.band,
        border=made.border,
        rule="" if before.rule is None else rules.as_text(before.rule),
        grace_months=made.policy.grace_months,
        model_version=now.model_version,
        release=f"{now.as_of}/{now.model_version}/{_digest(now.customers)}",
    )
    earlier = {**before.simulated, **_by_day(before.decided), **made.tables}
    moved = [*_moved(before), proposal.movement(made.tables, decided=False)]
    present = made.members.assign(release=terms["release"]).reset_index()[list(schemas.MEMBERS.columns)]
    return Membership(present, pd.concat(moved, ignore_index=True), terms, earlier, before.ranked)


def _recorded(before: _Before, decided_by_hand: "pd.Series[str]") -> Membership:
    """What was decided for this very day, without those who objected since."""
    *others, last = before.decided
    kept = members.without_objectors(last.members, decided_by_hand, pd.Timestamp(last.as_of))
    now = before._replace(decided=[*others, last._replace(members=kept)])
    moved = pd.concat(_moved(now), ignore_index=True)
    return Membership(kept.reset_index(), moved, last.terms, {**now.simulated, **_by_day(now.decided)}, now.ranked)


def _moved(before: _Before) -> list[pd.DataFrame]:
    return [
        proposal.movement(before.simulated, decided=False),
        proposal.movement(_by_day(before.decided), decided=True),
    ]


def _by_day(decided: list[Decision]) -> Tables:
    return {pd.Timestamp(each.as_of): each.members for each in decided}


def _digest(customers: pd.DataFrame) -> str:
    """Eight letters that stand for the customers, whatever their order."""
    rows = pd.util.hash_pandas_object(customers.sort_values("customer_id"), index=False)
    return hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()[:8]


def reasons(programme: Membership, customers: pd.DataFrame, settings: Params) -> "pd.Series[str]":
    """Why each customer is in or out, in the page's language."""
    language = Language(settings.report.language, settings.preprocess.currency)
    return reasons_in_words.texts(customers, programme.members, programme.terms, language)


def listed(programme: Membership, known: Known, settings: Params) -> pd.DataFrame:
    """One row per member, best first (schemas.INSIDERS)."""
    language = Language(settings.report.language, settings.preprocess.currency)
    rows = programme.members.loc[programme.members["rank"].notna(), LISTED].rename(columns={"reason": "why"})
    return listing.described(rows, known, language)

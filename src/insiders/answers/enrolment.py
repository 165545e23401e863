"""Decide: record who is a member as of a day, take the last decision back, or put a customer in or out by hand."""

from datetime import date
from typing import NamedTuple

import pandas as pd

from insiders import schemas
from insiders.answers import assignments, drift, membership
from insiders.answers.membership import Membership
from insiders.errors import InputError
from insiders.io import engine, ledger, params, paths, tables
from insiders.io.params import Params
from insiders.programme import decisions
from insiders.programme.hands import Hand
from insiders.tables import cutoffs, features


class Proposed(NamedTuple):
    """A membership as of a day, and what the champion makes of the customers: their `cluster` and `is_insider`."""

    programme: Membership
    assigned: pd.DataFrame
    champion: str | None  # its number


class Enrolment(NamedTuple):
    """What stands in the ledger for a day, and whether it was recorded just now."""

    as_of: date
    members: pd.DataFrame  # schemas.MEMBERS
    is_new: bool


def enrol(as_of: date | None) -> Enrolment:
    """Record the membership as of a day, by the champion and what was known then; the present day if None is given.

    A day that is recorded stays as it is. Raises InputError where a later one is.
    """
    settings = params.read()
    customers = customers_as_of(as_of, settings)
    day: date = customers["as_of"].iloc[0].date()
    is_new = decisions.is_new(ledger.days(), day)
    if is_new:
        # What is decided is kept for good: not by data that are not what the champion was trained on.
        drift.refuse_delivery(pd.Timestamp(day), settings)
        made = propose(customers, settings)
        if day == _today():  # customers of an earlier day are neither those of its training nor of the last list
            drift.refuse(drift.of_list(made.champion, customers, made.assigned, settings), made.champion)
        ledger.append(day, made.programme.terms, made.programme.members)
    return Enrolment(day, ledger.read(day).members, is_new)


def customers_as_of(as_of: date | None, settings: Params) -> pd.DataFrame:
    """The customers as of the day, from the table of today's or from their orders until then."""
    present = assignments.read_customers(paths.CUSTOMERS)
    if as_of in (None, present["as_of"].iloc[0].date()):
        return present
    own, con = settings.featurize, engine.connect()
    lines, orders = engine.scan(con, paths.LINES), engine.scan(con, paths.ORDERS)
    first, last = engine.fetch_row(con, cutoffs.span(lines))
    day = cutoffs.resolve_as_of(as_of, first, last, own.horizon_days)
    windows = features.Windows(first, own.horizon_days, own.fade_days)
    known = engine.fetch(con, features.customers(orders, lines, [day], windows))
    return schemas.CUSTOMERS.validate(known.sort_values("customer_id", ignore_index=True))


def propose(customers: pd.DataFrame, settings: Params) -> Proposed:
    server = assignments.named(None, settings, customers["as_of"].iloc[0])
    labelled = server.labeller.predict(customers)
    expected, _ = assignments.expectations(customers, assignments.read_history(), settings)
    candidates = assignments.candidates(server, customers, labelled, expected)
    programme = membership.propose(candidates, assignments.read_months(server), settings)
    people = customers["customer_id"]
    assigned = labelled.assign(customer_id=people, is_insider=people.isin(programme.inside))
    return Proposed(programme, assigned, server.champion)


def _today() -> date:
    day: date = tables.read_vouched(paths.CUSTOMERS, ["as_of"])["as_of"].iloc[0].date()
    return day


def set_hand(customer_id: str, hand: Hand, why: str, on: date) -> None:
    """Record what a person decides about a customer; it holds from the next decision on."""
    known = set(tables.read(paths.CUSTOMERS)["customer_id"])
    if customer_id not in known:
        raise InputError(f"no customer {customer_id!r}: expected an id of {paths.CUSTOMERS}, such as {min(known)}")
    if not why.strip():
        raise InputError("a decision by hand needs its reason: --why TEXT")
    ledger.append_hand({"customer_id": customer_id, "hand": hand, "why": why, "on": on.isoformat()})

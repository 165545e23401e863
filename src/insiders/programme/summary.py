"""The answers to "what does it take to enter" and "when does somebody leave", in plain numbers."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from insiders.programme import learning, membership, rules, standing
from insiders.programme.learning import Fit
from insiders.programme.membership import Conditions, Event, Terms

LISTED = 10  # members named as the closest to leaving
LATEST = 5  # people named of each kind of change
Numbers = dict[str, Any]
# Null where there is no rule.
ENTER_FIGURES = ("named", "precision", "recall", "python", "sql", "past_precision", "past_recall")
LEAVE_FIGURES = (
    *("slack", "grace_months", "python", "sql", "outside", "between", "waiting", "members", "in_grace", "met"),
    *("worst_flip_share", "mean_flip_share", "worst_left_share", "guest_share"),
)


class Known(NamedTuple):
    """Customers with `segment` and `is_insider`: now, and at each past month start, as today's model looks back.

    Both as rules.with_figures makes them.
    """

    present: pd.DataFrame
    past: pd.DataFrame

    @property
    def everything(self) -> pd.DataFrame:
        """All checks, without what only the present knows."""
        columns = ["customer_id", "as_of", "segment", "is_insider", *rules.AT_LEAST]
        return pd.concat([self.past[columns], self.present[columns]], ignore_index=True)


class Membership(NamedTuple):
    """The conditions to enter and to leave; None where there is nobody to learn them from."""

    fit: Fit | None
    conditions: Conditions | None


def remembered(history: pd.DataFrame, memberships: pd.DataFrame) -> pd.DataFrame:
    """Customers of the past (schemas.HISTORY) with their `segment` and `is_insider` of schemas.MEMBERSHIPS."""
    keys = ["customer_id", "as_of"]
    known = rules.with_figures(history[[*keys, *rules.NEEDED]])
    return known.merge(memberships, on=keys, validate="one_to_one")


def learn(known: Known, terms: Terms) -> Membership:
    """The conditions to enter from today's list alone, those to leave from what they would have done in the past."""
    fit = learning.learn(known.present, known.present["is_insider"])
    return Membership(fit, None if fit is None else membership.choose(fit.rule, known.everything, terms))


def enter(found: Membership, known: Known) -> Numbers:
    """The rule to enter, and how well it agrees with the list, now and at the earlier dates that it has not seen."""
    size = {"count": int(known.present["is_insider"].sum()), "customers": len(known.present)}
    fit = found.fit
    if fit is None:
        return {**size, "ways": [], "conditions": 0, "past": [], **dict.fromkeys(ENTER_FIGURES)}
    past_precision, past_recall = _agreement(fit, known.past)
    return {
        **size,
        "ways": rules.plain(fit.rule),
        "conditions": rules.length(fit.rule),
        "named": int(rules.meets(fit.rule, known.present).sum()),
        "precision": fit.precision,
        "recall": fit.recall,
        "python": rules.as_python(fit.rule, "enters"),
        "sql": rules.as_sql(fit.rule),
        "past": [_at_one_date(fit, day, group) for day, group in known.past.groupby("as_of", sort=True)],
        "past_precision": past_precision,
        "past_recall": past_recall,
    }


def _agreement(fit: Fit, customers: pd.DataFrame) -> tuple[float, float]:
    return learning.agreement(fit.rule, customers, customers["is_insider"].to_numpy(bool))


def _at_one_date(fit: Fit, day: Any, customers: pd.DataFrame) -> Numbers:
    precision, recall = _agreement(fit, customers)
    listed = int(customers["is_insider"].sum())
    return {"as_of": _iso(day), "count": listed, "precision": precision, "recall": recall}


def leave(found: Membership, known: Known, terms: Terms) -> Numbers:
    """The rule to stay by, where today's members stand to it, and the programme as it would have gone.

    `outside`: members who miss even the loosened rule; `between`: who meet it and miss the rule to enter;
    `waiting`: customers who meet the rule to enter and are no members. `slack` is the least share by which thresholds
    were loosened before they were rounded.
    """
    size = {"count": int(known.present["is_insider"].sum())}
    asked = {"flip_share_max": terms.flip_share_max, "flip_months": terms.flip_months}
    if found.fit is None or found.conditions is None:
        empty: Numbers = {name: [] for name in ("ways", "closest", "months", "without", "latest")}
        return {**size, **asked, **empty, **dict.fromkeys(LEAVE_FIGURES)}
    chosen = found.conditions
    return {
        **size,
        **asked,
        "slack": chosen.slack,
        "grace_months": chosen.grace_months,
        "ways": rules.plain(chosen.stay),
        "python": rules.as_python(chosen.stay, "stays"),
        "sql": rules.as_sql(chosen.stay),
        **_standing(found.fit.rule, chosen.stay, known.present),
        **_history(found.fit, chosen, known, terms),
    }


def _standing(enter: rules.Rule, stay: rules.Rule, present: pd.DataFrame) -> Numbers:
    member, entry = present["is_insider"].to_numpy(bool), rules.meets(enter, present)
    staying = rules.meets(stay, present)
    near = present.assign(room=rules.margin(stay, present))[member & staying]
    order = ["room", "net_revenue", "recency_days", "customer_id"]
    columns = ["customer_id", "room", *rules.columns(stay)]
    return {
        "outside": int((member & ~staying).sum()),
        "between": int((member & staying & ~entry).sum()),
        "waiting": int((entry & ~member).sum()),
        "closest": near.sort_values(order)[columns].head(LISTED).to_dict("records"),
    }


def _history(fit: Fit, chosen: Conditions, known: Known, terms: Terms) -> Numbers:
    everything = known.everything
    places = membership.checks(everything)
    told = membership.counts(chosen.events, places, terms)
    worst = membership.worst_share(told)
    lists = {"model": everything["is_insider"].to_numpy(bool), "enter": rules.meets(fit.rule, everything)}
    return {
        "members": int(told["members"].iloc[-1]),
        "in_grace": int(told["in_grace"].iloc[-1]),
        "worst_flip_share": worst,
        "met": None if worst is None else worst <= terms.flip_share_max,
        **_shares(told),
        "guest_share": chosen.guest_share,
        "without": [_unruled(name, places.grid(flags), places, terms) for name, flags in lists.items()],
        "months": told.assign(as_of=told["as_of"].map(_iso)).to_dict("records"),
        "latest": _latest(fit, chosen, everything, places),
    }


def _shares(told: pd.DataFrame) -> Numbers:
    judged = told[told["judged"]]
    before = judged["before"].sum()
    return {
        "mean_flip_share": judged["flips"].sum() / before if before else None,
        "worst_left_share": judged["left_share"].max() if before else None,
    }


def _unruled(name: str, listed: rules.Flags, places: membership.Checks, terms: Terms) -> Numbers:
    """What the same months would have brought where whoever is named is in and everybody else is out."""
    told = membership.counts(membership.walk(listed, listed, places.months, 0), places, terms)
    return {"name": name, "worst_flip_share": membership.worst_share(told), **_shares(told)}


def _latest(fit: Fit, chosen: Conditions, everything: pd.DataFrame, places: membership.Checks) -> list[Numbers]:
    """Of each kind of event the latest people, those with the highest net revenue first, and why."""
    known = everything.assign(event=chosen.events[places.row, places.column])
    order = ["as_of", "net_revenue", "recency_days", "customer_id"]
    latest = known.sort_values(order, ascending=[False, False, True, True])
    told: list[Numbers] = []
    for event, rule in _told(fit, chosen).items():
        rows = latest[latest["event"] == event]
        if event is Event.IN_GRACE:  # only those who are in it now
            rows = rows[rows["as_of"] == places.days[-1]]
        told += [_person(rows.iloc[[place]], event, rule) for place in range(min(LATEST, len(rows)))]
    return told


def _told(fit: Fit, chosen: Conditions) -> Mapping[Event, rules.Rule]:
    """The events of which people are named, and the rule that was met or missed."""
    return {
        Event.LEFT: chosen.stay,
        Event.IN_GRACE: chosen.stay,
        Event.RETURNED: fit.rule,
        Event.JOINED: fit.rule,
    }


def _person(row: pd.DataFrame, event: Event, rule: rules.Rule) -> Numbers:
    return {
        "event": event.name.lower(),
        "as_of": _iso(row["as_of"].iloc[0]),
        "customer_id": row["customer_id"].iloc[0],
        "why": standing.reason(rule, row),
    }


def _iso(day: Any) -> str:
    return f"{pd.Timestamp(day):%Y-%m-%d}"

"""The answer `leave`: when somebody stops being an Insider."""

from typing import TypedDict

import pandas as pd

from insiders.programme import rules, simulation, standing
from insiders.programme.criteria import Criteria, Timeline
from insiders.programme.membership import Event
from insiders.programme.rules import Flags, PlainRule, Rule
from insiders.programme.simulation import Grid, Policy, Terms
from insiders.programme.standing import PlainComparison

CLOSEST_MAX = 10  # members listed as the closest to leaving
LATEST_MAX = 5  # customers listed for each kind of change


class FlipShares(TypedDict):
    """Shares of the members in one month; null where no month can be judged."""

    mean_flip_share: float | None
    worst_left_share: float | None


class Alternative(FlipShares):
    """The same months without slack and grace.

    `name` says who is a member then: `model`, whoever is on the model's list; `enter`, whoever meets the rule to enter.
    """

    name: str
    worst_flip_share: float | None


class CheckCounts(TypedDict):
    """One row of simulation.count_events."""

    as_of: str
    before: int
    joined: int
    returned: int
    stayed: int
    in_grace: int
    left: int
    members: int
    flips: int
    flip_share: float
    left_share: float
    returned_share: float
    judged: bool


class Change(TypedDict):
    """An event of one customer, and the conditions that they met or missed then."""

    event: str
    as_of: str
    customer_id: str
    why: list[PlainComparison]


class Present(TypedDict):
    """Where today's customers stand to the rules.

    `outside`: members who miss even the rule to stay. `between`: members who meet it and miss the rule to enter.
    `waiting`: customers who meet the rule to enter and are not members. `closest`: members with the least `room` (share
    of the threshold of the condition that binds) and their figures in the rule's columns.
    """

    outside: int | None
    between: int | None
    waiting: int | None
    closest: list[dict[str, str | float]]


class Simulation(FlipShares):
    """The programme month by month, had today's rules held; see simulation.py."""

    members: int | None
    in_grace: int | None
    worst_flip_share: float | None
    met: bool | None  # whether the worst share keeps below flip_share_max
    guest_share: float | None
    without: list[Alternative]
    months: list[CheckCounts]
    latest: list[Change]


class LeaveNumbers(Present, Simulation):
    """The answer `leave`; null where no rule describes the list.

    `slack` is the least share by which thresholds were loosened before they were rounded.
    """

    count: int
    flip_share_max: float
    flip_months: int
    slack: float | None
    grace_months: int | None
    ways: PlainRule
    python: str | None
    sql: str | None


def numbers(criteria: Criteria, timeline: Timeline, terms: Terms) -> LeaveNumbers:
    """The rule to stay by, where today's customers stand to it, and the programme as it would have gone."""
    count, fit, policy = int(timeline.present["is_insider"].sum()), criteria.enter, criteria.leave
    if fit is None or policy is None:
        return _unknown(count, terms)
    return {
        "count": count,
        "flip_share_max": terms.flip_share_max,
        "flip_months": terms.flip_months,
        "slack": policy.slack,
        "grace_months": policy.grace_months,
        "ways": rules.to_plain(policy.stay),
        "python": rules.as_python(policy.stay, "stays"),
        "sql": rules.as_sql(policy.stay),
        **_present(fit.rule, policy.stay, timeline.present),
        **_simulation(fit.rule, policy, timeline.checks, terms),
    }


def _unknown(count: int, terms: Terms) -> LeaveNumbers:
    return {
        "count": count,
        "flip_share_max": terms.flip_share_max,
        "flip_months": terms.flip_months,
        "ways": [],
        "closest": [],
        "months": [],
        "without": [],
        "latest": [],
        "slack": None,
        "grace_months": None,
        "python": None,
        "sql": None,
        "outside": None,
        "between": None,
        "waiting": None,
        "members": None,
        "in_grace": None,
        "met": None,
        "worst_flip_share": None,
        "mean_flip_share": None,
        "worst_left_share": None,
        "guest_share": None,
    }


def _present(enter: Rule, stay: Rule, customers: pd.DataFrame) -> Present:
    member, enters = customers["is_insider"].to_numpy(bool), rules.meets(enter, customers)
    stays = rules.meets(stay, customers)
    staying = customers.assign(room=rules.margin(stay, customers))[member & stays]
    order = ["room", "net_revenue", "recency_days", "customer_id"]
    columns = ["customer_id", "room", *rules.columns(stay)]
    return {
        "outside": int((member & ~stays).sum()),
        "between": int((member & stays & ~enters).sum()),
        "waiting": int((enters & ~member).sum()),
        "closest": staying.sort_values(order)[columns].head(CLOSEST_MAX).to_dict("records"),
    }


def _simulation(enter: Rule, policy: Policy, checks: pd.DataFrame, terms: Terms) -> Simulation:
    grid = Grid.of(checks)
    counts = simulation.count_events(policy.events, grid, terms)
    worst = simulation.worst_flip_share(counts)
    lists = {"model": checks["is_insider"].to_numpy(bool), "enter": rules.meets(enter, checks)}
    return {
        "members": int(counts["members"].iloc[-1]),
        "in_grace": int(counts["in_grace"].iloc[-1]),
        "worst_flip_share": worst,
        "met": None if worst is None else worst <= terms.flip_share_max,
        **_flip_shares(counts),
        "guest_share": policy.guest_share,
        "without": [_alternative(name, grid.fill(flags), grid, terms) for name, flags in lists.items()],
        "months": counts.assign(as_of=counts["as_of"].dt.strftime("%Y-%m-%d")).to_dict("records"),
        "latest": _latest(enter, policy, checks, grid),
    }


def _flip_shares(counts: pd.DataFrame) -> FlipShares:
    judged = counts[counts["judged"]]
    before = judged["before"].sum()
    return {
        "mean_flip_share": judged["flips"].sum() / before if before else None,
        "worst_left_share": judged["left_share"].max() if before else None,
    }


def _alternative(name: str, listed: Flags, grid: Grid, terms: Terms) -> Alternative:
    events = simulation.replay(listed, listed, grid.months, grace_months=0)
    counts = simulation.count_events(events, grid, terms)
    return {"name": name, "worst_flip_share": simulation.worst_flip_share(counts), **_flip_shares(counts)}


def _latest(enter: Rule, policy: Policy, checks: pd.DataFrame, grid: Grid) -> list[Change]:
    """The latest changes of each kind; of one day those with the highest net revenue first. In grace: only today's."""
    order = ["as_of", "net_revenue", "recency_days", "customer_id"]
    rows = checks.assign(event=policy.events[grid.row, grid.column])
    ranked = rows.sort_values(order, ascending=[False, False, True, True])
    kinds = {Event.LEFT: policy.stay, Event.IN_GRACE: policy.stay, Event.RETURNED: enter, Event.JOINED: enter}
    changes: list[Change] = []
    for event, rule in kinds.items():
        is_kind = ranked["event"] == event
        if event is Event.IN_GRACE:
            is_kind &= ranked["as_of"] == grid.days[-1]
        latest = ranked[is_kind].head(LATEST_MAX)
        changes += [_change(latest.iloc[[place]], event, rule) for place in range(len(latest))]
    return changes


def _change(row: pd.DataFrame, event: Event, rule: Rule) -> Change:
    return {
        "event": event.name.lower(),
        "as_of": f"{row['as_of'].iloc[0]:%Y-%m-%d}",
        "customer_id": row["customer_id"].iloc[0],
        "why": standing.reason(rule, row),
    }

"""The strongest findings of a shop, put on one scale and ranked by effect times certainty.

Every candidate compares two shares, so that effects can stand side by side: Cohen's h = 2 asin(sqrt p) - 2 asin(sqrt q)
(Cohen 1988: 0.2 small, 0.5 medium, 0.8 large). Certainty is how little chance could have made it: 2 Phi(|z|) - 1, 0 for
the toss of a coin, 1 for beyond doubt; customers are taken as independent draws, and where money is compared, it must
also hold without the one customer who moves it most. What is weak or unsure is not told.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import asin, copysign, erf, fsum, inf, log, sqrt
from typing import Any, NamedTuple

import pandas as pd

from insiders.units import NORMAL_QUANTILE

Numbers = dict[str, Any]

TOLD = 3
EFFECT_LEAST = 0.1  # half of what Cohen calls small
CERTAINTY_LEAST = 0.9
COUNTRY_LEAST = 20  # customers of a country that is compared
MONTHS = 3  # last whole months whose comers and leavers are compared
LIST = "the list"  # a matter of which only the strongest finding is told


class Evidence(NamedTuple):
    """What candidates are made from.

    `members`: one row per customer with is_insider; `cohorts`, `flow` and `tree`: as cohorts.py tells them;
    `validation`: the untouched period, None where no list is defended.
    """

    members: pd.DataFrame
    cohorts: Mapping[str, Any]
    flow: list[Numbers]
    tree: Mapping[str, Any] | None
    validation: Mapping[str, Any] | None


class Insight(NamedTuple):
    """`share` against `base`, `z` standard errors apart; `about`: of several on one matter the strongest is told."""

    key: str
    about: str
    share: float
    base: float
    z: float
    figures: Numbers  # beside the two shares, what the sentence needs

    @property
    def effect(self) -> float:
        return cohen_h(self.share, self.base)

    @property
    def certainty(self) -> float:
        return erf(abs(self.z) / sqrt(2))

    @property
    def score(self) -> float:
        return abs(self.effect) * self.certainty


def ranked(evidence: Evidence) -> list[Numbers]:
    """At most TOLD insights, the strongest first: key, effect, certainty, score, and the values of its sentence."""
    known = [found for candidate in CANDIDATES for found in candidate(evidence)]
    strong = [each for each in known if abs(each.effect) >= EFFECT_LEAST and each.certainty >= CERTAINTY_LEAST]
    best: dict[str, Insight] = {}
    for each in sorted(strong, key=lambda each: -each.score):
        best.setdefault(each.about, each)
    return [
        {
            "key": each.key,
            "effect": each.effect,
            "certainty": each.certainty,
            "score": each.score,
            "values": {"share": each.share, "base": each.base, **each.figures},
        }
        for each in list(best.values())[:TOLD]
    ]


def cohen_h(share: float, base: float) -> float:
    """Shares outside 0 to 1, which negative revenue makes, count as the nearer end."""
    one, other = (2 * asin(sqrt(min(max(each, 0.0), 1.0))) for each in (share, base))
    return one - other


# --- the candidates: each gives an insight where the shop's figures can tell ---


def concentration(evidence: Evidence) -> Iterator[Insight]:
    """The Insiders' share of the net revenue against their share of the customers."""
    inside = evidence.members["is_insider"]
    yield from _part("concentration", LIST, evidence.members, inside, {"count": int(inside.sum())})


def single_order(evidence: Evidence) -> Iterator[Insight]:
    """What those bring who ordered once."""
    once = evidence.members["order_count"] == 1
    yield from _part("single_order", "single_order", evidence.members, once, {"count": int(once.sum())})


def country(evidence: Evidence) -> Iterator[Insight]:
    """The country whose share of the revenue differs most from its share of the customers.

    As many are compared as there are, so chance is given as many tries (Bonferroni).
    """
    members = evidence.members
    sizes = members["country"].value_counts().sort_index()
    tried = [
        found
        for name in sizes.index[sizes >= COUNTRY_LEAST]
        for found in _part("country", "country", members, members["country"] == name, {"country": name})
    ]
    for best in sorted(tried, key=lambda each: -abs(each.effect))[:1]:
        yield best._replace(z=_corrected(best.z, len(tried)))


def _corrected(z: float, tries: int) -> float:
    """The z whose chance is that of |z| times the number of tries."""
    from statistics import NormalDist

    chance = min(tries * (1 - erf(abs(z) / sqrt(2))), 1.0)
    return inf if chance == 0 else -NormalDist().inv_cdf(chance / 2)


def _part(key: str, about: str, members: pd.DataFrame, chosen: "pd.Series[bool]", values: Numbers) -> Iterator[Insight]:
    """A group's share of the net revenue against its share of the customers."""
    if fsum(members["net_revenue"]) <= 0 or not 0 < chosen.sum() < len(members):
        return
    (share, base, z), pull = _share(members, chosen)
    rest = members.drop(index=pull.abs().idxmax())
    others = _share(rest, chosen[rest.index])[0].z if fsum(rest["net_revenue"]) > 0 else 0.0
    yield Insight(key, about, share, base, _weaker(z, others), values)


class _Compared(NamedTuple):
    share: float
    base: float
    z: float


def _share(members: pd.DataFrame, chosen: "pd.Series[bool]") -> "tuple[_Compared, pd.Series[float]]":
    """Also what each customer adds to the difference, whose squares make its (linearised) standard error."""
    revenue, total = members["net_revenue"], fsum(members["net_revenue"])
    base, share = float(chosen.mean()), fsum(revenue[chosen]) / total
    pull = revenue * (chosen - share) / total - (chosen - base) / len(members)
    return _Compared(share, base, _z(share - base, sqrt(fsum(pull**2)))), pull


def _weaker(z: float, without: float) -> float:
    """The z that also holds without the customer who moves it most: one order must not make an insight."""
    return min(z, without, key=abs) if z * without > 0 else 0.0


def _z(difference: float, error: float) -> float:
    if error == 0:
        return copysign(inf, difference) if difference else 0.0
    return difference / error


def afterwards(evidence: Evidence) -> Iterator[Insight]:
    """What such a list brought in the period that nothing before had seen, against a list of the same size by lot."""
    found = evidence.validation
    if found is None or not found["value_over_random"] or not found["value_over_random_low"]:
        return
    above, low = found["value_over_random"], found["value_over_random_low"]
    if low <= 0:
        return
    error = (log(above) - log(low)) / NORMAL_QUANTILE
    values = {name: found[name] for name in ("n", "horizon_days", "value_over_random")}
    share = found["value_capture"]
    yield Insight("afterwards", LIST, share, share / above, _z(log(above), error), values)


def still_active(evidence: Evidence) -> Iterator[Insight]:
    """Insiders who ordered within 90 days against the others."""
    active, inside = evidence.members["order_count_90d"] > 0, evidence.members["is_insider"]
    sides = [(int(active[side].sum()), int(side.sum())) for side in (inside, ~inside)]
    yield from _two_groups("still_active", LIST, sides, {})


def returns(evidence: Evidence) -> Iterator[Insight]:
    """The share of the Insiders' purchases that came back, against that of the others."""
    inside = evidence.members["is_insider"]
    sides = [evidence.members[side] for side in (inside, ~inside)]
    if any(fsum(side["gross_revenue"]) <= 0 for side in sides):
        return
    (share, pull), (base, base_pull) = (_returned(side) for side in sides)
    z = _z(share - base, sqrt(fsum([*pull**2, *base_pull**2])))
    yield Insight("returns", "returns", share, base, _weaker(z, _without_largest(sides, [pull, base_pull])), {})


def _returned(customers: pd.DataFrame) -> "tuple[float, pd.Series[float]]":
    """Share of the gross revenue that was given back, and what each customer adds to it beyond their part."""
    gross, back = fsum(customers["gross_revenue"]), fsum(customers["returned_revenue"])
    return back / gross, (customers["returned_revenue"] - back / gross * customers["gross_revenue"]) / gross


def _without_largest(sides: Sequence[pd.DataFrame], pulls: "Sequence[pd.Series[float]]") -> float:
    """The z of the same two sides without the customer who moves their difference most."""
    place = 0 if pulls[0].abs().max() >= pulls[1].abs().max() else 1
    left = [side.drop(index=pulls[place].abs().idxmax()) if at == place else side for at, side in enumerate(sides)]
    if any(fsum(side["gross_revenue"]) <= 0 for side in left):
        return 0.0
    (share, pull), (base, base_pull) = (_returned(side) for side in left)
    return _z(share - base, sqrt(fsum([*pull**2, *base_pull**2])))


def growth(evidence: Evidence) -> Iterator[Insight]:
    """The later period's part of the revenue of both; with the factor that did most to the change."""
    tree = evidence.tree
    if tree is None or min(tree[side]["net_revenue"] for side in ("earlier", "later")) <= 0:
        return
    earlier, later = (tree[side]["net_revenue"] for side in ("earlier", "later"))
    most = max(tree["parts"], key=lambda part: part["amount"] * tree["change"])
    values = {
        "change": tree["change"],
        "change_share": tree["change"] / earlier,
        "change_size": abs(tree["change"]) / earlier,
        "is_year_apart": tree["is_year_apart"],
        "from": tree["later"]["from"],
        "to": tree["later"]["to"],
        "factor": most["factor"],
        "factor_amount": most["amount"],
    }
    z = _z(tree["change"], tree["change_error"])
    yield Insight("growth", "growth", later / (earlier + later), 0.5, z, values)


def flow(evidence: Evidence) -> Iterator[Insight]:
    """Of the customers who came or went in the last whole months, those who came."""
    decided = [row for row in evidence.flow if row["base"] is not None and row["returning"]["customers"] is not None]
    last = decided[-MONTHS:]
    came = sum(row[status]["customers"] for row in last for status in ("new", "returning"))
    went = sum(row["lapsed"]["customers"] for row in last)
    if came + went:
        share = came / (came + went)
        values = {"months": len(last), "came": came, "went": went}
        yield Insight("flow", "growth", share, 0.5, (share - 0.5) * 2 * sqrt(came + went), values)


def retention(evidence: Evidence) -> Iterator[Insight]:
    """The newer half of the cohorts that can tell who came back, against the older half."""
    known = [row for row in evidence.cohorts["cohorts"] if row["back"] is not None]
    whole = [row for row in known if not (row["is_censored"] or row["is_partial"])]
    half = len(whole) // 2
    older, newer = whole[:half], whole[half:]
    sides = [(sum(row["back"] for row in side), sum(row["customers"] for row in side)) for side in (newer, older)]
    if older:
        values = {"months": evidence.cohorts["back_months"], "from": newer[0]["cohort"], "to": newer[-1]["cohort"]}
        yield from _two_groups("retention", "retention", sides, values)


def _two_groups(key: str, about: str, sides: list[tuple[int, int]], values: Numbers) -> Iterator[Insight]:
    """Two shares of customers, each as (hits, of); the standard error pools them, as if they did not differ."""
    (hits, of), (base_hits, base_of) = sides
    if not of or not base_of:
        return
    pooled = (hits + base_hits) / (of + base_of)
    error = sqrt(pooled * (1 - pooled) * (1 / of + 1 / base_of))
    share, base = hits / of, base_hits / base_of
    yield Insight(key, about, share, base, _z(share - base, error), values)


CANDIDATES: tuple[Callable[[Evidence], Iterator[Insight]], ...] = (
    concentration,
    afterwards,
    single_order,
    country,
    still_active,
    returns,
    growth,
    flow,
    retention,
)

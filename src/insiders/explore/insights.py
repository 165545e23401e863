"""The strongest findings of a shop, put on one scale and ranked by effect times certainty.

Every candidate compares two shares. The effect is Cohen's h = 2 asin(sqrt p) - 2 asin(sqrt q) (Cohen 1988: 0.2 small,
0.5 medium, 0.8 large); the certainty is 1 - the two-sided p-value. Customers count as independent draws. Where money is
compared, the difference must also hold without the one customer who influences it most. Weak and unsure findings are
left out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import asin, copysign, erf, fsum, inf, log, sqrt
from typing import Any, NamedTuple, TypedDict

import pandas as pd

from insiders.explore.cohorts.flow import FlowMonth
from insiders.explore.cohorts.retention import CohortNumbers
from insiders.explore.cohorts.revenue_tree import RevenueTree
from insiders.units import NORMAL_QUANTILE, round_off

INSIGHTS_MAX = 3
EFFECT_MIN = 0.1  # half of what Cohen calls small
CERTAINTY_MIN = 0.9
COUNTRY_CUSTOMERS_MIN = 20
FLOW_MONTHS = 3  # last whole months whose new and lapsed customers are compared
LIST = "the list"  # the topic of insights about the Insiders

Values = dict[str, str | float | None]


class InsightNumbers(TypedDict):
    """An insight as the page tells it; `values` are the two shares and what else the sentence of this `key` says."""

    key: str
    effect: float
    certainty: float
    score: float
    values: Values


class Evidence(NamedTuple):
    """What insights are drawn from.

    `members`: one row per customer with is_insider. `validation`: the measures of the untouched last period
    (evidence/validation.py); None where no list is defended.
    """

    members: pd.DataFrame
    cohorts: CohortNumbers
    flow: Sequence[FlowMonth]
    tree: RevenueTree | None
    validation: Mapping[str, Any] | None


class Insight(NamedTuple):
    """`share` against `base`, `z` standard errors apart; of several insights on one `topic` the strongest is kept."""

    key: str
    topic: str
    share: float
    base: float
    z: float
    details: Values  # beside the two shares, what the sentence says

    @property
    def effect(self) -> float:
        return cohen_h(self.share, self.base)

    @property
    def certainty(self) -> float:
        return erf(abs(self.z) / sqrt(2))

    @property
    def score(self) -> float:
        return abs(self.effect) * self.certainty

    @property
    def numbers(self) -> InsightNumbers:
        return {
            "key": self.key,
            "effect": self.effect,
            "certainty": self.certainty,
            "score": self.score,
            "values": {"share": self.share, "base": self.base, **self.details},
        }


def strongest(evidence: Evidence) -> list[InsightNumbers]:
    """At most INSIGHTS_MAX insights, one for each topic, the highest score first."""
    insights = [insight for candidate in CANDIDATES for insight in candidate(evidence)]
    strong = [each for each in insights if abs(each.effect) >= EFFECT_MIN and each.certainty >= CERTAINTY_MIN]
    by_topic: dict[str, Insight] = {}
    for each in sorted(strong, key=lambda each: -each.score):
        by_topic.setdefault(each.topic, each)
    return [each.numbers for each in list(by_topic.values())[:INSIGHTS_MAX]]


def cohen_h(share: float, base: float) -> float:
    """Shares below 0 or above 1, which negative revenue makes, count as 0 or 1."""
    one, other = (2 * asin(sqrt(min(max(each, 0.0), 1.0))) for each in (share, base))
    return one - other


# --- the candidates: each gives an insight where the figures allow one ---


def concentration(evidence: Evidence) -> Iterator[Insight]:
    """The Insiders' share of the net revenue against their share of the customers."""
    inside = evidence.members["is_insider"]
    yield from _revenue_share("concentration", LIST, evidence.members, inside, {"count": int(inside.sum())})


def single_order(evidence: Evidence) -> Iterator[Insight]:
    """The same for the customers with one order."""
    once = evidence.members["order_count"] == 1
    yield from _revenue_share("single_order", "single_order", evidence.members, once, {"count": int(once.sum())})


def country(evidence: Evidence) -> Iterator[Insight]:
    """The country whose share of the revenue differs most from its share of the customers.

    The p-value is corrected for the number of countries compared (Bonferroni).
    """
    members = evidence.members
    sizes = members["country"].value_counts().sort_index()
    compared = [
        insight
        for name in sizes.index[sizes >= COUNTRY_CUSTOMERS_MIN]
        for insight in _revenue_share("country", "country", members, members["country"] == name, {"country": name})
    ]
    for best in sorted(compared, key=lambda each: -abs(each.effect))[:1]:
        yield best._replace(z=_bonferroni(best.z, len(compared)))


def _bonferroni(z: float, tests: int) -> float:
    """The |z| whose p-value is that of `z` times the number of tests."""
    from statistics import NormalDist

    p_value = min(tests * (1 - erf(abs(z) / sqrt(2))), 1.0)
    return inf if p_value == 0 else -NormalDist().inv_cdf(p_value / 2)


def _revenue_share(
    key: str, topic: str, members: pd.DataFrame, group: "pd.Series[bool]", values: Values
) -> Iterator[Insight]:
    """A group's share of the net revenue against its share of the customers."""
    if fsum(members["net_revenue"]) <= 0 or not 0 < group.sum() < len(members):
        return
    (share, base, z), influence = _compare_shares(members, group)
    rest = members.drop(index=influence.abs().idxmax())
    z_of_rest = _compare_shares(rest, group[rest.index])[0].z if fsum(rest["net_revenue"]) > 0 else 0.0
    yield Insight(key, topic, share, base, _weaker(z, z_of_rest), values)


class _Comparison(NamedTuple):
    share: float
    base: float
    z: float


def _compare_shares(members: pd.DataFrame, group: "pd.Series[bool]") -> "tuple[_Comparison, pd.Series[float]]":
    """Also each customer's influence on the difference; the squares of all make its linearised standard error."""
    revenue, total = members["net_revenue"], fsum(members["net_revenue"])
    base, share = float(group.mean()), fsum(revenue[group]) / total
    influence = revenue * (group - share) / total - (group - base) / len(members)
    return _Comparison(share, base, _z(share - base, sqrt(fsum(influence**2)))), influence


def _weaker(z: float, z_of_rest: float) -> float:
    """The z that also holds without the most influential customer; 0 where the two disagree in sign."""
    return min(z, z_of_rest, key=abs) if z * z_of_rest > 0 else 0.0


def _z(difference: float, error: float) -> float:
    if error == 0:
        return copysign(inf, difference) if difference else 0.0
    return float(round_off(difference / error))


def afterwards(evidence: Evidence) -> Iterator[Insight]:
    """The revenue that the list captured in the untouched last period, against a random list of the same size."""
    validation = evidence.validation
    if validation is None or not validation["value_over_random"] or not validation["value_over_random_low"]:
        return
    ratio, low = validation["value_over_random"], validation["value_over_random_low"]
    if low <= 0:
        return
    error = (log(ratio) - log(low)) / NORMAL_QUANTILE
    values = {name: validation[name] for name in ("n", "horizon_days", "value_over_random")}
    share = validation["value_capture"]
    yield Insight("afterwards", LIST, share, share / ratio, _z(log(ratio), error), values)


def still_active(evidence: Evidence) -> Iterator[Insight]:
    """The share of the Insiders who ordered within 90 days, against that of the others."""
    active, inside = evidence.members["order_count_90d"] > 0, evidence.members["is_insider"]
    ours, theirs = (_Count(int(active[side].sum()), int(side.sum())) for side in (inside, ~inside))
    yield from _two_proportions("still_active", LIST, ours, theirs, {})


def returns(evidence: Evidence) -> Iterator[Insight]:
    """The share of the Insiders' gross revenue that came back, against that of the others."""
    inside = evidence.members["is_insider"]
    sides = [evidence.members[side] for side in (inside, ~inside)]
    if any(fsum(side["gross_revenue"]) <= 0 for side in sides):
        return
    comparison, influences = _compare_returns(sides)
    z = _weaker(comparison.z, _z_without_most_influential(sides, influences))
    yield Insight("returns", "returns", comparison.share, comparison.base, z, {})


def _compare_returns(sides: Sequence[pd.DataFrame]) -> "tuple[_Comparison, list[pd.Series[float]]]":
    (share, influence), (base, base_influence) = (_returned_share(side) for side in sides)
    z = _z(share - base, sqrt(fsum([*influence**2, *base_influence**2])))
    return _Comparison(share, base, z), [influence, base_influence]


def _returned_share(customers: pd.DataFrame) -> "tuple[float, pd.Series[float]]":
    """Share of the gross revenue that was returned, and each customer's influence on it."""
    gross, returned = fsum(customers["gross_revenue"]), fsum(customers["returned_revenue"])
    share = returned / gross
    return share, (customers["returned_revenue"] - share * customers["gross_revenue"]) / gross


def _z_without_most_influential(sides: Sequence[pd.DataFrame], influences: "Sequence[pd.Series[float]]") -> float:
    place = 0 if influences[0].abs().max() >= influences[1].abs().max() else 1
    most = influences[place].abs().idxmax()
    rest = [side.drop(index=most) if at == place else side for at, side in enumerate(sides)]
    if any(fsum(side["gross_revenue"]) <= 0 for side in rest):
        return 0.0
    return _compare_returns(rest)[0].z


def growth(evidence: Evidence) -> Iterator[Insight]:
    """The later period's part of the revenue of both, with the factor that contributed most to the change."""
    tree = evidence.tree
    if tree is None or min(tree["earlier"]["net_revenue"], tree["later"]["net_revenue"]) <= 0:
        return
    earlier, later = tree["earlier"]["net_revenue"], tree["later"]["net_revenue"]
    most = max(tree["parts"], key=lambda part: part["amount"] * tree["change"])
    values: Values = {
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
    """Of the customers who came or lapsed in the last whole months, the share who came."""
    months = [each for each in evidence.flow if each["base"] is not None and each["returning"]["customers"] is not None]
    last = months[-FLOW_MONTHS:]
    came = sum((each["new"]["customers"] or 0) + (each["returning"]["customers"] or 0) for each in last)
    lapsed = sum(each["lapsed"]["customers"] or 0 for each in last)
    if came + lapsed:
        share = came / (came + lapsed)
        z = (share - 0.5) * 2 * sqrt(came + lapsed)
        yield Insight("flow", "growth", share, 0.5, z, {"months": len(last), "came": came, "went": lapsed})


def retention(evidence: Evidence) -> Iterator[Insight]:
    """The share of customers who came back in the newer half of the cohorts, against the older half."""
    cohorts = [
        each
        for each in evidence.cohorts["cohorts"]
        if each["back"] is not None and not (each["is_censored"] or each["is_partial"])
    ]
    half = len(cohorts) // 2
    older, newer = cohorts[:half], cohorts[half:]
    if older:
        back_newer, back_older = (
            _Count(sum(each["back"] or 0 for each in side), sum(each["customers"] for each in side))
            for side in (newer, older)
        )
        months = evidence.cohorts["back_months"]
        values: Values = {"months": months, "from": newer[0]["cohort"], "to": newer[-1]["cohort"]}
        yield from _two_proportions("retention", "retention", back_newer, back_older, values)


class _Count(NamedTuple):
    hits: int
    total: int


def _two_proportions(key: str, topic: str, one: _Count, other: _Count, values: Values) -> Iterator[Insight]:
    """Two shares of customers, by the z test with the pooled standard error."""
    if not one.total or not other.total:
        return
    pooled = (one.hits + other.hits) / (one.total + other.total)
    error = sqrt(pooled * (1 - pooled) * (1 / one.total + 1 / other.total))
    share, base = one.hits / one.total, other.hits / other.total
    yield Insight(key, topic, share, base, _z(share - base, error), values)


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

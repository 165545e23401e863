"""The judged list on every kind of customer: whether it is good there too, and whom it overlooks.

A figure over everybody can hide that a list fails some of them. Of each slice two things are asked, by what the last
period brought: did its listed customers bring more than its others (Cliff's delta), and of those who turned out to be
among the shop's best, was the list as likely to name them as elsewhere? The second is equality of opportunity: Hardt,
Price and Srebro, "Equality of opportunity in supervised learning", 2016.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.evidence import effects, holdout
from insiders.evidence.hypotheses.claims import holm
from insiders.units import CONFIDENCE, round_off

Flags = NDArray[np.bool_]
Values = NDArray[np.float64]
Kind = Literal["new", "known", "one_order", "several_orders", "wholesalers", "country", "other_countries"]
Verdict = Literal["better", "worse", "open"]

COUNTRIES = 6  # that are slices of their own, the largest
COUNTRY_CUSTOMERS = 30  # at least, for a country to be one


class Slice(NamedTuple):
    """`is_in`: which customers it holds; `country` is named for the kind `country` alone."""

    kind: Kind
    country: str | None
    is_in: Flags


class Chances(TypedDict):
    """Of the slice's customers among the shop's best of the period, how many the list named; elsewhere, what share.

    `p_corrected` (Holm, over all slices) is for the claim that the list names fewer of them than elsewhere.
    """

    best: int
    named: int
    named_share: float | None
    named_share_elsewhere: float | None
    p_corrected: float
    is_overlooked: bool


class SliceRecord(Chances):
    """Mean revenue of the period per customer on the list and not; `delta` as in effects, None where either lacks."""

    kind: Kind
    country: str | None
    customers: int
    listed: int
    revenue_share: float | None
    listed_mean: float | None
    others_mean: float | None
    delta: float | None
    low: float | None
    high: float | None
    verdict: Verdict


class Brought(NamedTuple):
    """Per customer: whether they were on the list, and the net revenue of the period that followed."""

    listed: Flags
    revenue: Values

    @property
    def best(self) -> Flags:
        """As many as the list holds of those who brought most; who tie with the last, too, and nobody without revenue.

        That is what a perfect list of this size would have named.
        """
        least, _ = holdout.boundary(self.revenue, int(self.listed.sum()))
        return (self.revenue >= least) & (self.revenue > 0)


def slices(customers: pd.DataFrame, wholesalers: Flags, horizon_days: int) -> list[Slice]:
    """The kinds of `customers` (schemas.SNAPSHOTS, one day's) that have some and do not have all of them.

    `new` came in the last `horizon_days`; a country stands alone where it has enough customers.
    """
    is_new, is_once = (customers["tenure_days"] <= horizon_days).to_numpy(), (customers["order_count"] == 1).to_numpy()
    kinds: list[Slice] = [
        Slice("new", None, is_new),
        Slice("known", None, ~is_new),
        Slice("one_order", None, is_once),
        Slice("several_orders", None, ~is_once),
        Slice("wholesalers", None, wholesalers),
        *_countries(customers["country"]),
    ]
    return [each for each in kinds if each.is_in.any() and not each.is_in.all()]


def _countries(country: "pd.Series[str]") -> Iterator[Slice]:
    sizes = country.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    own = list(sizes[sizes >= COUNTRY_CUSTOMERS].index[:COUNTRIES])
    for each in own:
        yield Slice("country", str(each), (country == each).to_numpy(bool))
    if own:
        yield Slice("other_countries", None, (~country.isin(own)).to_numpy())


def judge(kinds: Sequence[Slice], brought: Brought) -> list[SliceRecord]:
    """One record per slice, in their order; none where nobody was listed."""
    if not brought.listed.any():
        return []
    return [
        _record(each, brought, chances)
        for each, chances in zip(kinds, _chances([each.is_in for each in kinds], brought), strict=True)
    ]


def _record(own: Slice, brought: Brought, chances: Chances) -> SliceRecord:
    listed, others = brought.revenue[own.is_in & brought.listed], brought.revenue[own.is_in & ~brought.listed]
    effect = effects.cliffs_delta(listed, others)
    return {
        "kind": own.kind,
        "country": own.country,
        "customers": int(own.is_in.sum()),
        "listed": len(listed),
        "revenue_share": _share(brought.revenue[own.is_in].sum(), brought.revenue.sum()),
        "listed_mean": float(round_off(listed.mean())) if len(listed) else None,
        "others_mean": float(round_off(others.mean())) if len(others) else None,
        "delta": effect and float(round_off(effect.delta)),
        "low": effect and effect.low,
        "high": effect and effect.high,
        "verdict": _verdict(effect),
        **chances,
    }


def _verdict(effect: effects.Effect | None) -> Verdict:
    if effect is None or effect.low <= 0 <= effect.high:
        return "open"
    return "better" if effect.low > 0 else "worse"


def _chances(groups: Sequence[Flags], brought: Brought) -> list[Chances]:
    """Fisher's exact test of each group against everybody else, one-sided."""
    from scipy.stats import fisher_exact

    best = brought.best
    tables = [[_named(best & each, brought.listed), _named(best & ~each, brought.listed)] for each in groups]
    p_values = holm([float(fisher_exact(table, "less").pvalue) for table in tables])
    return [_chance(table, float(round_off(p))) for table, p in zip(tables, p_values, strict=True)]


def _named(best: Flags, listed: Flags) -> tuple[int, int]:
    """How many of these the list named, and how many it did not."""
    named = int((best & listed).sum())
    return named, int(best.sum()) - named


def _chance(table: list[tuple[int, int]], p_corrected: float) -> Chances:
    (named, missed), elsewhere = table
    return {
        "best": named + missed,
        "named": named,
        "named_share": _share(named, named + missed),
        "named_share_elsewhere": _share(elsewhere[0], sum(elsewhere)),
        "p_corrected": p_corrected,
        "is_overlooked": p_corrected < 1 - CONFIDENCE,
    }


def _share(part: float, whole: float) -> float | None:
    return float(round_off(part / whole)) if whole > 0 else None

"""How many they are: count and share, the segments by size, and what another size would bring."""

from collections.abc import Sequence

from insiders.answers import actions
from insiders.answers.inputs import Inputs
from insiders.explore import profiles, sizes
from insiders.explore.profiles import SegmentProfile
from insiders.programme import payoff
from insiders.programme.payoff import Payoff
from insiders.programme.size import Place
from insiders.report.numbers import HowManyNumbers, SegmentSize


def numbers(inputs: Inputs) -> HowManyNumbers:
    members, tune = inputs.members, inputs.settings.tune
    size, own, ranked, curve = profiles.size(members), sizes.own(members), sizes.by_rank(members), sizes.curve(members)
    return {
        **size,
        "customer_share": size["count"] / size["customers"],
        "share_min": tune.insider_share_min,
        "share_max": tune.insider_share_max,
        "horizon_days": inputs.horizon_days,
        "segments": [_segment_size(row) for row in inputs.segments],
        "own": own,
        "largest": next(iter(sizes.by_rank(members, [tune.insider_share_max])), None),
        "steps": sizes.by_segment(members),
        "sizes": ranked,
        "curve": curve,
        "payoff": _payoff(inputs, own, ranked, curve),
    }


def _payoff(
    inputs: Inputs, own: sizes.Held | None, ranked: Sequence[sizes.RankStep], curve: Sequence[sizes.Held]
) -> Payoff:
    programme, report = inputs.settings.programme, inputs.settings.report
    offers = actions.terms(report, inputs.horizon_days).actions
    place, source = payoff.stated(Place(programme.place_cost, report.margin_share, programme.place_uplift), offers)
    return {
        "cost": place.cost,
        "margin_share": place.margin_share,
        "uplift": place.uplift,
        "source": source,
        "own": payoff.earned(place, [own])[0] if own else None,
        "peak": payoff.peak(place, inputs.members["expected_revenue"].to_numpy(float)),
        "sizes": payoff.earned(place, ranked),
        "curve": payoff.earned(place, curve),
    }


def _segment_size(row: SegmentProfile) -> SegmentSize:
    return {
        "segment": row["segment"],
        "is_insider": row["is_insider"],
        "customers": row["customers"],
        "insiders": row["insiders"],
        "customer_share": row["customer_share"],
        "net_revenue_share": row["net_revenue_share"],
    }

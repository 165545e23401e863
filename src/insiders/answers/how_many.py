"""How many they are: count and share, the segments by size, and what another size would bring."""

from insiders.answers.inputs import Inputs
from insiders.explore import profiles, sizes
from insiders.explore.profiles import SegmentProfile
from insiders.report.numbers import HowManyNumbers, SegmentSize


def numbers(inputs: Inputs) -> HowManyNumbers:
    members, tune = inputs.members, inputs.settings.tune
    size, steps = profiles.size(members), sizes.by_segment(members)
    return {
        **size,
        "customer_share": size["count"] / size["customers"],
        "share_min": tune.insider_share_min,
        "share_max": tune.insider_share_max,
        "horizon_days": inputs.horizon_days,
        "segments": [_segment_size(row) for row in inputs.segments],
        "own": sizes.own(members),
        "largest": next(iter(sizes.by_rank(members, [tune.insider_share_max])), None),
        "steps": steps,
        "sizes": sizes.by_rank(members),
        "curve": sizes.curve(members),
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

"""How many they are: count and share, the segments by size, and what another size would bring."""

from insiders.explore import sizes
from insiders.explore.profiles import segments, size
from insiders.report.inputs import Inputs, Numbers

COLUMNS = ("segment", "is_insider", "customers", "customer_share", "net_revenue_share")


def numbers(inputs: Inputs) -> Numbers:
    """`steps`: the list down to each segment; `sizes`: the same by customers alone, `own` at the list's own size."""
    members, terms = inputs.tables.members, inputs.terms
    both, steps = size(members), sizes.by_segment(members)
    return {
        **both,
        "customer_share": both["count"] / both["customers"],
        "share_min": terms.share_min,
        "share_max": terms.share_max,
        "horizon_days": terms.horizon_days,
        "segments": [{column: row[column] for column in COLUMNS} for row in segments(members)],
        "own": sizes.own(steps),
        "largest": next(iter(sizes.by_rank(members, [terms.share_max])), None),
        "steps": steps,
        "sizes": sizes.by_rank(members),
        "curve": sizes.curve(members),
    }

"""How many they are: count and share, and the segments by size."""

from insiders.report.inputs import Inputs, Numbers
from insiders.report.profiles import segments, size

COLUMNS = ("segment", "is_insider", "customers", "customer_share", "net_revenue_share")


def numbers(inputs: Inputs) -> Numbers:
    members, terms = inputs.tables.members, inputs.terms
    both = size(members)
    return {
        **both,
        "customer_share": both["count"] / both["customers"],
        "share_min": terms.share_min,
        "share_max": terms.share_max,
        "segments": [{column: row[column] for column in COLUMNS} for row in segments(members)],
    }

"""Who buys the same products: product space, neighbours, recommendations, and how good those were later.

A customer is shown the new products nearest to what they bought. The details are chosen on an earlier period, and
judged once, on the last one, beside what is simply bought most.
"""

from insiders.affinity.recommendations import Periods, Recommendations, recommend
from insiders.affinity.space import purchases

__all__ = ["Periods", "Recommendations", "purchases", "recommend"]

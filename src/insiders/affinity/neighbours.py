"""Products that the same customers buy.

The likeness of two products is the cosine of their buyers (Sarwar et al. 2001, "Item-based collaborative filtering
recommendation algorithms"), where a customer's vote may count less the more they buy, and rare pairs count less.
"""

from collections.abc import Iterator

import numpy as np

from insiders.affinity.space import Floats, Matrix, Space

BLOCK = 500  # products whose pairs are counted at a time: a grocer's baskets pair nearly everything with everything
NEIGHBOURS = 200  # of a product: more bring nothing, and cost memory
SUPPORT = 5  # typical votes added below a likeness: a pair that few bought together is no evidence
UNIT = 2**20  # one vote as an integer: sums of integers do not depend on the order of customers


def near(known: Space, *, damping: bool) -> Matrix:
    """Likeness of the common products, m x m: column i holds that of the NEIGHBOURS nearest to product i, else 0.

    With `damping` the vote of a customer is divided by the number of their products: wholesalers buy everything.
    """
    from scipy import sparse

    sizes, bought = known.bought.sum(axis=1), known.common.bought.astype(float)
    votes = UNIT // sizes if damping else np.full(len(sizes), UNIT)
    voted = (sparse.diags_array(votes.astype(float)) @ bought).T.tocsr()  # integers, which floats add up exactly
    support = SUPPORT * int(votes.sum()) / len(votes)
    blocks = [sparse.csr_array(_nearest(each)) for each in _likeness(voted, bought, support)]
    return sparse.vstack(blocks).T.tocsr()


def _likeness(voted: Matrix, bought: Matrix, support: float) -> Iterator[Floats]:
    """Per block of products their likeness to all: votes for both, divided by those that there could be at most."""
    from sklearn.utils.extmath import safe_sparse_dot

    alone = np.asarray(voted.sum(axis=1))
    for start in range(0, len(alone), BLOCK):
        together = safe_sparse_dot(voted[start : start + BLOCK], bought, dense_output=True)
        itself = np.arange(len(together))
        together[itself, start + itself] = 0
        yield together / (np.sqrt(alone[start : start + BLOCK, None] * alone) + support)


def _nearest(likeness: Floats) -> Floats:
    """Of each row the NEIGHBOURS largest, and those as large as the last of them; the others are set to 0."""
    if likeness.shape[1] > NEIGHBOURS:
        likeness[likeness < np.partition(likeness, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS, None]] = 0
    return likeness

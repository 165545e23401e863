"""Products that the same customers buy.

The likeness of two products is the cosine of their buyers (Sarwar et al. 2001, "Item-based collaborative filtering
recommendation algorithms"), where a customer's vote may count less the more they buy, and rare pairs count less.
"""

from collections.abc import Iterator

import numpy as np

from insiders.affinity.space import Floats, Integers, Matrix, Space

BLOCK = 100  # products whose pairs are counted at a time: their likeness fits into a processor's cache
NEIGHBOURS = 200  # of a product: more bring nothing, and cost memory
SUPPORT = 5  # typical votes added below a likeness: a pair that few bought together is no evidence
UNIT = 2**20  # one vote as an integer: sums of integers do not depend on the order of customers


def near(known: Space, *, damping: bool) -> Matrix:
    """Likeness of the common products, m x m: column i holds that of the NEIGHBOURS nearest to product i, else 0.

    A product that is not on sale is recommended to nobody: its column is empty.
    With `damping` the vote of a customer is divided by the number of their products: wholesalers buy everything.
    """
    from scipy import sparse

    sizes, common = known.bought.sum(axis=1), known.common
    bought, sold = common.bought.astype(float), np.flatnonzero(common.on_sale)
    votes = UNIT // sizes if damping else np.full(len(sizes), UNIT)
    voted = (sparse.diags_array(votes.astype(float)) @ bought).T.tocsr()  # integers, which floats add up exactly
    support = SUPPORT * int(votes.sum()) / len(votes)
    blocks = [_nearest(each) for each in _likeness(voted, bought, sold, support)]
    found = sparse.vstack([sparse.csr_array((0, len(common.products))), *blocks]).tocoo()
    return sparse.csr_array((found.data, (found.col, sold[found.row])), shape=(len(common.products),) * 2)


def _likeness(voted: Matrix, bought: Matrix, sold: Integers, support: float) -> Iterator[Floats]:
    """Per block of products on sale their likeness to all: votes for both, by those that there could be at most."""
    from sklearn.utils.extmath import safe_sparse_dot

    alone = np.asarray(voted.sum(axis=1))
    for block in (sold[start : start + BLOCK] for start in range(0, len(sold), BLOCK)):
        together = safe_sparse_dot(voted[block], bought, dense_output=True)
        together[np.arange(len(block)), block] = 0
        yield together / (np.sqrt(alone[block, None] * alone) + support)


def _nearest(likeness: Floats) -> Matrix:
    """Of each row the NEIGHBOURS largest, and those as large as the last of them; the others are 0."""
    from scipy import sparse

    kept = likeness > 0
    if likeness.shape[1] > NEIGHBOURS:
        kept &= likeness >= np.partition(likeness, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS, None]
    places = np.flatnonzero(kept)  # of the flattened array: a third of the time that rows and columns take
    return sparse.csr_array((likeness.ravel()[places], np.divmod(places, likeness.shape[1])), shape=likeness.shape)

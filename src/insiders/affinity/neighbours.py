"""Products that the same customers buy.

The likeness of two products is the cosine of their buyers (Sarwar et al. 2001, "Item-based collaborative filtering
recommendation algorithms"), where a customer's vote may count less the more they buy, and rare pairs count less.
"""

import numpy as np

from insiders.affinity.space import Floats, Integers, Matrix, Space

NEIGHBOURS = 200  # of a product: more bring nothing, and cost memory
SUPPORT = 5  # typical votes added below a likeness: a pair that few bought together is no evidence
UNIT = 2**20  # one vote as an integer: sums of integers do not depend on the order of customers


def near(known: Space, *, damping: bool) -> Matrix:
    """Likeness of products, m x m: column i holds that of the NEIGHBOURS nearest to product i, else 0.

    With `damping` the vote of a customer is divided by the number of their products: wholesalers buy everything.
    """
    from scipy import sparse

    sizes = known.bought.sum(axis=1)
    votes = UNIT // sizes if damping else np.full(len(sizes), UNIT)
    together = (known.bought.T @ (sparse.diags_array(votes, dtype=np.int64) @ known.bought)).tocsc()
    support = SUPPORT * int(votes.sum()) / len(votes)
    alone = together.diagonal().astype(float)
    columns = [_nearest(together, alone, support, i) for i in range(len(alone))]
    rows, values = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    starts = np.cumsum([0, *(len(others) for others, _ in columns)])
    return sparse.csc_array((values, rows, starts), shape=together.shape).tocsr()


def _nearest(together: Matrix, alone: Floats, support: float, i: int) -> tuple[Integers, Floats]:
    """Products nearest to product i, in their order; those as near as the last of them belong to them."""
    inside = slice(together.indptr[i], together.indptr[i + 1])
    others, likeness = together.indices[inside], together.data[inside].astype(float)
    likeness /= np.sqrt(alone[others] * alone[i]) + support
    likeness[others == i] = 0.0
    if len(likeness) > NEIGHBOURS:
        likeness[likeness < np.partition(likeness, -NEIGHBOURS)[-NEIGHBOURS]] = 0.0
    kept = np.flatnonzero(likeness)
    kept = kept[np.argsort(others[kept])]
    return others[kept], likeness[kept]

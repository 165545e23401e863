"""Products that the same customers buy.

The likeness of two products is the cosine of their buyers (Sarwar et al. 2001, "Item-based collaborative filtering
recommendation algorithms"), where a customer's vote may count less the more they buy, and rare pairs count less.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from insiders.affinity.space import Floats, Integers, Matrix, Space

BLOCK = 500  # products whose pairs are counted at a time: a grocer's baskets pair nearly everything with everything
NEIGHBOURS = 200  # of a product: more bring nothing, and cost memory
SUPPORT = 5  # typical votes added below a likeness: a pair that few bought together is no evidence
UNIT = 2**20  # one vote as an integer: sums of integers do not depend on the order of customers


def near(known: Space, *, damping: bool) -> Matrix:
    """Likeness of the common products, m x m: column i holds that of the NEIGHBOURS nearest to product i, else 0.

    With `damping` the vote of a customer is divided by the number of their products: wholesalers buy everything.
    """
    from scipy import sparse

    sizes, bought = known.bought.sum(axis=1), known.common.bought
    votes = UNIT // sizes if damping else np.full(len(sizes), UNIT)
    voted = (sparse.diags_array(votes, dtype=np.int64) @ bought).tocsc()
    alone, support = voted.sum(axis=0).astype(float), SUPPORT * int(votes.sum()) / len(votes)
    columns = [
        _nearest(others, together, np.sqrt(alone[others] * alone[i]) + support, i)
        for i, (others, together) in enumerate(_pairs(bought, voted))
    ]
    rows, values = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    starts = np.cumsum([0, *(len(others) for others, _ in columns)])
    return sparse.csc_array((values, rows, starts), shape=(len(alone), len(alone))).tocsr()


def _pairs(bought: Matrix, voted: Matrix) -> Iterator[tuple[Integers, Floats]]:
    """For each product those that the same customers bought, itself included, and the votes for both."""
    for start in range(0, voted.shape[1], BLOCK):
        together = (bought.T @ voted[:, start : start + BLOCK]).tocsc()
        for begin, end in pairwise(together.indptr):
            yield together.indices[begin:end], together.data[begin:end].astype(float)


def _nearest(others: Integers, together: Floats, most: Floats, i: int) -> tuple[Integers, Floats]:
    """Products nearest to product i, in their order; those as near as the last of them belong to them.

    The likeness is the votes for both products, divided by those that there could be at `most`.
    """
    likeness = np.where(others == i, 0.0, together / most)
    if len(likeness) > NEIGHBOURS:
        likeness[likeness < np.partition(likeness, -NEIGHBOURS)[-NEIGHBOURS]] = 0.0
    kept = np.flatnonzero(likeness)
    kept = kept[np.argsort(others[kept])]
    return others[kept], likeness[kept]

"""Clean lines to orders."""

from typing import TYPE_CHECKING

import ibis
from ibis import _

if TYPE_CHECKING:
    from ibis import Table
    from ibis.expr.types import Value


def orders(lines: "Table") -> "Table":
    """One row per invoice, customer and day (schemas.ORDERS), of `lines` as in schemas.LINES.

    An invoice number that comes back on another day, or for another customer, is another order: so what is known at the
    end of a day never holds half an order.
    """
    is_sale, is_return = lines.kind == "sale", lines.kind == "return"
    unmatched = _unmatched(lines)
    sums = lines.group_by("invoice", "customer_id", day=lines.ordered_at.date()).aggregate(
        ordered_at=lines.ordered_at.min(),
        is_sale=is_sale.any(),
        line_count=lines.count(),
        product_count=lines.product_code.nunique(where=is_sale),
        item_count=_total(lines.quantity, is_sale, "int64"),
        returned_item_count=_total(-lines.quantity, is_return, "int64"),
        matched_item_count=_total(lines.matched_quantity, is_return, "int64"),
        gross_revenue=_total(lines.amount, is_sale),
        returned_revenue=_total(-lines.amount, ~is_sale),
        unmatched_revenue=_total(unmatched, ~is_sale),
        country=lines.country.min(),
    )
    return sums.mutate(net_revenue=_.gross_revenue - _.returned_revenue).drop("day")


def _unmatched(lines: "Table") -> "Value":
    """The money of the pieces that match no purchase; never more than the line's own, which may be after a discount."""
    pieces = (-lines.quantity - lines.matched_quantity).cast("decimal(18, 0)")
    part = ibis.least((pieces * lines.unit_price).cast("decimal(18, 4)"), -lines.amount)
    return (lines.matched_quantity == 0).ifelse(-lines.amount, part)


def _total(value: "Value", where: "Value", dtype: str = "decimal(18, 4)") -> "Value":
    """Exact whatever the order of the rows: integers or decimals."""
    return value.sum(where=where).coalesce(0).cast(dtype)

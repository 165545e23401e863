"""Clean lines to orders."""

from typing import Any

from ibis import _

Table = Any  # Ibis has no types that mypy could follow


def orders(lines: Table) -> Table:
    """One row per invoice, customer and day: what is known at the end of a day never holds half an order.

    An invoice number that comes back on another day, or for another customer, is another order.
    """
    sale, back = lines.kind == "sale", lines.kind == "return"
    unmatched = (-lines.quantity - lines.matched_quantity).cast("decimal(18, 0)") * lines.unit_price
    summed = lines.group_by("invoice", "customer_id", day=lines.ordered_at.date()).aggregate(
        ordered_at=lines.ordered_at.min(),
        is_sale=sale.any(),
        line_count=lines.count(),
        product_count=lines.product_code.nunique(where=sale),
        item_count=_total(lines.quantity, sale, "int64"),
        returned_item_count=_total(-lines.quantity, back, "int64"),
        matched_item_count=_total(lines.matched_quantity, back, "int64"),
        gross_revenue=_total(lines.amount, sale),
        returned_revenue=_total(-lines.amount, ~sale),
        unmatched_revenue=_total(unmatched, ~sale),
        country=lines.country.min(),
    )
    return summed.mutate(net_revenue=_.gross_revenue - _.returned_revenue).drop("day")


def _total(value: Any, where: Any, dtype: str = "decimal(18, 4)") -> Any:
    """Exact whatever the order of the rows: integers or decimals."""
    return value.sum(where=where).coalesce(0).cast(dtype)

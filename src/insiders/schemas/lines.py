"""Contracts of lines and orders, which the engine checks where they lie, and of the ledger of cleaning."""

import ibis.expr.datatypes as dt
import pandera.ibis as on_engine
import pandera.pandas as in_memory

from insiders.schemas.columns import MONEY, NOT_NEGATIVE, STAMP, identity, line_column

TRANSACTIONS = on_engine.DataFrameSchema(
    name="transactions",
    title="One row per invoice line as delivered, where it could be read.",
    columns={
        "invoice": line_column(dt.string, "number of the invoice or credit note"),
        "product_code": line_column(dt.string, "the shop's code of the product or service"),
        "description": line_column(dt.string, "the product's text, as delivered", nullable=True),
        "quantity": line_column(dt.int64, "pieces; negative: returned"),
        "invoiced_at": line_column(STAMP, "local time of the invoice, as delivered"),
        "unit_price": line_column(MONEY, "price of one piece, in the shop's currency, rounded"),
        "customer_id": line_column(dt.string, "the customer; null: sold without an id", nullable=True),
        "country": line_column(dt.string, "country of the customer", nullable=True),
        "amount": line_column(MONEY, "what the line is worth: quantity x price, after its discount"),
        "status": line_column(dt.string, "the state of the order, in the file's word", nullable=True),
        "line_type": line_column(dt.string, "what the line books, in the file's word", nullable=True),
        "rest": line_column(dt.string, "digest of the row's columns that are not read; null: none", nullable=True),
    },
    strict=True,
)

LINES = on_engine.DataFrameSchema(
    name="lines",
    title="One row per cleaned line of a known customer: a sale, a return or a credit.",
    columns={
        "invoice": line_column(dt.string, "number of the invoice or credit note"),
        "customer_id": line_column(dt.string, "the customer"),
        "product_code": line_column(dt.string, "the product; on a credit the code it was booked under"),
        "ordered_at": line_column(STAMP, "local time of the invoice"),
        "quantity": line_column(dt.int64, "pieces: positive on a sale, negative on a return or credit"),
        "unit_price": line_column(MONEY, "price of one piece"),
        "amount": line_column(MONEY, "what the line is worth, after its discount: positive on a sale, else negative"),
        "country": line_column(dt.string, "country of the customer", nullable=True),
        "kind": line_column(dt.string, "sale, return (a product came back) or credit (money back without a product)"),
        "matched_quantity": line_column(
            dt.int64, "pieces of a return matched to earlier purchases, oldest first; else 0"
        ),
    },
    checks=[
        identity(
            lambda t: (t.kind == "sale") == (t.quantity > 0), "a sale has a positive quantity, others a negative one"
        ),
        identity(lambda t: t.matched_quantity <= t.quantity.abs(), "no more is matched than returned"),
        identity(lambda t: (t.kind == "return") | (t.matched_quantity == 0), "only returns are matched"),
    ],
    strict=True,
)

ORDERS = on_engine.DataFrameSchema(
    name="orders",
    title="One row per invoice, known customer and day; credit notes are rows without a sale.",
    columns={
        "invoice": line_column(dt.string, "number of the invoice or credit note"),
        "customer_id": line_column(dt.string, "the customer"),
        "ordered_at": line_column(STAMP, "local time of the first line"),
        "is_sale": line_column(dt.boolean, "it has at least one line that sells a product"),
        "line_count": line_column(dt.int64, "lines"),
        "product_count": line_column(dt.int64, "distinct products sold"),
        "item_count": line_column(dt.int64, "pieces sold"),
        "returned_item_count": line_column(dt.int64, "pieces that came back by this invoice"),
        "matched_item_count": line_column(dt.int64, "of these, pieces matched to an earlier purchase"),
        "gross_revenue": line_column(MONEY, "amount of the sale lines"),
        "returned_revenue": line_column(MONEY, "money given back: returns and credits, as a positive amount"),
        "unmatched_revenue": line_column(MONEY, "of this, what matches no known purchase"),
        "net_revenue": line_column(MONEY, "gross_revenue - returned_revenue"),
        "country": line_column(dt.string, "country of the customer", nullable=True),
    },
    checks=[
        identity(lambda t: t.net_revenue == t.gross_revenue - t.returned_revenue, "net = gross - returned"),
        identity(lambda t: t.unmatched_revenue <= t.returned_revenue, "unmatched is a part of what was returned"),
        identity(lambda t: t.is_sale == (t.item_count > 0), "a sale has items"),
    ],
    strict=True,
)

LEDGER = in_memory.DataFrameSchema(
    name="ledger",
    title="One row per cleaning rule, in the order in which the rules are applied.",
    columns={
        "rule": in_memory.Column("str", description="name of the rule"),
        "rows": in_memory.Column("int64", NOT_NEGATIVE, description="rows that it applies to"),
        "customers": in_memory.Column("int64", NOT_NEGATIVE, description="distinct customers in these rows"),
        "quantity": in_memory.Column("int64", description="sum of the quantities"),
        "amount": in_memory.Column(None, description="sum of quantity x unit_price, exact (Decimal, four places)"),
        "action": in_memory.Column(
            "str",
            in_memory.Check.isin(["delivered", "counted", "quarantined", "removed", "kept"]),
            description="delivered = quarantined + removed + kept; counted rows are facts of the delivery",
        ),
    },
    strict=True,
)

"""Transactions to clean lines: every delivered row is kept or falls to one named rule, and the ledger says which."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import ibis
from ibis import _

from insiders.errors import InputError
from insiders.tables.profile import ORDER_FACTS, one_of
from insiders.tables.rules import Policy

Table = Any  # Ibis has no types that mypy could follow
Frame = Any  # pandas is imported where it is used: the engine's tables do without it

KEPT = "kept"
NO = ibis.literal(False)

# The rules that remove a row, in the order in which they are asked.
REMOVALS = {
    "exact_duplicates": _.is_repeat,
    "totals": _.is_total,
    "void_orders": _.is_void,
    "no_customer_id": _.customer_id.isnull(),
    "service_codes": _.is_service,
    "zero_price": (_.unit_price == 0) | ((_.amount == 0) & (_.quantity != 0)),
    "negative_price": _.is_discount & (_.quantity < 0),  # a discount that was taken back
    "manual_charges": _.is_credit & (_.amount > 0),
    "positive_on_credit_note": _.is_cancellation & (_.amount > 0),
    "zero_quantity": _.quantity == 0,
}

# Facts of the delivery, over all of its rows and whatever the rules make of them; columns as in `tally`.
_POSITIVE = (_.quantity_sign > 0) & (_.price_sign > 0)
_KNOWN = _.customer_id.notnull()
FACTS = {
    "without_customer_id": ~_KNOWN,
    "empty_descriptions": ~_.has_description,
    "cancellations": _.is_cancellation,
    "negative_quantities": _.quantity_sign < 0,
    "negative_quantities_without_cancellation": (_.quantity_sign < 0) & ~_.is_cancellation,
    "zero_prices": _.price_sign == 0,
    "negative_prices": _.price_sign < 0,
    "positive": _POSITIVE,
    "positive_without_customer_id": _POSITIVE & ~_KNOWN,
    "known_customers": _KNOWN,
    "known_positive": _KNOWN & _POSITIVE,
    "known_positive_distinct": _KNOWN & _POSITIVE & (_.rule != "exact_duplicates"),
    "filled_customer_ids": _.is_filled,
    "placeholder_ids": _.is_placeholder,
    "money_back_without_negative_quantity": _KNOWN & (_.quantity_sign > 0) & (_.kind != "sale") & (_.rule == KEPT),
}
# Entries that stand in the ledger only where the delivery gives cause to them.
OCCASIONAL = ("totals", "void_orders", *list(FACTS)[-3:])

# What the kept lines are.
KINDS = {f"kept_{kind}s": (_.rule == KEPT) & (_.kind == kind) for kind in ("sale", "return", "credit")}


def judge(rows: Table, policy: Policy) -> Table:
    """Give each delivered row its amount, its kind and the first rule that removes it; `kept` where none does.

    `rows` as `profile.distinct` gives them: of those that agree in every column one is kept; which one, nobody can see.
    """
    people = _with_sold(_people(_each(rows), policy), rows).mutate(**_readings(policy))
    # Money back counts as negative, whatever carries the sign: a negative price on both signs, a type, a credit note.
    amounts = people.mutate(amount=ibis.ifelse(_.is_back, -_.amount.abs(), _.amount))
    decided = amounts.mutate(is_repeat=(_.repeat > 0) & ibis.literal(not policy.keeps_duplicates)).mutate(
        rule=ibis.cases(*((removes, name) for name, removes in REMOVALS.items()), else_=KEPT),
        kind=ibis.cases((_.amount > 0, "sale"), (_.is_credit | _.is_discount, "credit"), else_="return"),
    )
    return decided.select(
        *("invoice", "product_code", "quantity", "invoiced_at", "unit_price", "customer_id", "country", "amount"),
        *("has_description", "is_cancellation", "is_filled", "is_placeholder", "rule", "kind"),
    )


def _readings(policy: Policy) -> dict[str, Any]:
    """What the row says of itself, by the words and codes of this delivery."""
    is_cancellation = _.invoice.startswith(policy.cancellation_prefix) if policy.cancellation_prefix else NO
    note_back = is_cancellation if policy.positive_credit_notes else NO
    return {
        "has_description": _.description.fill_null("") != "",
        "is_cancellation": is_cancellation,
        "is_total": one_of(_.product_code, policy.total_codes),
        "is_void": _says(policy.void_words),
        "is_service": one_of(_.product_code, policy.service_codes) | _says(policy.service_words),
        "is_credit": one_of(_.product_code, policy.credit_codes),
        "is_discount": (_.unit_price < 0) & _.is_sold.isnull(),  # a coupon, and no product that came back
        "is_back": note_back | _says(policy.refund_words) | ((_.quantity < 0) & (_.unit_price < 0)),
    }


def _each(rows: Table) -> Table:
    """Every delivered row again; of equal ones all but the first have a `repeat` above 0."""
    others = rows.filter(_.copies > 1).mutate(repeat=lambda several: ibis.range(1, several.copies).unnest())
    return rows.mutate(repeat=ibis.literal(0, "int64")).union(others)


def _says(words: Sequence[str]) -> Any:
    return (_.status.isin(list(words)) | _.line_type.isin(list(words))).fill_null(False) if words else NO


def _with_sold(lines: Table, rows: Table) -> Table:
    """Tell of each line whether its code is ever sold, where a price of the code is negative: others are not asked."""
    asked = rows.filter(_.unit_price < 0)
    sales = rows.filter((_.quantity > 0) & (_.unit_price > 0)).semi_join(asked, "product_code")
    sold = sales.select("product_code").distinct().mutate(is_sold=True)
    # A join: Spark compares `not in` row by row.
    return lines.left_join(sold, "product_code").drop("product_code_right")


def _people(rows: Table, policy: Policy) -> Table:
    """Take placeholders for missing ids, and let the one customer of an order stand for all of its lines."""
    is_placeholder = _.customer_id.isin(list(policy.missing_ids)).fill_null(False) if policy.missing_ids else NO
    named = rows.mutate(is_placeholder=is_placeholder).mutate(
        customer_id=ibis.ifelse(_.is_placeholder, None, _.customer_id)
    )
    if not policy.fills_gaps:
        return named.mutate(is_filled=NO)
    single = {f"order_{name}": ibis.ifelse(_[name].nunique() == 1, _[name].max(), None) for name in ORDER_FACTS}
    joined = named.left_join(named.group_by("invoice").aggregate(**single), "invoice").drop("invoice_right")
    is_filled = _.customer_id.isnull() & ~_.is_placeholder & _.order_customer_id.notnull()
    return joined.mutate(is_filled=is_filled).mutate(
        customer_id=ibis.ifelse(_.is_filled, _.order_customer_id, _.customer_id),
        **{name: ibis.coalesce(_[name], _[f"order_{name}"]) for name in ORDER_FACTS[1:]},
    )


def groups(judged: Table) -> Table:
    """One row per customer and kind of judged row: few, so that what is asked of them is cheap."""
    return judged.group_by(
        *("customer_id", "rule", "kind", "is_cancellation", "has_description", "is_filled", "is_placeholder"),
        quantity_sign=_.quantity.sign(),
        price_sign=_.unit_price.sign(),
    ).aggregate(rows=_.count(), quantity=_.quantity.sum(), amount=_.amount.sum())


def tally(groups: Table) -> Table:
    """One row per rule and per fact that concerns any row: rows, distinct customers, quantity and amount."""
    facts = [ibis.ifelse(holds, name, None) for name, holds in {**FACTS, **KINDS}.items()]
    entries = groups.mutate(entry=ibis.array(["delivered", _.rule, *facts]).unnest()).filter(_.entry.notnull())
    return entries.group_by(rule=_.entry).aggregate(
        rows=_.rows.sum(), customers=_.customer_id.nunique(), quantity=_.quantity.sum(), amount=_.amount.sum()
    )


class Share(NamedTuple):
    """What a rule takes of a delivery; `paid`: of the positive amounts of known customers."""

    rule: str
    rows: int
    paid: Decimal


def shares(groups: Table) -> Table:
    """One row per rule that takes any row, and one for the rows that are kept, as in Share."""
    paid = _.amount.sum(where=(_.kind == "sale") & _KNOWN).coalesce(0)
    return groups.group_by("rule").aggregate(rows=_.rows.sum(), paid=paid).order_by("rule")


def counts(transactions: Table) -> Table:
    """One row: what the readable delivery holds, in distinct invoices, products, countries and customers."""
    known = _.customer_id.notnull()
    return transactions.aggregate(
        invoices=_.invoice.nunique(),
        products=_.product_code.nunique(),
        countries=_.country.nunique(),
        customers=_.customer_id.nunique(),
        known_invoices=_.invoice.nunique(where=known),
        known_positive_invoices=_.invoice.nunique(where=known & (_.quantity > 0) & (_.unit_price > 0)),
    )


def ledger(tallied: Frame, quarantined: Frame) -> Frame:
    """Put the tally in the ledger's order: delivered = quarantined + removed + kept, in rows and to the cent.

    `quarantined` has one row per reason (`reason, rows`); nobody can read these rows' amounts, so they count as 0.
    Raises InputError where no sale is kept.
    """
    import pandas as pd

    refused = {f"quarantined: {reason}": rows for reason, rows in sorted(quarantined.itertuples(index=False))}
    actions = {
        "delivered": "delivered",
        **dict.fromkeys(FACTS, "counted"),
        **dict.fromkeys(refused, "quarantined"),
        **dict.fromkeys(REMOVALS, "removed"),
        KEPT: "kept",
        **dict.fromkeys(KINDS, "counted"),
    }
    nothing = {"rows": 0, "customers": 0, "quantity": 0, "amount": Decimal("0.0000")}
    found = {name: {**nothing, "rows": rows} for name, rows in refused.items()}
    found |= tallied.set_index("rule").to_dict("index")
    listed = {name: action for name, action in actions.items() if name in found or name not in OCCASIONAL}
    entries = [{"rule": name, **found.get(name, nothing), "action": action} for name, action in listed.items()]
    entries[0]["rows"] += sum(refused.values())
    _require_kept(entries)
    return pd.DataFrame(entries)


def _require_kept(entries: Sequence[Mapping[str, Any]]) -> None:
    rows = {entry["rule"]: entry["rows"] for entry in entries}
    if not rows["kept_sales"]:
        taken = [
            f"{entry['rule']} {entry['rows']}" for entry in entries if entry["action"] in ("quarantined", "removed")
        ]
        raise InputError(
            f"no sale is left after cleaning: of {rows['delivered']} rows delivered, {rows[KEPT]} are kept (returns or "
            f"credits); the rules took: {', '.join(taken)}. Expected lines with a customer id, a positive quantity and "
            "a positive price; see the mapping in ingest.columns and the codes in preprocess"
        )


def metrics(entries: Frame) -> dict[str, float]:
    """Rows and amounts of the ledger by name; the refused rows as one number."""
    refused = entries["action"] == "quarantined"
    named = entries[~refused].set_index("rule")
    return {
        **{f"rows.{name}": float(rows) for name, rows in named["rows"].items()},
        **{f"amount.{name}": float(amount) for name, amount in named["amount"].items()},
        "rows.quarantined": float(entries.loc[refused, "rows"].sum()),
    }


def clean(judged: Table) -> Table:
    """Keep the lines that no rule removes, returns matched to the purchases that they undo."""
    kept = judged.filter(_.rule == KEPT).select(
        "invoice",
        "customer_id",
        "product_code",
        _.invoiced_at.name("ordered_at"),
        quantity=_.quantity.abs() * _.amount.sign().cast("int64"),
        unit_price=_.unit_price.abs(),
        amount=_.amount,
        country=_.country,
        kind=_.kind,
    )
    others = kept.filter(_.kind != "return").mutate(matched_quantity=ibis.literal(0, "int64"))
    return ibis.union(others, _matched_returns(kept))


def _matched_returns(lines: Table) -> Table:
    """Give returns the number of their pieces that undo earlier purchases of the same customer and product.

    A queue in which returns use up what was bought, in closed form: of what came back so far (R) against what was
    bought so far (B), the excess max(R - B, 0), at its highest until now, found nothing to undo; what a return adds to
    it is unmatched. So it depends on earlier lines only. Within a minute sales come first; returns follow one another
    by size and price, so that no total depends on the rows' order or on how anything is called.
    """
    product = ["customer_id", "product_code"]
    moves = lines.filter(_.kind != "credit").semi_join(lines.filter(_.kind == "return"), product)
    order = ["ordered_at", _.kind == "return", "quantity", "unit_price", "invoice", "country"]
    before, so_far = (ibis.window(group_by=product, order_by=order, preceding=(None, last)) for last in (1, 0))
    return (
        moves.mutate(excess=(-_.quantity).sum().over(so_far))
        .mutate(
            unmatched=ibis.greatest(_.excess.max().over(so_far), 0),
            unmatched_before=ibis.greatest(_.excess.max().over(before).coalesce(0), 0),
        )
        .filter(_.kind == "return")
        .mutate(matched_quantity=-_.quantity - (_.unmatched - _.unmatched_before))
        .select(*lines.columns, "matched_quantity")
    )

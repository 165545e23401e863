"""Rules of cleaning apply where the data bear them out; what is open is asked, with the setting that answers it."""

from decimal import Decimal
from pathlib import Path

import pytest

from insiders.answers import cleaning
from insiders.errors import InputError
from insiders.io import engine, params
from insiders.schemas import vocabulary
from insiders.tables import lines, orders
from ledgers import table, transaction

PREPROCESS = params.read(Path(__file__).parents[1] / "params.yaml").preprocess


def cleaned(rows, **answers):
    """Clean the rows by the project's settings and these answers: what the ledger says, and the orders."""
    con = engine.connect(threads=1)
    delivered = engine.materialize(con, table(rows))
    judged = cleaning.clean(con, delivered, PREPROCESS.model_copy(update=answers)).judged
    tally = engine.fetch(con, lines.tally(lines.groups(judged))).set_index("rule")
    made = engine.fetch(con, orders.orders(engine.materialize(con, lines.clean(judged))))
    con.disconnect()
    return tally["rows"].to_dict(), made


def visits(count=40, customers=8, product="SKU{}", invoice="{}", **changes):
    """Orders of two lines each, by some customers in turn."""
    for number in range(count):
        for place in range(2):
            code = product.format((number * 3 + place) % 7)
            at = f"2024-{1 + number % 9:02}-{1 + number % 28:02}T10:0{place}"
            yield transaction(
                f"{invoice.format(1000 + number)} {code} {1 + number % 4} {at} {number + 2}.50 c{number % customers}",
                **changes,
            )


def net(made):
    return sum(made["net_revenue"], Decimal(0))


def gross(rows):
    return sum((row["amount"] for row in rows), Decimal(0))


@pytest.mark.parametrize(
    "word", ["0", "000", "-", "Guest", "Walk-in Customer", "consumidor final", "Público en General"]
)
def test_an_id_of_nobody_is_no_customer(word):
    rows = [{**row, "customer_id": word if row["customer_id"] == "c0" else row["customer_id"]} for row in visits()]
    taken, made = cleaned(rows)
    assert taken["no_customer_id"] == taken["placeholder_ids"] == 10
    assert word not in set(made["customer_id"])
    assert word in set(cleaned(rows, ids={word: "customer"})[1]["customer_id"])


def test_credit_notes_of_another_prefix_without_a_sign_are_asked_about():
    sales = list(visits())
    back = [{**row, "invoice": f"NC{row['invoice']}"} for row in sales[::10]]
    with pytest.raises(
        InputError, match=r"begin with 'NC' have 8 lines, of which 8 equal .*cancellation_prefix: \"NC\""
    ):
        cleaned([*sales, *back])
    made = cleaned([*sales, *back], cancellation_prefix="NC", positive_credit_notes="money_back")[1]
    assert net(made) == gross(sales) - gross(back)
    assert net(cleaned([*sales, *back], cancellation_prefix=None)[1]) == gross(sales) + gross(back)
    others = [{**row, "unit_price": row["unit_price"] + 1, "invoice": f"WEB{row['invoice']}"} for row in sales[::10]]
    assert len(cleaned([*sales, *others])[1])


def test_a_service_is_known_by_its_name_with_accents():
    rows = [{**row, "description": "Gastos de envío"} if row["product_code"] == "SKU3" else row for row in visits()]
    assert cleaned(rows)[0]["service_codes"] == sum(row["product_code"] == "SKU3" for row in rows)


def test_zero_is_a_customer_where_ids_are_numbered_from_zero():
    rows = [{**row, "customer_id": row["customer_id"][1:]} for row in visits()]
    assert "0" in set(cleaned(rows)[1]["customer_id"])
    assert "0" not in set(cleaned(rows, ids={"0": "missing"})[1]["customer_id"])


def test_an_id_that_stands_far_out_is_asked_about():
    rows = [*visits(80, 16), *({**row, "customer_id": "POS-1"} for row in visits(60, invoice="9{}"))]
    with pytest.raises(
        InputError, match=r"customer 'POS-1' has 60 of 140 orders.*preprocess\.ids: \{\"POS-1\": missing"
    ):
        cleaned(rows)
    assert "POS-1" not in set(cleaned(rows, ids={"POS-1": "missing"})[1]["customer_id"])
    assert "POS-1" in set(cleaned(rows, ids={"POS-1": "customer"})[1]["customer_id"])


def test_an_id_with_many_countries_is_asked_about():
    rows = [*visits(), *(transaction(f"7{n} A 1 2024-01-01 1 w", country=f"Land {n}") for n in range(6))]
    with pytest.raises(InputError, match="customer 'w' has 6 of 46 orders, from 6 countries"):
        cleaned(rows)


@pytest.mark.parametrize("share", ["all", "some"])
def test_order_numbers_that_begin_like_credit_notes_remove_nothing(share):
    rows = list(visits(invoice="CA-{}"))
    rows += [] if share == "all" else list(visits(invoice="US-{}"))
    taken, made = cleaned(rows)
    assert taken["kept"] == len(rows)
    assert net(made) == gross(rows)


def credit_notes(rows, sign):
    """A credit note for every fourth line, on the day after."""
    for row in rows[::4]:
        yield {
            **row,
            "invoice": f"C{row['invoice']}",
            "invoiced_at": row["invoiced_at"].replace(hour=20),
            "quantity": sign * row["quantity"],
            "amount": sign * row["amount"],
        }


@pytest.mark.parametrize("sign", [1, -1])
def test_a_credit_note_is_money_back_whatever_its_sign(sign):
    rows = list(visits())
    back = list(credit_notes(rows, sign))
    _taken, made = cleaned([*rows, *back])
    assert net(made) == gross(rows) - abs(gross(back))


def test_where_credit_notes_and_orders_look_alike_it_is_asked():
    rows = list(visits())
    half = [{**row, "quantity": row["quantity"] + n % 2} for n, row in enumerate(credit_notes(rows, 1))]
    with pytest.raises(InputError, match=r"begin with 'C'.*20 are positive.*preprocess\.cancellation_prefix: null"):
        cleaned([*rows, *half])
    assert cleaned([*rows, *half], positive_credit_notes="remove")[0]["positive_on_credit_note"] == 20
    assert cleaned([*rows, *half], cancellation_prefix=None)[0]["kept"] == 100


SIGNS = {"price": (1, -1), "both": (-1, -1), "quantity": (-1, 1)}


@pytest.mark.parametrize("signs", SIGNS)
def test_quantity_times_price_below_zero_is_money_back(signs):
    quantity, price = SIGNS[signs]
    rows = list(visits())
    back = [
        {
            **row,
            "invoice": f"9{row['invoice']}",
            "quantity": quantity * row["quantity"],
            "unit_price": price * row["unit_price"],
        }
        for row in rows[::5]
    ]
    back = [{**row, "amount": row["quantity"] * row["unit_price"]} for row in back]
    _taken, made = cleaned([*rows, *back])
    assert net(made) == gross(rows) - abs(gross(back))
    assert made["returned_item_count"].sum() == sum(abs(row["quantity"]) for row in back)


def test_a_coupon_lowers_net_revenue_and_is_no_product():
    rows = list(visits())
    coupons = [transaction(f"{row['invoice']} OFF5 1 2024-02-01 -5 {row['customer_id']}") for row in rows[::2]]
    _taken, made = cleaned([*rows, *coupons])
    assert net(made) == gross(rows) - 5 * len(coupons)
    assert made["returned_item_count"].sum() == 0


def test_a_bare_yes_or_no_is_asked_about():
    rows = [*visits(count=20, status="yes"), *visits(count=20, invoice="9{}", status="No")]
    with pytest.raises(
        InputError, match=r"holds 'No', 'yes': which.*preprocess\.words: \{\"No\": void\} or \{\"yes\": void"
    ):
        cleaned(rows)
    assert cleaned(rows, words={"no": "void"})[0]["void_orders"] == 40


def test_sides_of_an_account_are_asked_about():
    rows = [{**row, "line_type": "D"} for row in visits()]
    back = [{**row, "invoice": f"9{row['invoice']}", "line_type": "C"} for row in rows[::5]]
    with pytest.raises(
        InputError, match=r"holds 'C', 'D': which.*preprocess\.words: \{\"C\": refund\} or \{\"D\": refund"
    ):
        cleaned([*rows, *back])
    assert net(cleaned([*rows, *back], words={"c": "refund"})[1]) == gross(rows) - gross(back)


@pytest.mark.parametrize("word", ["Refund", "RETURN", "Credit memo", "Devolução", "nota de crédito"])
def test_a_type_says_what_is_money_back(word):
    rows = [{**row, "line_type": "Sale"} for row in visits()]
    back = [{**row, "invoice": f"9{row['invoice']}", "line_type": word} for row in rows[::5]]
    assert net(cleaned([*rows, *back])[1]) == gross(rows) - gross(back)


@pytest.mark.parametrize("word", ["cancelled", "Voided", "pending", "Não pago", "on-hold", "test"])
def test_orders_that_are_none_are_left_out_by_name(word):
    rows = [{**row, "status": word if n < 10 else "paid"} for n, row in enumerate(visits())]
    taken, made = cleaned(rows)
    assert (taken["void_orders"], taken["kept"]) == (10, 70)
    assert net(made) == gross(rows[10:])
    assert cleaned(rows, words={word: "sale"})[0]["kept"] == 80


def test_what_stands_on_the_first_line_of_an_order_holds_for_all_of_them():
    rows = list(visits())
    blank = {"customer_id": None, "country": None, "status": None}
    first = [{**row, "status": "paid", **(blank if n % 2 else {})} for n, row in enumerate(rows)]
    first[0]["status"] = "voided"
    taken, made = cleaned(first)
    assert (taken["filled_customer_ids"], taken["void_orders"], taken["kept"]) == (40, 2, 78)
    assert set(made["country"]) == {"United Kingdom"}


def test_an_invoice_of_two_customers_fills_nothing():
    rows = [transaction(f"1 A{n} 1 2024-01-01 1 {who}") for n, who in enumerate(["ann", "bob", "-"])]
    taken, _made = cleaned(rows)
    assert (taken["kept"], taken["no_customer_id"]) == (2, 1)


def test_repeats_are_removed_up_to_a_share_and_asked_about_above():
    rows = list(visits())
    assert cleaned([*rows, rows[0]])[0]["exact_duplicates"] == 1
    with pytest.raises(InputError, match=r"80 of 160 rows \(50\.0%\) are duplicates.*preprocess\.duplicates: keep"):
        cleaned([*rows, *rows])
    assert cleaned([*rows, *rows], duplicates="keep")[0]["kept"] == 160
    assert cleaned([*rows, *rows], duplicates="remove")[0]["kept"] == 80


def test_rows_that_differ_in_a_column_that_is_not_read_are_no_duplicates():
    rows = list(visits())
    pieces = [{**row, "rest": piece} for row in rows for piece in ("a", "b")]
    assert cleaned(pieces)[0]["kept"] == 160


@pytest.mark.parametrize(("text", "rule"), [("POSTAGE", "service_codes"), ("Shirt, small", "kept")])
def test_a_service_code_is_one_where_its_text_says_so(text, rule):
    rows = [{**row, "product_code": "S", "description": text} if n < 30 else row for n, row in enumerate(visits())]
    assert cleaned(rows)[0][rule] == {"service_codes": 30, "kept": 80}[rule]


def test_codes_without_a_text_may_take_little_and_are_asked_about_above():
    rows = [{**row, "description": None} for row in visits()]
    few = [transaction("1 S 1 2024-01-01 1 c1", description=None)]
    assert cleaned([*rows, *few])[0]["service_codes"] == 1
    many = [{**row, "product_code": "S"} if n < 30 else row for n, row in enumerate(rows)]
    with pytest.raises(InputError, match=r"product codes 'S' hold .*preprocess\.service_codes"):
        cleaned(many)
    assert cleaned(many, service_codes=())[0]["kept"] == 80


def test_shipping_is_no_product_whatever_its_code():
    ships = [transaction(f"{1000 + n} Z{n} 1 2024-01-01 9 c{n % 8}", description="Shipping") for n in range(40)]
    taken, made = cleaned([*visits(), *ships])
    assert taken["service_codes"] == 40
    assert net(made) == gross(visits())


@pytest.mark.parametrize("name", ["Subtotal", "SUM"])
def test_rows_that_sum_up_their_invoice_are_left_out(name):
    rows = list(visits())
    sums = [
        {
            **row,
            "product_code": name,
            "quantity": 1,
            "unit_price": row["amount"] + other["amount"],
            "amount": row["amount"] + other["amount"],
        }
        for row, other in zip(rows[::2], rows[1::2], strict=True)
    ]
    taken, made = cleaned([*rows, *sums])
    assert taken["totals"] == 40
    assert net(made) == gross(rows)


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("Partially refunded", "sale"),
        ("Reembolsado", "void"),
        ("estorno", "refund"),
        ("Shipping fee", "service"),
        ("B2", None),
    ],
)
def test_words_are_known_in_three_languages(word, meaning):
    assert vocabulary.meaning(word, {}) == meaning
    assert vocabulary.meaning(word, {word.upper(): "refund"}) == "refund"

"""What an export says in a way that is easily missed: it is read right or asked about, and never passed by."""

from pathlib import Path

import pytest

from insiders.errors import InputError
from test_rules import cleaned, gross, net, visits
from test_shops import HEAD, TOTALS, line, lines, read


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# --- columns ---


def test_the_number_of_a_row_is_nobodys_id():
    with pytest.raises(InputError, match="no column found for customer_id"):
        read(
            lines(*(f"{n},{line(invoice=str(n))}" for n in range(3)), head=f"id,{HEAD.replace('CustomerID', 'Phone')}")
        )
    assert set(read(lines(line(), head=HEAD.replace("CustomerID", "Klant-ID")))["customer_id"]) == {"ann"}


def test_two_orders_of_a_day_are_not_made_one_without_a_word():
    rows = [f"A,Thing,1,2024-01-31 1{n}:00,{price}.50,ann,France,b{n}" for n in range(4) for price in (1, 2)]
    with pytest.raises(InputError, match="'Bong' parts the lines as orders do"):
        read(lines(*rows, head=f"{HEAD},Bong".partition(",")[2]))


FLAGS = {
    "deleted_at": "2024-02-01",
    "Storno": "X",
    "Retoure": "J",
    "Devuelto": "Sí",
    "Reso": "SI",
    "Zwrot": "TAK",
    "Reversed": "x",
    "Return Reason": "Changed my mind",
    "Credited Invoice": "20191",
    "退款": "是",
}


@pytest.mark.parametrize("column", FLAGS)
def test_a_column_whose_name_speaks_of_no_sale_is_asked_about(column):
    text = lines(f"{line()},", f"{line(quantity='3')},{FLAGS[column]}", head=f"{HEAD},{column}")
    with pytest.raises(InputError, match=f"column '{column}' is not read and holds '{FLAGS[column]}'"):
        read(text)


@pytest.mark.parametrize("signs", [("€", "£"), ("Euro", "Pound Sterling")])
def test_currencies_are_known_by_sign_and_name(signs):
    text = lines(*(f"{line(quantity=str(n + 1))},{sign}" for n, sign in enumerate(signs)), head=f"{HEAD},Paid in")
    with pytest.raises(InputError, match=r"'Paid in' is not read.*several currencies"):
        read(text)


def test_a_currency_on_the_first_line_of_an_order_is_that_of_all():
    rows = [
        f"{line(invoice=order, code=code)},{code_of}"
        for order, code, code_of in (("1", "A", "EUR"), ("1", "B", ""), ("2", "A", "gbp"), ("2", "B", ""))
    ]
    found = read(lines(*rows, head=f"{HEAD},Currency"), rates={"EUR": 1.0, "GBP": 1.2})
    assert sorted(found["amount"].astype(str)) == ["3.0000", "3.0000", "3.6000", "3.6000"]
    with pytest.raises(InputError, match="'Currency' is empty in 1 rows"):
        read(lines(*rows, f"{line(invoice='3')},", head=f"{HEAD},Currency"), rates={"EUR": 1.0, "GBP": 1.2})


def test_a_second_discount_is_asked_about():
    text = TOTALS.format("unit_price,Line discount,Order discount") + "1,2024-01-31,ann,A,2,9.00,1.00,2.00\n"
    with pytest.raises(InputError, match=r"is not read and holds '[12]\.00': is it taken off"):
        read(text)


# --- money ---

SOLD = [(order, place, 1 + (order + place) % 4, 2 + place) for order in range(30) for place in range(3)]


def with_total(total: str, name: str = "Amount") -> str:
    rows = (
        f"{order},2024-01-{1 + order % 28:02},ann,P{place},{pieces},{price},"
        f"{total.format(own=pieces * price, order=order)}\n"
        for order, place, pieces, price in SOLD
    )
    return TOTALS.format(f"unit_price,{name}") + "".join(rows)


def test_an_amount_that_is_each_lines_own_is_held_against_price_and_quantity():
    whole = sum(pieces * price for _, _, pieces, price in SOLD)
    assert read(with_total("{own}"))["amount"].sum() == whole
    with pytest.raises(InputError, match=r"'Amount' is not 'qty' x 'unit_price'.*ingest\.price_is"):
        read(with_total("{own}00"))
    assert read(with_total("10{order}"))["amount"].sum() == whole  # the order's own, on each of its lines


def test_the_sign_of_a_line_s_total_counts():
    text = with_total("{own}")
    first = text.splitlines()[1]
    back = first.rpartition(",")
    assert read(text.replace(first, f"{back[0]},-{back[2]}"))["amount"].min() == -int(back[2])


def test_an_order_s_amount_beside_its_postage_is_asked_about():
    text = "order_id,order_date,customer_id,order_total,Shipping\n7,2024-01-31,ann,12.50,4\n8,2024-01-31,bob,3,0\n"
    with pytest.raises(InputError, match=r"'order_total' may hold the postage of 'Shipping'.*ingest\.ignore"):
        read(text)
    assert sorted(read(text, ignore=("Shipping",))["amount"].astype(str)) == ["12.5000", "3.0000"]


# --- writing ---


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("05. 01. 2023", "2023-01-05"),
        ("2023. 01. 05.", "2023-01-05"),
        ("2023-01-05T16:06:00.1234567", "2023-01-05"),
        ("2023-01-05 04:06:00 p. m.", "2023-01-05"),
        ("5 января 2023", "2023-01-05"),
        ("Jan  5 2023  4:06PM", "2023-01-05"),
        ("Jan 5 2023 4:06:00 PM PST", "2023-01-05"),
        ("5 stycznia 2023", "2023-01-05"),
    ],
)
def test_dates_are_read_as_people_and_databases_write_them(written, day):
    rows = [line(at=written.replace("05", "25", 1) if n else written, invoice=str(n)) for n in range(2)]
    found = read(lines(rows[0], *([] if written[0] == "5" else rows[1:])))
    assert found["invoiced_at"].dt.strftime("%Y-%m-%d").min() == day


def test_a_year_of_two_digits_may_come_first():
    with pytest.raises(InputError, match='"%y/%m/%d"'):
        read(lines(line(at="25/01/31"), line(at="24/12/30", invoice="2")))


def test_a_minus_may_be_a_typographer_s():
    assert read(lines(line(quantity="\N{MINUS SIGN}2"), line(invoice="2")))["quantity"].tolist() == [-2, 2]


@pytest.mark.parametrize("written", ["Ann <ANN@x.org>", "mailto:ann@x.org", "ann@x.org"])
def test_an_address_is_one_person_whatever_stands_beside_it(written):
    assert read(lines(line(customer=written)))["customer_id"].tolist() == ["ann@x.org"]


# --- states and types ---


@pytest.mark.parametrize(
    "word", ["Cancelled by customer", "CANCELLED_BY_BUYER", "Storniert (Kunde)", "Return - Exchange"]
)
def test_a_state_in_more_words_is_asked_about(word):
    rows = [*visits(status="paid"), *visits(count=3, invoice="9{}", status=word)]
    with pytest.raises(InputError, match=r"has 6 lines: are they sales\?.*preprocess\.words"):
        cleaned(rows)
    assert net(cleaned(rows, words={word: "sale"})[1]) == gross(rows)


def test_states_of_a_shop_system_are_known_behind_its_letters():
    rows = [*visits(status="wc-completed"), *visits(count=3, invoice="9{}", status="wc-cancelled")]
    assert cleaned(rows)[0]["void_orders"] == 6


def test_refunds_in_lines_of_their_own_are_money_back_and_the_sale_stays():
    sales = list(visits(status="paid"))
    back = [{**row, "status": "Refunded", "invoice": f"8{row['invoice']}"} for row in sales[:4]]
    negative = [{**row, "quantity": -row["quantity"], "amount": -row["amount"]} for row in back]
    assert net(cleaned([*sales, *negative])[1]) == gross(sales) - gross(sales[:4])
    assert cleaned([*sales, *back])[0]["void_orders"] == 4  # sales that came back whole


def test_a_kind_of_line_that_repeats_sales_is_asked_about():
    sales = list(visits(line_type="RE"))
    later = {"invoiced_at": max(row["invoiced_at"] for row in sales)}
    notes = [{**row, **later, "invoice": f"8{row['invoice']}", "line_type": "GS"} for row in sales[:8]]
    with pytest.raises(InputError, match=r"'GS' has 8 lines, of which 8 follow a sale of the same.*GS\": refund"):
        cleaned([*sales, *notes])
    assert net(cleaned([*sales, *notes], words={"GS": "refund"})[1]) == gross(sales) - gross(sales[:8])


@pytest.mark.parametrize("signs", [("+", "-"), ("1", "-1")])
def test_a_sign_in_a_column_of_its_own_is_asked_about_and_can_be_answered(signs):
    text = lines(*(f"{line(quantity=str(n + 1))},{sign}" for n, sign in enumerate(signs)), head=f"{HEAD},Direction")
    with pytest.raises(InputError, match=r"'Direction' is not read and holds '[-1]'.*{line_type: \"Direction\"}"):
        read(text)
    sales = list(visits(line_type=signs[0]))
    back = [{**row, "line_type": signs[1], "invoice": f"8{row['invoice']}"} for row in sales[:8]]
    with pytest.raises(InputError, match=r"which of them are no sales\?.*preprocess\.words"):
        cleaned([*sales, *back])
    assert net(cleaned([*sales, *back], words={signs[1]: "refund"})[1]) == gross(sales) - gross(sales[:8])


def test_movements_of_a_stock_are_no_sales():
    rows = [{**row, "quantity": -row["quantity"], "amount": -row["amount"]} for row in visits()]
    with pytest.raises(InputError, match="80 of 80 lines are negative"):
        cleaned(rows)


@pytest.mark.parametrize("word", ["-1", "(blank)", "[redacted]", "noemail@noemail.com", "Sammelkunde"])
def test_more_ids_of_nobody(word):
    rows = [{**row, "customer_id": word if row["customer_id"] == "c0" else row["customer_id"]} for row in visits()]
    assert cleaned(rows)[0]["placeholder_ids"] == 10


def test_nines_are_nobody_where_they_order_more_than_anybody():
    rows = [{**row, "customer_id": "9999" if row["customer_id"] == "c0" else row["customer_id"]} for row in visits()]
    assert "placeholder_ids" not in cleaned(rows)[0]
    crowd = [{**row, "customer_id": "9999"} for row in visits(count=40, invoice="7{}")]
    assert cleaned([*visits(), *crowd], customer_share_max=1.0)[0]["placeholder_ids"] == 80

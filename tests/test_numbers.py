"""Telling the mark before the decimals, and reading numbers exactly."""

import ibis
import pandas as pd
import pytest

from insiders.errors import InputError
from insiders.io.delivery import numbers


def mark(*texts: str) -> str:
    return numbers.decimal_mark(ibis.memtable({"value": list(texts), "rows": [1] * len(texts)}), "Price")


def plain(text: str, mark: str) -> str | None:
    found = numbers.plain(ibis.literal(text), mark).to_pandas()
    return None if pd.isna(found) else found


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1", "2.55"], "."),
        (["1", "2,55"], ","),
        (["1,234.56"], "."),
        (["1.234,56"], ","),
        (["1,234", "2.5"], "."),
        (["1.234", "2,5"], ","),
        (["12", "-3", "many"], "."),
        (["2.5", "3.5", "4,5"], "."),
        (["0.001"], "."),
    ],
)
def test_the_mark_is_told_from_what_can_be_read_one_way(texts, expected):
    assert mark(*texts) == expected


@pytest.mark.parametrize("texts", [["1,234"], ["1.234", "5"], ["2.5", "2,5"], ["2.5", "3.5", "2,5", "1,234"]])
def test_an_open_mark_is_refused_with_the_way_to_declare_it(texts):
    with pytest.raises(InputError, match=r'ingest\.decimal: "\." or ","'):
        mark(*texts)


@pytest.mark.parametrize(
    ("text", "mark", "expected"),
    [
        ("2.55", ".", "2.55"),
        ("-1,234,567.5", ".", "-1234567.5"),
        ("1 234.5", ".", "1234.5"),
        ("1'234", ".", "1234"),
        ("+7", ".", "+7"),
        (".5", ".", ".5"),
        ("5.", ".", "5."),
        ("1e-05", ".", "1e-05"),
        ("1.234.567,89", ",", "1234567.89"),
        ("1\xa0234,5", ",", "1234.5"),
        ("2,5", ".", None),
        ("12,34,567", ".", "1234567"),  # as in India
        ("12,34,56", ".", None),
        ("1_000", ".", None),
        ("£2.55", ".", None),
        ("(2.55)", ".", None),
        ("nan", ".", None),
        ("inf", ".", None),
        ("0x10", ".", None),
        ("٣", ".", None),
        ("", ".", None),
    ],
)
def test_a_number_is_read_exactly_or_not_at_all(text, mark, expected):
    assert plain(text, mark) == expected

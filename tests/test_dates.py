"""Telling the form of a column of dates."""

from datetime import date, datetime, timedelta

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insiders.errors import InputError
from insiders.io.delivery import dates
from insiders.io.delivery.dates import Day


def forms(*texts: str) -> tuple[str, ...]:
    values = ibis.memtable([(text, texts.count(text)) for text in dict.fromkeys(texts)], columns=["value", "rows"])
    plain = values.mutate(value=dates.plain(values.value, has_words=dates.has_words(values)))
    return dates.forms(dates.shapes(plain), "Date")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["12/1/2010 8:26", "12/13/2010 18:26"], ["%m/%d/%Y %H:%M"]),
        (["01/12/2010 8:26", "13/12/2010 18:26"], ["%d/%m/%Y %H:%M"]),
        (["1.2.2010", "31.12.2010"], ["%d.%m.%Y"]),
        (["1-2-2010", "12-31-2010"], ["%m-%d-%Y"]),
        (["2010-12-01", "2010-12-02"], ["%Y-%m-%d"]),
        (["2010-12-01 08:26:00", "2010-12-02"], ["%Y-%m-%d", "%Y-%m-%d %H:%M:%S"]),
        (["2010-12-01T08:26:00.123456"], ["%Y-%m-%dT%H:%M:%S.%f"]),
        (["2010-12-01T08:26:00Z"], ["%Y-%m-%dT%H:%M:%S"]),
        (["2010-12-01 08:26:00+00:00"], ["%Y-%m-%d %H:%M:%S"]),
        (["2010-12-01 08:26:00 -0300", "2010-07-01 08:26:00 -0200"], ["%Y-%m-%d %H:%M:%S"]),
        (["2010/12/01 8:26"], ["%Y/%m/%d %H:%M"]),
        (["5 de janeiro de 2025 00:05 hs.", "12 de Março de 2025 10:05 hs."], ["%d %b %Y %H:%M"]),
        (["5 de septiembre de 2025", "1 ene 2025"], ["%d %b %Y"]),
        (["January 05, 2025 12:05 AM", "May 1, 2025 1:05 PM"], ["%b %d, %Y %I:%M %p"]),
        (["Wed, 05 Nov 2025"], ["%d %b %Y"]),
        (["45662.003", "45663", "45664.5"], [dates.SERIAL]),
        (["20101201"], ["%Y%m%d"]),
        (["1-Dec-2010"], ["%d-%b-%Y"]),
        (["Dec 1, 2010 8:26 PM"], ["%b %d, %Y %I:%M %p"]),
        (["12/13/2010 8:26PM"], ["%m/%d/%Y %I:%M%p"]),
        (["12/12/2010", "1/1/2010"], ["%m/%d/%Y"]),  # the same day either way
        (["12/13/2010", "soon", ""], ["%m/%d/%Y"]),
        (["99/13/2010", "99/1/2010", "13/12/2010"], ["%d/%m/%Y"]),  # what is no date does not vote
        (["2010-12-01", "2010-12-02", "13/12/2010"], ["%Y-%m-%d"]),  # one stray kind is left out
        (["13/12/2010", "14/12/2010", "2010-12-01"], ["%d/%m/%Y"]),
        (["12/1/10", "40513.35", "2010-12-01 at noon", "1.2.3"], []),
    ],
)
def test_the_form_is_told_from_the_whole_column(texts, expected):
    assert sorted(forms(*texts)) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1/2/2010 8:26", "3/3/2010 8:26"], r"'1/2/2010 8:26', which in every row.*\"%m/%d/%Y %H:%M\" or \"%d/%m/%Y"),
        (["24-01-31"], r'years have two digits.*ingest\.date_format: "%d-%m-%y" or "%y-%m-%d"$'),
        (["1", "17", "711"], r"numbers of days, such as '1'.*ingest\.date_format: \"days since 2024-01-01\"$"),
        (["1736035500"], r"seconds, such as '1736035500'.*\"seconds since 1970-01-01\" where the shop's clock"),
        (["1736035500000"], r"ingest\.date_format: \"milliseconds since 1970-01-01\""),
        (["13/1/25 8:26"], r'years have two digits.*ingest\.date_format: "%d/%m/%y %H:%M" or "%y/%m/%d %H:%M"$'),
        (["1/2/25"], r'"%m/%d/%y" or "%d/%m/%y"$'),
        (["13/1/2010", "1/13/2010"], r"'13/1/2010' \(only day/month\) and '1/13/2010' \(only month/day\)"),
    ],
)
def test_an_open_order_is_refused_with_the_way_to_declare_it(texts, expected):
    with pytest.raises(InputError, match=expected):
        forms(*texts)


@pytest.mark.parametrize("form", ["%Q", "day/month", "%d/%", "days since ever", "hours since 1970-01-01"])
def test_a_declared_form_is_checked(form):
    with pytest.raises(InputError, match=r"ingest\.date_format"):
        dates.declared(form)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.datetimes(datetime(1900, 1, 1), datetime(2199, 1, 1)), min_size=1, max_size=20),
    st.sampled_from(["{0.day}/{0.month}/{0.year:04}", "{0.month}/{0.day}/{0.year:04}"]),
)
def test_an_order_is_right_or_refused(days, written):
    day_first = written.startswith("{0.day")
    try:
        found = forms(*(written.format(day) for day in days))
    except InputError:
        assert all(day.day <= 12 for day in days)
    else:
        same = all(day.day == day.month for day in days)
        assert found == (("%d/%m/%Y",) if day_first and not same else ("%m/%d/%Y",))


def trade(*strays: date) -> list[Day]:
    """A year with ten lines every other day, and single lines beside it."""
    start = date(2024, 1, 1)
    return [*(Day(start + timedelta(days=2 * n), 10) for n in range(180)), *(Day(stray, 1) for stray in strays)]


@pytest.mark.parametrize(
    "strays",
    [[], [date(2150, 1, 1)], [date(1970, 1, 1)], [date(1900, 1, 1), date(1970, 1, 1), date(2031, 1, 1)]],
)
def test_dates_far_from_all_others_lie_outside_the_span(strays):
    assert dates.span(trade(*strays), 365, 0.05) == (date(2024, 1, 1), date(2024, 12, 24))


def test_another_part_of_the_history_is_no_slip():
    early = [Day(date(2020, 1, 1) + timedelta(days=n), 10) for n in range(30)]
    assert dates.span([*early, *trade()], 365, 0.05) == (date(2020, 1, 1), date(2024, 12, 24))
    assert dates.span([], 365, 0.05) is None

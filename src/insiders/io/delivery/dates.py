"""In which form a column of dates is written: told from the whole column, never guessed.

A text's shape is the text with every digit written as 9, so half a million rows have a dozen shapes. Where day and
month could change places, values above 12 in one place decide for the whole column.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Any, NamedTuple

from insiders.errors import InputError
from insiders.io import engine

Values = Any  # an Ibis table `value, rows`: each distinct text of the column, and how often it stands there
Text = Any  # an Ibis expression

MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
# Shapes of dates and their strptime forms: two where the order of day and month is open, month first.
FORMS = {
    "9999-99?-99?": ("%Y-%m-%d",),
    "9999/99?/99?": ("%Y/%m/%d",),
    r"9999\.99?\.99?": ("%Y.%m.%d",),
    "9{8}": ("%Y%m%d",),
    f"99?-({MONTHS})-9999": ("%d-%b-%Y",),
    f"99? ({MONTHS}) 9999": ("%d %b %Y",),
    f"99?/({MONTHS})/9999": ("%d/%b/%Y",),
    f"({MONTHS}) 99?, 9999": ("%b %d, %Y",),
    f"({MONTHS}) 99? 9999": ("%b %d %Y",),
    f"99?-({MONTHS})-99(?!9)": ("%d-%b-%y",),
    f"99? ({MONTHS}) 99(?!9)": ("%d %b %y",),
    f"99?/({MONTHS})/99(?!9)": ("%d/%b/%y",),
    "99?/99?/9999": ("%m/%d/%Y", "%d/%m/%Y"),
    "99?-99?-9999": ("%m-%d-%Y", "%d-%m-%Y"),
    r"99?\.99?\.9999": ("%m.%d.%Y", "%d.%m.%Y"),
}
TIME = re.compile(r"(,? |T)99?:99(:99)?(\.9{1,6})?( ?[AP]M)?", re.IGNORECASE)
# Forms that are asked about: a year of two digits can be a day too.
SHORT_FORMS = {
    r"99?/99?/99(?!9)": ("%m/%d/%y", "%d/%m/%y", "%y/%m/%d"),
    r"99?-99?-99(?!9)": ("%m-%d-%y", "%d-%m-%y", "%y-%m-%d"),
    r"99?\.99?\.99(?!9)": ("%m.%d.%y", "%d.%m.%y", "%y.%m.%d"),
}
# Forms beside those of strptime, of numbers that count from a moment on: days since 2024-01-01.
SECONDS = {"days": 86_400.0, "seconds": 1.0, "milliseconds": 0.001}  # of one step
COUNTED = re.compile(rf"({'|'.join(SECONDS)}) since (.*)")
SERIAL = "days since 1899-12-30"  # as spreadsheets count
SERIAL_SHAPE = re.compile(r"9{5}([.,]9+)?")
# What a count of so many digits most likely is, and the moment that has the number 0 as its form is proposed.
COUNTED_SHAPES = (
    (re.compile(r"9{1,3}"), "days", "2024-01-01"),
    (re.compile(r"9{10}(\.9+)?"), "seconds", "1970-01-01"),
    (re.compile(r"9{13}"), "milliseconds", "1970-01-01"),
)
# The clock of a stamp is the shop's own: what follows it says how far it is from Greenwich, and days are counted by it.
OFFSET = r"(:\d\d(?:\.\d+)?(?: ?[AaPp][Mm])?) ?(Z|UTC|GMT|[ECMP][SD]T|CES?T|BST|[+-]\d\d:?(?:\d\d)?)$"
MONTH_NAMES = (
    ("Jan", "января|январь|янв|stycznia|january|janeiro|enero|janvier|januar|gennaio|janv|jan|ene|gen"),
    ("Feb", "февраля|февраль|фев|lutego|february|fevereiro|febrero|février|februar|febbraio|févr|feb|fev|fév"),
    ("Mar", "марта|март|мар|marca|march|marco|março|marzo|mars|märz|mrz|mar"),
    ("Apr", "апреля|апрель|апр|kwietnia|april|abril|avril|aprile|apr|abr|avr"),
    ("May", "мая|май|maja|may|maio|mayo|mai|maggio|mag"),
    ("Jun", "июня|июнь|июн|czerwca|june|junho|junio|juin|juni|giugno|jun|giu"),
    ("Jul", "июля|июль|июл|lipca|july|julho|julio|juillet|juli|luglio|juil|jul|lug"),
    ("Aug", "августа|август|авг|sierpnia|august|agosto|août|aug|ago|aoû"),
    ("Sep", "сентября|сентябрь|сен|września|september|setembro|septiembre|setiembre|septembre|settembre|sept|sep|set"),
    ("Oct", "октября|октябрь|окт|października|october|outubro|octubre|octobre|oktober|ottobre|oct|out|okt|ott"),
    ("Nov", "ноября|ноябрь|ноя|listopada|november|novembro|noviembre|novembre|nov"),
    ("Dec", "декабря|декабрь|дек|grudnia|december|dezembro|diciembre|décembre|dezember|dicembre|dec|dez|dic|déc"),
)
WEEKDAYS = r"(?i)^(mon|tue|wed|thu|fri|sat|sun|seg|ter|qua|qui|sex|dom|lun|mie|jue|vie)\p{L}*,? +"
DIRECTIVES = "YymbBdjHIMSfpaAz%"
MONTH_FIRST, DAY_FIRST = 0, 1
MONTHS_MAX, DAYS_MAX = 12, 31
SHAPES_MAX = 1000  # of free text every row could be another
GAP_MAX = 365  # days: few lines that so many part from all others have a wrong date
GAP_ASKED, GAP_TIMES = 90, 2  # days, and times the longest other gap: fewer may be a season's or a young shop's
FEW_SHARE = 0.005  # of the lines: more of them are another part of the history


class Shape(NamedTuple):
    """How one shape of the column occurs; the last three are there where the order of day and month is open."""

    shape: str
    rows: int
    example: str
    day_first: str | None  # an example that can only be day before month
    month_first: str | None
    undecided: str | None  # one that is a date both ways, and not the same


def plain(text: Text, *, has_words: bool) -> Text:
    """Write a date without the offset of its clock, and its month as English writes it in short."""
    text = (
        text.re_replace(r"^(\d+)\. ?(\d+)\. ?(\d+)\.?( |$)", r"\1.\2.\3\4")  # as Czechs and Hungarians write it
        .re_replace(r"(?i)(\d ?)([ap])\. ?m\.?", r"\1\2m")  # and not the end of a weekday, as in Sa. 5. März
        .re_replace(" {2,}", " ")
        .re_replace(r"(\.\d{6})\d+", r"\1")  # of seconds: databases count them finer than anybody needs
        .re_replace(OFFSET, r"\1")
    )
    if not has_words:
        return text
    text = (
        text.re_replace(WEEKDAYS, "")
        .re_replace(r"^(\d\d?)\. *(\p{L})", r"\1 \2")
        .re_replace(r"(?i)(^|[^\d])(\d\d?)(st|nd|rd|th)($|[^\p{L}])", r"\1\2\4")
        .re_replace(r"(?i) +(de|del|of) +", " ")
        .re_replace(r"(?i) *h(s|rs)?\.?$", "")
    )
    for short, names in MONTH_NAMES:
        text = text.re_replace(rf"(?i)(^|[^\p{{L}}])({names})\.?($|[^\p{{L}}])", rf"\1{short}\3")
    return text


def has_words(values: Values) -> bool:
    """Tell whether months are written as words anywhere."""
    (found,) = engine.fetch_records(values.aggregate(words=values.value.re_search(r"\p{L}{3}").any()))
    return bool(found["words"])


def offsets(values: Values) -> list[str]:
    """List how far the clocks of the stamps are from Greenwich, as they write it."""
    found = values.select(offset=values.value.re_extract(OFFSET, 2)).distinct()
    return sorted(each["offset"] for each in engine.fetch_records(found.filter(found.offset != "")))


def shapes(values: Values) -> list[Shape]:
    """Count the shapes of a column, the most frequent ones first."""
    parts = (values.value.re_extract(r"^(\d\d?)[/.-](\d\d?)[/.-]", place).try_cast("int16") for place in (1, 2))
    (first, first_is_month), (second, second_is_month) = ((part, part.between(1, MONTHS_MAX)) for part in parts)
    counted = (
        values.mutate(
            shape=values.value.translate("012345678", "999999999"),
            day_first=(first.between(MONTHS_MAX + 1, DAYS_MAX) & second_is_month).ifelse(values.value, None),
            month_first=(second.between(MONTHS_MAX + 1, DAYS_MAX) & first_is_month).ifelse(values.value, None),
            undecided=(first_is_month & second_is_month & (first != second)).ifelse(values.value, None),
        )
        .group_by("shape")
        .aggregate(
            rows=lambda t: t.rows.sum(),
            example=lambda t: t.value.min(),
            **{name: lambda t, name=name: t[name].min() for name in ("day_first", "month_first", "undecided")},
        )
    )
    frequent = counted.order_by([counted.rows.desc(), counted.shape]).limit(SHAPES_MAX)
    return [Shape(**each) for each in engine.fetch_records(frequent)]


def forms(found: Iterable[Shape], column: str) -> tuple[str, ...]:
    """Give the strptime forms of a column's dates, to be tried in this order; none where no shape is known.

    Forms that leave the order of day and month open do not mix with others: whoever wrote both has most likely let a
    spreadsheet read some of the days as months. The rarer kind is left out, so its rows cannot be read.
    """
    found = list(found)
    known = [(shape, written) for shape in found if (written := _forms(shape.shape, FORMS))]
    half = sum(shape.rows for shape in found) / 2
    if sum(shape.rows for shape in found if SERIAL_SHAPE.fullmatch(shape.shape)) > half:
        return (SERIAL,)
    _refuse_counted(found, column, half)
    _refuse_short_years(found, column, half)
    open_, clear = ([each for each in known if (len(each[1]) > 1) == is_open] for is_open in (True, False))
    if sum(shape.rows for shape, _ in clear) >= sum(shape.rows for shape, _ in open_):
        return tuple(dict.fromkeys(written[0] for _, written in clear))
    place = _order([shape for shape, _ in open_], column, open_[0][1])
    return tuple(dict.fromkeys(written[place] for _, written in open_))


def declared(form: str) -> tuple[str, ...]:
    """Check a declared strptime form, so that a slip in it is not taken for a slip in the file."""
    if counted(form):
        return (form,)
    unknown = [mark for mark in re.findall(r"%-?(.?)", form) if mark not in set(DIRECTIVES)]
    if unknown or "%" not in form:
        raise InputError(
            f'ingest.date_format {form!r} is no form of a date: expected e.g. "%d/%m/%Y %H:%M", '
            f"of the marks {' '.join('%' + mark for mark in DIRECTIVES)}"
        )
    return (form.replace(" %z", "").replace("%z", ""),)


class Counting(NamedTuple):
    """What the numbers of a column count: steps of so many seconds from a moment of the shop's own clock on."""

    seconds: float
    zero: datetime


def counted(form: str) -> Counting | None:
    """Read the form of a column of numbers; None: it is one of strptime. Raises InputError on an unknown moment."""
    if not (said := COUNTED.fullmatch(form)):
        return None
    try:
        return Counting(SECONDS[said[1]], datetime.fromisoformat(said[2]))
    except ValueError:
        raise InputError(
            f'ingest.date_format {form!r}: expected the moment that has the number 0, as in "days since 2024-01-01" or '
            '"seconds since 1970-01-01 00:00"'
        ) from None


def _refuse_counted(found: list[Shape], column: str, half: float) -> None:
    for pattern, unit, zero in COUNTED_SHAPES:
        numbers = [shape for shape in found if pattern.fullmatch(shape.shape)]
        if sum(shape.rows for shape in numbers) > half:
            clock = "" if unit == "days" else " where the shop's clock is that of Greenwich, else what it showed then"
            raise InputError(
                f"column {column!r} holds numbers of {unit}, such as {numbers[0].example!r}: say in params.yaml which "
                f'moment has the number 0, ingest.date_format: "{unit} since {zero}"{clock}'
            )


def _refuse_short_years(found: list[Shape], column: str, half: float) -> None:
    short = [(shape, written) for shape in found if (written := _forms(shape.shape, SHORT_FORMS))]
    if sum(shape.rows for shape, _ in short) <= half:
        return
    starts_with_day = any(shape.day_first for shape, _ in short)  # or with the year
    starts_with_month = any(shape.month_first for shape, _ in short)
    shape, written = short[0]
    fitting = written[1:] if starts_with_day else written[:1] if starts_with_month else written[:2]
    choice = " or ".join(f'"{form}"' for form in fitting)
    raise InputError(
        f"column {column!r} holds dates such as {shape.example!r}, whose years have two digits, so that one could be "
        f"a day: declare the form in params.yaml, ingest.date_format: {choice}"
    )


def _forms(shape: str, known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Give the forms that fit a shape, with the time of day that follows the date."""
    for pattern, dates in known.items():
        if day := re.match(pattern, shape, re.IGNORECASE):
            rest = shape[day.end() :]
            time = TIME.fullmatch(rest)
            if time or not rest:
                return tuple(form + (_time(time) if time else "") for form in dates)
    return ()


def _time(match: re.Match[str]) -> str:
    separator, seconds, fraction, half = match.groups()
    clock = ("%I" if half else "%H") + ":%M" + (":%S" if seconds else "") + (".%f" if fraction else "")
    halves = {None: "", 3: " %p", 2: "%p"}[len(half) if half else None]
    return separator + clock + halves


def _order(open_: list[Shape], column: str, written: tuple[str, ...]) -> int:
    day_first, month_first, undecided = (
        next((value for shape in open_ if (value := getattr(shape, name))), None)
        for name in ("day_first", "month_first", "undecided")
    )
    declare = f'declare it in params.yaml, ingest.date_format: "{written[0]}" or "{written[1]}"'
    if day_first and month_first:
        raise InputError(
            f"column {column!r} holds {day_first!r} (only day/month) and {month_first!r} (only month/day): "
            f"expected one order in the whole column; mend the file, or {declare}, and the others are quarantined"
        )
    if undecided and not day_first and not month_first:
        raise InputError(
            f"column {column!r} holds dates such as {undecided!r}, which in every row could be day/month or month/day: "
            f"{declare}"
        )
    return DAY_FIRST if day_first else MONTH_FIRST


class Day(NamedTuple):
    """A day of the delivery and its lines."""

    day: date
    rows: int


def span(days: Sequence[Day], gap_max: int, share_max: float) -> tuple[date, date] | None:
    """Give the first and last day without those far off: a gap of over so many days parts them from nearly all lines.

    A line of the year 2150 would make every customer look lapsed, and one of 1970 every history long.
    """
    ordered = sorted(days)
    if not ordered:
        return None
    rest = share_max * sum(day.rows for day in ordered)
    first = _edge(ordered, gap_max, rest)
    last = _edge(ordered[::-1], gap_max, rest)
    return ordered[first].day, ordered[len(ordered) - 1 - last].day


def _edge(days: Sequence[Day], gap_max: int, rows_max: float) -> int:
    """Count the days before the last wide gap up to which there are few rows."""
    edge, rows = 0, 0
    for place in range(1, len(days)):
        rows += days[place - 1].rows
        if rows > rows_max:
            break
        if abs((days[place].day - days[place - 1].day).days) > gap_max:
            edge = place
    return edge


def refuse_stray(days: Sequence[Day], column: str) -> None:
    """Raise InputError where few lines at either end lie so far off that they would move the first or the last day.

    Half a year without a line would leave every list unjudged; whether it is a slip or a sale, nothing in it tells.
    """
    edges = span(days, GAP_ASKED, FEW_SHARE)
    near = [day for day in days if edges and edges[0] <= day.day <= edges[1]]
    usual = max(_gaps(near), default=1)
    wide = [gap for gap in _gaps(days) if gap > max(GAP_ASKED, usual)]
    if not wide or min(wide) <= GAP_TIMES * usual:
        return
    far = sorted({*days} - {*near})
    raise InputError(
        f"column {column!r}: {min(wide)} days part {sum(day.rows for day in far):,} of the rows "
        f"({', '.join(str(day.day) for day in far)}) from all others: a wrong date, or sales? Say so in params.yaml, "
        f"ingest.gap_days_max: {min(wide) - 1} sets them apart, {max(wide)} keeps them"
    )


def _gaps(days: Sequence[Day]) -> list[int]:
    return [(after.day - before.day).days for before, after in pairwise(sorted(days))]

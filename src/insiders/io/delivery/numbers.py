"""How a file writes numbers: which mark stands before the decimals, told from all its numbers together."""

from typing import Any

from insiders.errors import InputError
from insiders.io import engine

Values = Any  # an Ibis table `value, rows`: each distinct text, and how often it stands there
Text = Any  # an Ibis expression

POINT, COMMA = ".", ","
# Groups of three digits may be set off by the other mark, a space or an apostrophe.
PATTERNS = {
    POINT: r"[+-]?((\d+|[1-9]\d{0,2}([,' \x{a0}\x{202f}]\d{3})+)(\.\d*)?|\.\d+)([eE][+-]?\d+)?",
    COMMA: r"[+-]?((\d+|[1-9]\d{0,2}([.' \x{a0}\x{202f}]\d{3})+)(,\d*)?|,\d+)",
}
SEPARATORS = "[,.' \\x{a0}\\x{202f}]"
FINER = r"\.\d{4}\d*[1-9]"
NOISE = r"\.\d{4}(0000|9999)\d+$"  # what floating point leaves behind the decimals


def decimal_mark(values: Values, columns: str) -> str:
    """Tell the mark from the numbers that can be read in one way only.

    Raises InputError where some can be read in two ways ("1,234") and the others don't settle how. Where most are
    written with one mark, the others are not numbers.
    """
    fits = {mark: values.value.re_search(f"^{pattern}$") for mark, pattern in PATTERNS.items()}
    point, comma = fits[POINT] & ~fits[COMMA], fits[COMMA] & ~fits[POINT]
    either = fits[POINT] & fits[COMMA] & values.value.re_search("[.,]")
    found = values.aggregate(
        points=values.rows.sum(where=point).fill_null(0),
        commas=values.rows.sum(where=comma).fill_null(0),
        point=values.value.min(where=point),
        comma=values.value.min(where=comma),
        either=values.value.min(where=either),
    )
    (seen,) = engine.fetch_records(found)
    disputed = bool(seen["points"]) == bool(seen["commas"])
    if (disputed and seen["either"]) or (seen["points"] == seen["commas"] != 0):
        examples = [seen[name] for name in ("point", "comma", "either") if seen[name]]
        raise InputError(
            f"{columns}: numbers such as {', '.join(map(repr, examples))} do not tell whether the decimals follow a "
            'point or a comma: declare it in params.yaml, ingest.decimal: "." or ","'
        )
    return COMMA if seen["commas"] > seen["points"] else POINT


def plain(text: Text, mark: str) -> Text:
    """Write numbers as the engine reads them: a decimal point, no groups; null where one is not a number."""
    groups = SEPARATORS.replace(mark, "")
    return text.re_search(f"^{PATTERNS[mark]}$").ifelse(text.re_replace(groups, "").replace(mark, POINT), None)


def has_over_four_decimals(plain: Text) -> Text:
    """Tell whether rounding to four decimals would change a number by more than floating point does to it."""
    return plain.re_search(r"[eE]-") | (plain.re_search(FINER) & ~plain.re_search(NOISE))

"""How a language says things: its texts (gettext), and how it writes numbers, money, shares and dates (by Babel)."""

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from io import BytesIO
from pkgutil import get_data
from typing import Any

from babel import Locale
from babel.dates import format_date, format_skeleton, get_day_names
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import (
    format_compact_currency,
    format_compact_decimal,
    format_currency,
    format_decimal,
    format_percent,
)
from babel.support import NullTranslations, Translations

LOCALES = {"en": "en_001", "pt-BR": "pt_BR"}  # 001: English of the world, where no date is read month first
TEXTS_ARE_IN = "en"  # templates and code; of every other language there is a catalogue
SMALL = 100  # amounts below this are written with cents
NONE = "\N{EN DASH}"
LETTERS = 2  # of a country's code; regions have numbers


def named(_context: str, text: str) -> str:
    """Mark a text for extraction that is translated where it is shown, by its context and itself."""
    return text


# What names of segments are made of (segments.py); their translations are adjectives of "customers".
SEGMENT_WORDS = (
    named("segment", "Insiders"),
    named("segment", "Others"),
    named("segment", "Unclustered"),
    named("segment", "Lapsed"),
    named("segment", "lapsed"),
    named("segment", "New"),
    named("segment", "new"),
    named("segment", "One-time"),
    named("segment", "one-time"),
    named("segment", "Fading"),
    named("segment", "fading"),
    named("segment", "Frequent"),
    named("segment", "frequent"),
    named("segment", "Regular"),
    named("segment", "regular"),
    named("segment", "Occasional"),
    named("segment", "occasional"),
    named("segment", "small orders"),
    named("segment", "large orders"),
    named("segment", "few orders"),
    named("segment", "many orders"),
    named("segment", "recently active"),
    named("segment", "longer away"),
    named("segment", "narrow range"),
    named("segment", "wide range"),
    named("segment", "newer"),
    named("segment", "long-standing"),
)


@dataclass(frozen=True)
class Language:
    """A language of LOCALES, and the currency (ISO 4217) of the shop's amounts."""

    name: str
    currency: str

    @property
    def locale(self) -> Locale:
        return _locale(self.name)

    @property
    def decimal(self) -> str:
        """What parts a number from its decimals."""
        return str(self.locale.number_symbols["latn"]["decimal"])

    @property
    def translations(self) -> NullTranslations:
        return catalogue(self.name)

    def say(self, text: str) -> str:
        """The text in this language; `say` marks it for extraction, so it is called with literals."""
        return self.translations.gettext(text)

    def segment(self, name: str) -> str:
        """A segment's name: each of its words (see SEGMENT_WORDS); what is none of them, as a number, stays."""
        return "".join(str(self.translations.pgettext("segment", part)) for part in re.split("(: |, )", name))

    def count(self, value: float) -> str:
        return format_decimal(value, "#,##0", self.locale)

    def amount(self, value: float) -> str:
        """Money where the currency stands elsewhere, as in a column's head."""
        return format_decimal(value, "#,##0.00" if _has_cents(value) else "#,##0", self.locale)

    def money(self, value: float) -> str:
        if _has_cents(value):
            return format_currency(value, self.currency, locale=self.locale)
        whole = self.locale.currency_formats["standard"].pattern.replace("0.00", "0")
        return format_currency(value, self.currency, whole, self.locale, currency_digits=False)

    def rounded(self, value: float) -> str:
        """Money in two figures, as one says it: 1,145,000 as £1.1M, 912 as £910."""
        return format_compact_currency(float(f"{value:.2g}"), self.currency, locale=self.locale, fraction_digits=1)

    def beyond(self, ratio: float, digits: int = 0) -> str:
        """How far a ratio lies from 1, as a share: 1.072 as 7%."""
        return self.share(abs(ratio - 1), digits)

    def share(self, value: float, digits: int = 1) -> str:
        """0.125 as 12.5%."""
        pattern = self.locale.percent_formats[None].pattern
        return format_percent(value, pattern.replace("0", _decimals("0", digits)), self.locale)

    def ratio(self, value: float, digits: int = 3) -> str:
        """With so many decimals, no fewer; what rounds to 0 has no sign."""
        return format_decimal(value if round(value, digits) else 0, _decimals("#,##0", digits), self.locale)

    def number(self, value: float, digits: int = 1) -> str:
        """With up to so many decimals, without trailing zeros."""
        return format_decimal(value, _decimals("#,##0", digits, "#"), self.locale)

    def plain(self, value: float, digits: int = 0) -> str:
        """A number in its separators, hundreds of thousands of times a second: Babel writes tens of thousands."""
        return f"{value:,.{digits}f}".translate(_separators(self.name))

    def compact(self, value: float, _position: int | None = None) -> str:
        """12,000,000 as 12M, 250,000 as 250K: short enough for an axis, whose formatter adds the position."""
        return format_compact_decimal(value, locale=self.locale, fraction_digits=1 if abs(value) >= 1 else 6)

    def day(self, value: date | str) -> str:
        """A day, also as ISO text."""
        day = date.fromisoformat(value[:10]) if isinstance(value, str) else value
        return format_date(day, "long", self.locale)

    def month(self, value: date | str) -> str:
        """A month by any of its days, or as 2011-12."""
        day = date.fromisoformat(f"{value[:7]}-01") if isinstance(value, str) else value
        return format_skeleton("yMMM", day, locale=self.locale)

    def month_letters(self, value: date) -> str:
        """Dec: for the axis of a picture, where the year stands elsewhere."""
        return format_date(value, "LLL", self.locale).rstrip(".")

    def country(self, name: str) -> str:
        """A country's name in this language where the shop writes it as English does; else as it stands."""
        code = _territories().get(name.casefold())
        return name if code is None else str(self.locale.territories[code])

    def weekday(self, number: int) -> str:
        """0 is Monday, as pandas and the standard library count."""
        return str(get_day_names("abbreviated", "stand-alone", self.locale)[number]).rstrip(".")


@cache
def _locale(name: str) -> Locale:
    return Locale.parse(LOCALES[name])


@cache
def _separators(name: str) -> dict[int, str]:
    """The signs of Python's numbers -> those of the language."""
    signs = _locale(name).number_symbols["latn"]
    return str.maketrans({",": signs["group"], ".": signs["decimal"]})


@cache
def _territories() -> dict[str, str]:
    """English name of a country -> its code."""
    return {name.casefold(): code for code, name in Locale.parse("en").territories.items() if len(code) == LETTERS}


@cache
def catalogue(name: str) -> NullTranslations:
    """The texts of a language; of the one in which they are written, the texts as they are."""
    if name == TEXTS_ARE_IN:
        return NullTranslations()
    compiled: Any = BytesIO()
    write_mo(compiled, read_po(BytesIO(source(name))))
    compiled.seek(0)
    return Translations(compiled)


def source(name: str) -> bytes:
    """The language's .po, as translators know it."""
    found = get_data("insiders.report", f"locale/{LOCALES[name]}/LC_MESSAGES/insiders.po")
    assert found is not None, name
    return found


def _has_cents(value: float) -> bool:
    return abs(value) < SMALL and value % 1 != 0


def _decimals(pattern: str, digits: int, digit: str = "0") -> str:
    return f"{pattern}.{digit * digits}" if digits else pattern

"""Why a customer is in the programme or out of it, in the words of a language."""

import pandas as pd

from insiders.language import Language
from insiders.programme import members
from insiders.programme.decisions import DecisionTerms

OUTSIDE = "outside"  # of whoever was never a member


def texts(customers: pd.DataFrame, table: pd.DataFrame, terms: DecisionTerms, language: Language) -> "pd.Series[str]":
    """One text per customer, in their order; `table` is schemas.MEMBERS."""
    columns = ["customer_id", "order_count", "net_revenue", "recency_days"]
    rows = customers[columns].merge(table[["customer_id", "reason", "place", "until"]], on="customer_id", how="left")
    facts = language.say("{orders} orders, net revenue {revenue}, days since the last order: {days}")
    why = wording(terms, language)
    plain = language.plain
    found = [
        f"{facts.format(orders=plain(orders), revenue=plain(revenue, 2), days=plain(days))}: "
        f"{why[reason].format(place=place, until=until)}"
        for orders, revenue, days, reason, place, until in zip(
            *(rows[name] for name in columns[1:]),
            rows["reason"].fillna(OUTSIDE),
            _places(rows["place"], language),
            _days(rows["until"], language),
            strict=True,
        )
    ]
    return pd.Series(found, index=customers.index, dtype="str")


def wording(terms: DecisionTerms, language: Language) -> dict[str, str]:
    """Reason (members.REASONS, OUTSIDE) -> its text, in which `place` and `until` are to be filled in."""
    say, size = language.say, language.plain(terms["size"])
    border = language.plain(terms["border"])
    words = {
        members.BY_HAND: say("put in by hand"),
        members.KEPT_OUT_BY_HAND: say("left on {until}: taken out by hand"),
        members.OBJECTED: say("left on {until}: objected to the programme"),
        members.UNKNOWN: say("left on {until}: no longer among the customers"),
        **(_by_rule(language) if terms["rule"] else _by_score(language)),
    }
    if not terms["size"]:
        words[OUTSIDE] = say("no list of Insiders can be defended at present")
    return {key: text.replace("{size}", size).replace("{border}", border) for key, text in words.items()}


def _by_score(language: Language) -> dict[str, str]:
    say = language.say
    return {
        members.BY_RANK: say("place {place} by score; the programme has {size} places"),
        members.BY_BAND: say("place {place} by score; a member keeps their place up to {border}"),
        members.BY_ORDER: say("place {place} by score, but ordered since the last check: who buys does not drop out"),
        members.BY_GRACE: say("place {place} by score, beyond {border}: leaves on {until} unless they come back"),
        members.FELL: say("left on {until}: place {place} by score, beyond {border}"),
        members.NO_PLACE: say("left on {until}: place {place} by score, and the programme has {size} places"),
        OUTSIDE: say("not among the {size} customers with the highest score"),
    }


def _by_rule(language: Language) -> dict[str, str]:
    say = language.say
    out = say("left on {until}: missed the conditions to stay")
    return {
        members.BY_RANK: say("meets the conditions to enter"),
        members.BY_BAND: say("a member, and meets the conditions to stay"),
        members.BY_GRACE: say("misses the conditions to stay: leaves on {until} unless they come back"),
        **dict.fromkeys((members.BY_ORDER, members.FELL, members.NO_PLACE), out),
        OUTSIDE: say("does not meet the conditions to enter"),
    }


def _places(places: "pd.Series[float]", language: Language) -> list[str]:
    return ["" if pd.isna(place) else language.plain(place) for place in places]


def _days(days: "pd.Series[pd.Timestamp]", language: Language) -> list[str]:
    written = {day: "" if pd.isna(day) else language.day(day.date()) for day in days.unique()}
    return [written[day] for day in days]

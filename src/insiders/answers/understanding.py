"""What was understood of a delivery, on one screen: columns, forms, rules, and what stands out."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from insiders.tables.lines import Share
from insiders.tables.profile import Profile
from insiders.tables.rules import Policy, Settings, unknown_words

WORDS_SHOWN = 5
DATABASE = "database"  # kind of a delivery, as io.delivery.sources names it, which preprocess does without
# A sign in front of prices -> the currency, where it is that of one country or union.
CURRENCIES = {"R$": "BRL", "€": "EUR", "£": "GBP", "US$": "USD", "C$": "CAD", "A$": "AUD", "₹": "INR", "zł": "PLN"}


class Section(NamedTuple):
    """A heading and its lines."""

    title: str
    lines: tuple[str, ...]

    def as_markdown(self) -> str:
        """Write it as a list under its heading."""
        return f"## {self.title}\n\n" + "\n".join(f"- {line}" for line in self.lines)


class Proposal(NamedTuple):
    """A setting of params.yaml that the delivery suggests."""

    section: str
    name: str
    value: str


class Understanding(NamedTuple):
    """What a reader should look at before the list is made."""

    sections: tuple[Section, ...]
    proposals: tuple[Proposal, ...]

    def as_markdown(self) -> str:
        """Write it as reports/intake.md holds it."""
        parts = [section.as_markdown() for section in self.sections if section.lines]
        return "# What was understood\n\n" + "\n\n".join(parts) + "\n"


def describe(
    record: Mapping[str, Any],
    profile: Profile,
    policy: Policy,
    shares: Iterable[Share],
    settings: Settings,
    currency: str,
) -> Understanding:
    """Put together what ingest recorded (data/source.json), what the rows hold, and what each rule takes of them."""
    proposals = tuple(_proposals(record, currency))
    sections = (
        Section("Read", tuple(_read(record))),
        Section("Not read", tuple(_not_read(record))),
        Section("Forms", tuple(_forms(record, currency))),
        Section("Rules", tuple(_rules(shares, profile))),
        Section("Customers, dates and words that stand out", tuple(_outstanding(record, profile, policy, settings))),
        Section("Proposed settings", tuple(f"{each.section}.{each.name}: {each.value}" for each in proposals)),
    )
    return Understanding(sections, proposals)


def _read(record: Mapping[str, Any]) -> Iterable[str]:
    yield f"{record['rows']:,} of {record['rows_read']:,} rows of {record['source']}"
    if record["preset"]:
        yield f"recognised as the export {record['preset']}"
    yield from (f"{ours} is {theirs!r}" for ours, theirs in record["columns"].items() if theirs)
    yield from (f"{ours} could also be {', '.join(map(repr, names[1:]))}" for ours, names in record["several"].items())
    for ours in ("tax", "shipping"):
        if name := record["columns"].get(ours):
            part = (
                "may be part of the amounts" if record["money"]["column"] == "amount" else "is no part of the amounts"
            )
            yield f"{name!r} {part}"
    if not record["columns"]["quantity"]:
        yield "no quantity: every row counts as one piece"
    if not (record["columns"]["product_code"] or record["columns"]["description"]):
        yield "no product: what needs products (recommendations, typical products) can say nothing"


def _not_read(record: Mapping[str, Any]) -> Iterable[str]:
    for each in record["not_read"]:
        words = ", ".join(repr(text[:30]) for text in each["common"][:WORDS_SHOWN])
        yield f"{each['column']!r}: {each['texts']:,} different texts, most often {words}"


def _forms(record: Mapping[str, Any], currency: str) -> Iterable[str]:
    yield f"dates as {', '.join(record['date_format'])}, from {record['first_day']} to {record['last_day']}"
    if record["offsets"]:
        yield f"clocks as the shop's own; their offsets {', '.join(record['offsets'])} are left out"
    if record["dates_filled"]:
        yield "rows without a date take that of their order"
    yield f"decimals after {record['decimal']!r}"
    money = record["money"]
    part = "the price of one piece" if money["is_unit"] else "the amount of the whole line"
    yield f"{record['columns'][money['column']]!r} is {part}, in {currency}; discount: {money['discount']}"
    yield f"total {record['total']}, of which {record['amounts_above_price']} are discounts (below 0) and rounding"


def _rules(shares: Iterable[Share], profile: Profile) -> Iterable[str]:
    for each in shares:
        rows = each.rows / profile.rows if profile.rows else 0.0
        paid = float(each.paid / profile.paid) if profile.paid else 0.0
        yield f"{each.rule}: {each.rows:,} rows ({rows:.1%}), {paid:.1%} of what known customers paid"


def _outstanding(record: Mapping[str, Any], profile: Profile, policy: Policy, settings: Settings) -> Iterable[str]:
    yield from (f"set apart: {rows:,} x {reason}" for reason, rows in record["reasons"].items())
    if profile.gaps:
        yield f"{profile.gaps:,} orders name customer, country or state on some lines only: the others are filled"
    yield from (f"id {name!r} is nobody in particular, and counts as missing" for name in policy.missing_ids)
    most = max(profile.holders, default=None, key=lambda each: (each.orders, each.customer_id))
    if most:
        yield f"most orders: customer {most.customer_id!r}, {most.orders:,} of {profile.orders:,}"
    if settings.cancellation_prefix and policy.cancellation_prefix is None and profile.credit_notes.rows:
        yield f"invoices that begin with {settings.cancellation_prefix!r} are orders: their lines are positive"
    if policy.total_codes:
        yield f"rows that sum up their invoice: {', '.join(policy.total_codes)}"
    for kind in ("void", "refund", "service"):
        if words := getattr(policy, f"{kind}_words"):
            yield f"rows said to be {kind}: {', '.join(map(repr, words))}"
    for each in unknown_words([*profile.statuses, *profile.types], settings):
        told = f"{each.word!r} in {each.rows:,} rows is not known, and counts as a sale"
        yield f"{told}: preprocess.words can say otherwise"


def _proposals(record: Mapping[str, Any], currency: str) -> Iterable[Proposal]:
    if record["kind"] != DATABASE:  # whose user and password the record leaves out
        yield Proposal("ingest", "source", record["source"])
    told = record["currencies"] or [CURRENCIES[sign] for sign in record["currency_signs"] if sign in CURRENCIES]
    if len(told) == 1 and told[0] != currency:
        yield Proposal("preprocess", "currency", told[0])

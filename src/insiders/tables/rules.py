"""Which rules of cleaning apply to a delivery: those that its data bear out, by the settings.

Where the data neither bear a rule out nor speak against it, nothing is guessed: `decide` raises InputError with the
question and the setting of params.yaml that answers it.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from insiders.errors import InputError
from insiders.schemas import vocabulary
from insiders.schemas.vocabulary import Meaning
from insiders.tables.profile import Code, Holder, Profile, Word

# A positive line on a credit note is a slip where few are; where all are, the shop writes money back without a sign.
SLIP_SHARE_MAX = 0.05
# Of positive lines on credit notes, the share that equals an earlier sale: as many make them money back, as few orders.
REPEATED_SHARE_MIN, REPEATED_SHARE_MAX = 0.8, 0.3
REPEATED_LINES_MIN, NOTES_SHARE_MAX = 5, 0.2  # of a word: fewer may happen, and more are no credit notes
BACK_SHARE_MIN = 0.9  # of the lines of a word such as "refunded" are negative: they are the refunds, and the sales stay
BUSY_TIMES = 5  # the orders of a busy customer that nobody has alone
PLACES_MAX = 5  # countries of one customer


class Settings(NamedTuple):
    """The section `preprocess` of params.yaml, which says what each means."""

    cancellation_prefix: str | None
    positive_credit_notes: Literal["remove", "money_back"] | None
    service_codes: Sequence[str]
    credit_codes: Sequence[str]
    rule_share_max: float
    duplicates: Literal["remove", "keep"] | None
    duplicate_share_max: float
    ids: Mapping[str, Literal["missing", "customer"]]
    customer_share_max: float
    words: Mapping[str, Meaning]


class Policy(NamedTuple):
    """What is done with this delivery, in the words of its own data."""

    cancellation_prefix: str | None = None
    positive_credit_notes: bool = False  # they are money back
    service_codes: Sequence[str] = ()
    credit_codes: Sequence[str] = ()
    total_codes: Sequence[str] = ()
    missing_ids: Sequence[str] = ()
    void_words: Sequence[str] = ()
    refund_words: Sequence[str] = ()
    service_words: Sequence[str] = ()
    keeps_duplicates: bool = False
    fills_gaps: bool = False


def decide(profile: Profile, settings: Settings) -> Policy:
    """Choose the rules. Raises InputError where something is open that changes who is in the list."""
    services, credits_ = (_borne_out(profile, settings, codes) for codes in ("service_codes", "credit_codes"))
    prefix, are_money_back = _credit_notes(profile, settings)
    states = [*profile.statuses, *profile.types]
    _refuse_bare_answers(states, settings)
    _refuse_half_known(states, profile, settings)
    _refuse_mostly_back(profile)
    return Policy(
        cancellation_prefix=prefix,
        positive_credit_notes=are_money_back,
        service_codes=services,
        credit_codes=credits_,
        total_codes=profile.total_codes,
        missing_ids=_missing_ids(profile, settings),
        void_words=_meaning(states, settings, "void"),
        refund_words=_meaning(states, settings, "refund"),
        service_words=_meaning(states, settings, "service"),
        keeps_duplicates=_keeps_duplicates(profile, settings),
        fills_gaps=profile.gaps > 0,
    )


def _borne_out(profile: Profile, settings: Settings, kind: Literal["service_codes", "credit_codes"]) -> tuple[str, ...]:
    """Keep the codes whose text speaks of a service; without any text, those that take little."""
    patterns: Sequence[str] = getattr(settings, kind)
    listed = [code for code in profile.codes if _is_listed(code.code, patterns)]
    silent = [code for code in listed if not code.text]
    _require_small(profile, settings, kind, silent)
    clear = [code for code in listed if vocabulary.looks_like_service(code.text)]
    named = [code for code in profile.codes if kind == "service_codes" and vocabulary.is_service_name(code.text)]
    return tuple(sorted({code.code for code in (*silent, *clear, *named)}))


def _is_listed(code: str, patterns: Sequence[str]) -> bool:
    return any(code.startswith(each[:-1]) if each.endswith("*") else code == each for each in patterns)


def _require_small(profile: Profile, settings: Settings, kind: str, codes: Sequence[Code]) -> None:
    paid = sum(code.paid for code in codes)
    share = float(paid / profile.paid) if profile.paid else 0.0
    if share > settings.rule_share_max:
        names = ", ".join(repr(code.code) for code in codes)
        raise InputError(
            f"the product codes {names} hold {share:.1%} of what known customers paid, and no description says whether "
            f"they are products or services such as postage: delete those that are products from preprocess.{kind} in "
            f"params.yaml, or raise preprocess.rule_share_max ({settings.rule_share_max}) where they are services"
        )


def _credit_notes(profile: Profile, settings: Settings) -> tuple[str | None, bool]:
    """Tell whether invoices with the prefix are credit notes, and whether their positive lines are money back."""
    notes, prefix, answer = profile.credit_notes, settings.cancellation_prefix, settings.positive_credit_notes
    if prefix and not answer:
        _refuse_repeating(profile)
    if not notes.positive or answer:
        return prefix, answer == "money_back"
    if notes.positive <= SLIP_SHARE_MAX * notes.rows:
        return prefix, False
    repeated = notes.repeated / notes.positive
    if repeated >= REPEATED_SHARE_MIN and 2 * notes.rows < profile.rows:
        return prefix, True
    if notes.positive == notes.rows and (repeated <= REPEATED_SHARE_MAX or 2 * notes.rows >= profile.rows):
        return None, False
    raise InputError(
        f"invoices that begin with {prefix!r} have {notes.rows:,} lines, of which {notes.positive:,} are positive: are "
        "they orders, credit notes whose amounts bear no sign, or credit notes with slips? Say so in params.yaml: "
        "preprocess.cancellation_prefix: null (orders), preprocess.positive_credit_notes: money_back, or remove (slips)"
    )


def _refuse_repeating(profile: Profile) -> None:
    for start, rows, repeated in profile.repeating:
        if repeated >= REPEATED_SHARE_MIN * rows:
            raise InputError(
                f"invoices that begin with {start!r} have {rows:,} lines, of which {repeated:,} equal an earlier sale "
                "to the same customer: are they credit notes whose amounts bear no sign, or orders? Say so in "
                "params.yaml: "
                f'preprocess.cancellation_prefix: "{start}" and preprocess.positive_credit_notes: money_back, or '
                "preprocess.cancellation_prefix: null (orders)"
            )


def _missing_ids(profile: Profile, settings: Settings) -> tuple[str, ...]:
    """List the ids that stand for nobody in particular."""
    said = {name for name, sense in settings.ids.items() if sense == "missing"}
    common = {each.customer_id for each in profile.placeholders if _is_nobody(each, profile)}
    missing = (said | common) - {name for name, sense in settings.ids.items() if sense == "customer"}
    for holder in profile.holders:
        if holder.customer_id not in missing | set(settings.ids):
            _require_person(holder, profile, settings)
    return tuple(sorted(missing))


def _is_nobody(holder: Holder, profile: Profile) -> bool:
    """Count "0" as an id where ids are numbered from 0 on, and nines, if it has no more orders than others."""
    is_first, is_last = holder.customer_id == "0" and profile.numbered_from_zero, {*holder.customer_id} == {"9"}
    return not ((is_first or is_last) and holder.orders <= BUSY_TIMES * profile.busy_orders)


def _require_person(holder: Holder, profile: Profile, settings: Settings) -> None:
    many = holder.orders > settings.customer_share_max * profile.orders
    if not (many and holder.orders > BUSY_TIMES * profile.busy_orders) and holder.places <= PLACES_MAX:
        return
    raise InputError(
        f"customer {holder.customer_id!r} has {holder.orders:,} of {profile.orders:,} orders, from {holder.places} "
        f"countries; a busy customer here has {profile.busy_orders:.0f}: is this one customer, or whoever gave no id? "
        f'Say so in params.yaml, preprocess.ids: {{"{holder.customer_id}": missing}} or {{"{holder.customer_id}": '
        "customer}"
    )


def _keeps_duplicates(profile: Profile, settings: Settings) -> bool:
    share = profile.repeats / profile.rows if profile.rows else 0.0
    if settings.duplicates is None and share > settings.duplicate_share_max:
        raise InputError(
            f"{profile.repeats:,} of {profile.rows:,} rows ({share:.1%}) are duplicates: they agree with another row "
            "in every column. Are they one row per piece sold, or rows delivered twice? Say so in params.yaml, "
            "preprocess.duplicates: keep (sales) or remove (delivered twice); up to "
            f"preprocess.duplicate_share_max ({settings.duplicate_share_max}) they are removed"
        )
    return settings.duplicates == "keep"


def _meaning(words: Sequence[Word], settings: Settings, sense: Meaning) -> tuple[str, ...]:
    return tuple(sorted({each.word for each in words if _sense(each, settings) == sense}))


def _sense(word: Word, settings: Settings) -> Meaning | None:
    """What a word says, as the user has it, or else as is common and its lines allow."""
    sense = vocabulary.meaning(word.word, dict(settings.words))
    is_said = vocabulary.key(word.word) in map(vocabulary.key, settings.words)
    is_back = not is_said and sense == "void" and word.negative >= BACK_SHARE_MIN * word.rows
    return "refund" if is_back else sense


def _repeats(repeated: int, rows: int, whole: int) -> bool:
    """Whether lines that are few beside the whole are, nearly all of them, equal to earlier ones."""
    return repeated >= max(REPEATED_LINES_MIN, REPEATED_SHARE_MIN * rows) and rows <= NOTES_SHARE_MAX * whole


def _refuse_half_known(words: Sequence[Word], profile: Profile, settings: Settings) -> None:
    """Raise InputError where a word is unknown, and part of it or its lines speak of no sale."""
    for each in unknown_words(words, settings):
        if clear := vocabulary.words(each.word) & (vocabulary.CLEAR_VOID | vocabulary.CLEAR_REFUND):
            sense = "void" if clear & vocabulary.CLEAR_VOID else "refund"
            doubt = f"has {each.rows:,} lines"
        elif _repeats(each.repeated, each.rows, profile.rows):
            sense = "refund"
            doubt = (
                f"has {each.rows:,} lines, of which {each.repeated:,} follow a sale of the same to the same customer"
            )
        else:
            continue
        raise InputError(
            f"in a column of states or types {each.word!r} {doubt}: are they sales? Say so in params.yaml, "
            f'preprocess.words: {{"{each.word}": {sense}}} or {{"{each.word}": sale}}'
        )


def _refuse_mostly_back(profile: Profile) -> None:
    """Raise InputError where stock is counted, not sales: what leaves it is negative."""
    if 2 * profile.negative > profile.rows:
        raise InputError(
            f"{profile.negative:,} of {profile.rows:,} lines are negative, so that more came back than was sold: are "
            "these movements of a stock? Deliver sales as positive quantities, and what came back as negative ones"
        )


def _refuse_bare_answers(words: Sequence[Word], settings: Settings) -> None:
    """Raise InputError where states are a yes or a no, or sides of an account, and nobody has said what they mean."""
    answers = {vocabulary.key(word) for word in settings.words}
    said = {vocabulary.key(each.word): each.word for each in words}
    sides = said if {*said} in vocabulary.SIDES else ()
    bare = [said[word] for word in said if word in vocabulary.YES | vocabulary.NO or word in sides]
    if bare and not answers & {vocabulary.key(word) for word in bare}:
        sense = "refund" if sides else "void"
        examples = " or ".join(f'{{"{word}": {sense}}}' for word in sorted(bare)[:2])
        raise InputError(
            f"a column of states or types holds {', '.join(map(repr, sorted(bare)))}: which of them are no sales? Say "
            f"so in params.yaml, preprocess.words: {examples}"
        )


def unknown_words(words: Sequence[Word], settings: Settings) -> tuple[Word, ...]:
    """List the states and types of which nothing is known: their lines count as sales."""
    answers = dict(settings.words)
    return tuple(each for each in words if vocabulary.meaning(each.word, answers) is None)

"""What a delivery holds and what its cleaning makes of it: the rules that the data bear out, and the judged lines."""

from typing import TYPE_CHECKING, Any, NamedTuple

from insiders.io import engine
from insiders.io.params import Preprocess
from insiders.schemas import vocabulary
from insiders.tables import lines, profile, rules

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

Table = Any  # Ibis has no types that mypy could follow


class Cleaning(NamedTuple):
    """Every delivered row with the rule that it falls to, and why the rules are these."""

    judged: Table
    profile: profile.Profile
    policy: rules.Policy


def clean(con: "Backend", transactions: Table, settings: Preprocess) -> Cleaning:
    """Judge the rows of a delivery. Raises InputError where a question is open that changes who is in the list."""
    chosen = rules.Settings(**settings.model_dump(exclude={"currency"}))
    rows = engine.materialize(con, profile.distinct(transactions))
    codes = [*chosen.service_codes, *chosen.credit_codes]
    measured = profile.measure(rows, chosen.cancellation_prefix, codes, engine.fetch_records, vocabulary.is_placeholder)
    policy = rules.decide(measured, chosen)
    return Cleaning(engine.materialize(con, lines.judge(rows, policy)), measured, policy)

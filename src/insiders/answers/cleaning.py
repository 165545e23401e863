"""What cleaning makes of a delivery: the rules that the data bear out, and the judged lines."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from insiders.answers import understanding
from insiders.io import engine
from insiders.io.params import Preprocess
from insiders.schemas import vocabulary
from insiders.tables import lines, profile, rules

Table = Any  # Ibis has no types that mypy could follow


class Cleaning(NamedTuple):
    """Every delivered row with the rule that it falls to, and why the rules are these."""

    judged: Table
    groups: Table  # of it, as lines.groups gives them
    profile: profile.Profile
    policy: rules.Policy
    settings: rules.Settings
    currency: str

    def materialized(self, con: engine.Backend) -> "Cleaning":
        """Sum up the groups now and for all, for who asks for them more than once."""
        return self._replace(groups=engine.materialize(con, self.groups))

    def understood(self, record: Mapping[str, Any]) -> understanding.Understanding:
        """Say what was understood; `record` is what ingest wrote into data/source.json."""
        shares = [lines.Share(**each) for each in engine.fetch_records(lines.shares(self.groups))]
        return understanding.describe(record, self.profile, self.policy, shares, self.settings, self.currency)


def clean(con: engine.Backend, transactions: Table, settings: Preprocess) -> Cleaning:
    """Judge the rows of a delivery. Raises InputError where a question is open that changes who is in the list."""
    chosen = rules.Settings(**settings.model_dump(exclude={"currency"}))
    digests = engine.materialize(con, profile.shared(transactions))
    rows = engine.materialize(con, profile.distinct(transactions, digests))
    people, invoices = (engine.materialize(con, by(rows)) for by in (profile.people, profile.invoices))
    grouped, codes = profile.Grouped(rows, people, invoices), [*chosen.service_codes, *chosen.credit_codes]
    measured = profile.measure(
        grouped, chosen.cancellation_prefix, codes, engine.fetch_records, vocabulary.is_placeholder
    )
    policy = rules.decide(measured, chosen)
    judged = lines.judge(rows, policy)
    return Cleaning(judged, lines.groups(judged), measured, policy, chosen, settings.currency)

"""Before a model is used: the delivery, and what the model makes of it, against what it was trained on.

What a version was trained on is its profile, which lies beside its model in the registry. A fault stops whoever would
use the model, unless a person accepted it for this delivery, with a reason; that is kept in data/programme/.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from insiders import schemas
from insiders.errors import InputError
from insiders.evidence import drift
from insiders.evidence.drift import profile, served
from insiders.evidence.drift.history import HistoryLimits
from insiders.evidence.drift.months import MonthLimits
from insiders.evidence.drift.profile import Bucket, Delivery, Fault, Trained, Window
from insiders.evidence.drift.served import ServedLimits
from insiders.io import engine, ledger, paths, tables
from insiders.io.params import SAMPLE, Params
from insiders.io.tracking import registry
from insiders.tables import traffic

if TYPE_CHECKING:
    from ibis.expr.types import Table

Record = Mapping[str, Any]  # data/source.json
DELIVERY_TAG = "insiders.delivery"  # the digest of the lines that a version was registered with


class Shop(NamedTuple):
    """A delivery: its lines, what ingest wrote of it, and the currency of its amounts."""

    transactions: "Table"
    record: Record
    currency: str


def read_shop(settings: Params) -> Shop:
    transactions = engine.scan(engine.connect(), paths.TRANSACTIONS)
    return Shop(transactions, tables.read_json(paths.SOURCE), settings.preprocess.currency)


def trained_on(known: Delivery, customers: pd.DataFrame, features: Collection[str], clusters: pd.Series) -> str:
    """The profile of a model as JSON: of the delivery, of the customers' features and of their clusters."""
    trained = Trained(known, served.highest(customers, features), served.shares(clusters))
    return tables.as_json(profile.as_record(trained)) + "\n"


def delivery(shop: Shop, as_of: date) -> Delivery:
    """What is known of a delivery to whoever trains on it as of a day."""
    windows, _ = _measured(shop, traffic.past(_first_day(shop), as_of), [])
    return _delivery(shop, windows, as_of, until=as_of)


def delivery_limits(settings: Params) -> list[Any]:
    """The HistoryLimits and the MonthLimits of the settings."""
    return _limits(settings, HistoryLimits, MonthLimits)


def faults(trained: Delivery, shop: Shop, as_of: date, limits: Sequence[Any]) -> list[Fault]:
    """What is wrong with a delivery as of a day, by the one that a model was trained on."""
    spans = [traffic.Span(date.fromisoformat(each.start), date.fromisoformat(each.end)) for each in trained.windows]
    windows, since = _measured(shop, spans, traffic.since(trained.as_of, as_of))
    now = _delivery(shop, windows, as_of, until=trained.as_of)
    return drift.of_delivery(trained, now, since, *limits)


def _limits(settings: Params, *kinds: Any) -> list[Any]:
    """The settings that each kind of limits names."""
    values = settings.drift.model_dump()
    return [kind(**{name: values[name] for name in kind._fields}) for kind in kinds]


def _first_day(shop: Shop) -> date:
    rows = shop.transactions
    first: date = engine.fetch_row(rows.get_backend(), rows.aggregate(first=rows.invoiced_at.min().date()))[0]
    return first


def _measured(shop: Shop, past: list[traffic.Span], since: list[traffic.Span]) -> tuple[list[Window], list[Window]]:
    spans = [*past, *since]
    if not spans:
        return [], []
    rows = engine.materialize(shop.transactions.get_backend(), traffic.placed(shop.transactions, spans))
    windows = [Window(**each) for each in traffic.measure(rows, spans, engine.fetch_records)]
    return windows[: len(past)], windows[len(past) :]


def _delivery(shop: Shop, windows: list[Window], as_of: date, until: date) -> Delivery:
    """A delivery as of a day; its customers until another one."""
    buckets = engine.fetch_records(traffic.customers(shop.transactions, until))
    return Delivery(
        source=shop.record["source"],
        as_of=as_of,
        first_day=_first_day(shop),
        currency=shop.currency,
        currencies=list(shop.record.get("currencies", [])),
        windows=windows,
        buckets={each["bucket"]: Bucket(each["customers"], each["paid"]) for each in buckets},
    )


# --- whoever uses a model ---


def of_delivery(number: str | None, as_of: pd.Timestamp, settings: Params) -> list[Fault]:
    """What is wrong with the delivery for the version that serves, or the newest where none does.

    Nothing where that version has no profile, or where a version was registered with these very lines: they are not
    new. The sample is no delivery.
    """
    limits, trained = delivery_limits(settings), _trained(number)
    if trained is None:
        return []
    shop = read_shop(settings)
    is_sample = SAMPLE in {trained.delivery.source, shop.record["source"]}
    if is_sample or any(each.tags.get(DELIVERY_TAG) == delivered() for each in registry.versions()):
        return []
    return faults(trained.delivery, shop, as_of.date(), limits)


def of_list(number: str | None, customers: pd.DataFrame, assigned: pd.DataFrame, settings: Params) -> list[Fault]:
    """What is wrong with the customers for a version, with their `cluster`, and with who of them `is_insider`."""
    trained = _trained(number) if number else None
    [limits] = _limits(settings, ServedLimits)
    changed = [] if trained is None else served.faults(trained, customers, assigned["cluster"], limits)
    inside = assigned.loc[assigned["is_insider"], "customer_id"].tolist()
    return [*changed, *served.leaving(_members(number), inside, limits.members_leave_max)]


def _trained(number: str | None) -> Trained | None:
    """The profile of a version, without a number of the newest; None where it has none."""
    versions = [each for each in registry.versions() if number in {None, each.number}]
    record = registry.read_profile(versions[-1]) if versions else None
    return profile.from_record(record) if record else None


def _members(number: str | None) -> list[str]:
    """Those of the last list, where the same version made it: another one names others."""
    if number is None or not paths.MEMBERS.exists() or not paths.TERMS.exists():
        return []
    if tables.read_last(paths.TERMS, schemas.TERMS)["model_version"].iloc[0] != number:
        return []
    members = tables.read_last(paths.MEMBERS, schemas.MEMBERS)
    inside: list[str] = members.loc[members["rank"].notna(), "customer_id"].tolist()
    return inside


def refuse_delivery(as_of: pd.Timestamp, settings: Params) -> None:
    """InputError where a delivery is not what the champion, or else the newest version, was trained on."""
    champion = registry.champion()
    number = champion.number if champion else None
    refuse(of_delivery(number, as_of, settings), number)


def refuse(found: Sequence[Fault], number: str | None) -> None:
    """InputError where a fault is not accepted."""
    open_ = _open(found)
    if open_:
        raise InputError(
            f"the data are not what version {number or 'none'} of the model was trained on: "
            f"{'; '.join(fault.text for fault in open_)}. The last list stays. Mend the delivery and run `dvc repro`; "
            'if the data are right, say so: `insiders assign --accept --why "..."`, then `dvc repro`'
        )


def accept(found: Sequence[Fault], number: str | None, release: str, why: str, on: date) -> list[Fault]:
    """Record that a person accepts the faults of this delivery, and why; returns those that were not accepted yet."""
    if not why.strip():
        raise InputError("faults of the data are accepted for a reason: --why TEXT")
    open_ = _open(found)
    if open_:
        ledger.append_accepted(
            {
                "data": delivered(),
                "faults": {fault.name: fault.text for fault in open_},
                "version": number,
                "release": release,
                "why": why,
                "on": on.isoformat(),
            }
        )
    return open_


def accepted() -> list[ledger.Accepted]:
    """What people accepted of this delivery: it stands with every release that is made of it."""
    entries = ledger.read_accepted()
    digest = delivered() if entries else ""
    return [entry for entry in entries if entry["data"] == digest]


def accepted_note() -> str:
    """The same in one line, for who receives the release; empty where nothing was accepted."""
    told = (f"{'; '.join(each['faults'].values())} ({each['on']}: {each['why']})" for each in accepted())
    return " / ".join(f"accepted although {each}" for each in told)


def _open(found: Sequence[Fault]) -> list[Fault]:
    """The faults that nobody accepted for this delivery."""
    names = {name for entry in accepted() for name in entry["faults"]} if found else set()
    return [fault for fault in found if fault.name not in names]


def delivered() -> str:
    """The digest of the lines, by which a delivery is recognised."""
    return tables.digest(paths.TRANSACTIONS)

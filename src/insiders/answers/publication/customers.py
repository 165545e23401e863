"""The published tables of many rows: per customer, and the lists; as expressions, so that any number streams."""

from typing import TYPE_CHECKING, Any

import ibis

from insiders.answers.inputs import Inputs
from insiders.answers.publication import contacts
from insiders.io import engine, paths
from insiders.schemas.features import FEATURES

if TYPE_CHECKING:
    from pathlib import Path

    import ibis.expr.types as ir

EXPECTED = ("expected_revenue", "expected_low", "expected_high")


def customers(inputs: Inputs) -> "ir.Table":
    """The features, the segment and what is expected of each customer."""
    known = inputs.scan(paths.CUSTOMERS).select("customer_id", "country", *FEATURES)
    assigned = inputs.scan(paths.ASSIGNMENTS).select("customer_id", "segment", "is_insider", "score", "place")
    expected = inputs.scan(paths.EXPECTATIONS).select("customer_id", "expected_orders", "probability_active", *EXPECTED)
    return _joined(_joined(_joined(known, assigned), expected), _map(inputs))


def _map(inputs: Inputs) -> "ir.Table":
    """The first two coordinates of each customer; nobody's where the model has not two."""
    kept = inputs.scan(paths.PLACES)
    places = kept.mutate(place=kept.place.cast("array<float64>"))  # of no rows a file knows no type
    plane = places.filter(places.place.length() > 1)
    return plane.select("customer_id", map_x=plane.place[0], map_y=plane.place[1])


def assignments(inputs: Inputs) -> "ir.Table":
    """Stretches of time in one segment: at the past month starts and today, by the model that serves today."""
    columns = ["customer_id", "as_of", "segment"]
    today = inputs.scan(paths.ASSIGNMENTS)
    before = inputs.scan(paths.MEMBERSHIPS).filter(lambda t: t.as_of < inputs.as_of).select(columns)
    checks = before.union(today.select(columns))
    at = ibis.window(group_by="customer_id", order_by="as_of")
    lagged = checks.mutate(segment_before=checks.segment.lag().over(at))
    starts = lagged.filter(lagged.segment_before.isnull() | (lagged.segment_before != lagged.segment))
    stretches = starts.select("customer_id", "segment", valid_from=starts.as_of, valid_to=starts.as_of.lead().over(at))
    now = _joined(
        _joined(today.select("customer_id", "score"), inputs.scan(paths.EXPECTATIONS).select("customer_id", *EXPECTED)),
        inputs.scan(paths.CONFIDENCE),
    )
    figures = [name for name in now.columns if name != "customer_id"]
    joined = _joined(stretches, now)
    return joined.mutate(**{name: ibis.ifelse(joined.valid_to.isnull(), joined[name], None) for name in figures})


def insiders(inputs: Inputs) -> "ir.Table":
    return contacts.joined(_listed(inputs, paths.INSIDERS), inputs)


def audiences(inputs: Inputs) -> "ir.Table":
    """One row per action and customer, also where two offers of one kind are meant for the same customer."""
    listed = _listed(inputs, paths.AUDIENCES)
    number = ibis.row_number().over(ibis.window(group_by=["action", "customer_id"], order_by="why"))
    first = listed.mutate(number=number).filter(lambda t: t.number == 0).drop("number")
    return contacts.joined(first, inputs)


def recommendations(inputs: Inputs) -> "ir.Table":
    return _listed(inputs, paths.RECOMMENDATIONS).rename(place="rank")


def _joined(left: "ir.Table", right: "ir.Table") -> "ir.Table":
    return left.left_join(right, "customer_id").drop("customer_id_right")


def _listed(inputs: Inputs, path: "Path") -> "ir.Table":
    """A list of reports/, without the apostrophes that keep a spreadsheet from computing its texts."""
    table = engine.scan_csv(inputs.connection, path)
    return table.mutate(**{name: _without_apostrophe(table[name]) for name in table.columns})


def _without_apostrophe(text: Any) -> Any:
    return ibis.ifelse(text.startswith("'"), text.substr(1), text)

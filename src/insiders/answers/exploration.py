"""What the exploration page looks at: tables read, counted by the engine, and described by the domain."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from insiders import schemas
from insiders.explore import exploration
from insiders.io import engine, paths, tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

Numbers = dict[str, Any]


class Look(NamedTuple):
    """`numbers` of the data, the features, the search and the embedding; `spots` of the map: x, y, is_insider."""

    numbers: Numbers
    spots: "pd.DataFrame | None"


def look(members: "pd.DataFrame", trials: "pd.DataFrame", registered: "Mapping[str, Any]") -> Look:
    """All that is to see, as of the members' day."""
    candidate = registered["candidate"]
    listed = int(members["is_insider"].sum()) or round(candidate["measures"].get("insider_share", 0.0) * len(members))
    numeric = [name for name in candidate["features"] if name in schemas.FEATURES]
    seen, spots = _embedded(members, registered)
    numbers = {
        "contents": _contents(members),
        "features": exploration.features(members),
        "skewed_from": exploration.SKEWED,
        "shared": exploration.shared(members, numeric),
        "netting": exploration.netting(members, listed),
        "choices": {name: exploration.by_choice(trials, name) for name in ("embedding", "clusterer", "segments")},
        **seen,
    }
    return Look(numbers, spots)


def _contents(members: "pd.DataFrame") -> Numbers:
    con = engine.connect()
    orders, lines = engine.scan(con, paths.ORDERS), engine.scan(con, paths.LINES)
    [found] = engine.fetch_records(exploration.contents(orders, lines, members["as_of"].iloc[0].date()))
    days = {name: found.pop(name).isoformat() for name in ("first_day", "last_day")}
    return {**found, **days, "customers": len(members)}


def _embedded(members: "pd.DataFrame", registered: "Mapping[str, Any]") -> "tuple[Numbers, pd.DataFrame | None]":
    """The map, and how many clusters there are to find; nothing of it where no model serves.

    An earlier champion's settings are not in the candidate, so of it there is only the map.
    """
    placed = members[["customer_id", "is_insider"]].merge(tables.read(paths.PLACES), on="customer_id")
    if placed.empty:
        return {"map": None, "clusterings": None, "is_earlier": False}, None
    places = np.stack(placed["place"].tolist())
    drawn, shown = exploration.flat(places)
    told = {"customers": len(places), "dimensions": places.shape[1], "shown_share": shown}
    own, is_earlier = registered["candidate"], registered["champion_version"] != registered["version"]
    tried = None if is_earlier else exploration.clusterings(places, own["clusterer"], own["params"], own["seed"])
    spots = placed[["is_insider"]].assign(x=drawn[:, 0], y=drawn[:, 1])
    return {"map": told, "clusterings": tried, "is_earlier": is_earlier}, spots

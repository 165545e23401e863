"""What the exploration page looks at: tables read, counted by the engine, and described by the domain."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from insiders import schemas
from insiders.answers import exploration_steps
from insiders.answers.inputs import Inputs
from insiders.answers.manifest import Manifest, Source
from insiders.explore import clusters, exploration
from insiders.io import engine, paths, tables
from insiders.language import Language
from insiders.report import exploration as page
from insiders.report import text
from insiders.report.figures import exploration as figures
from insiders.report.numbers import Answers, tidy
from insiders.report.page import Drawing

if TYPE_CHECKING:
    import pandas as pd

Numbers = dict[str, Any]
EXAMPLE_DATE = datetime(2025, 12, 31, 18, 5)  # day and month cannot be taken for each other


class Exploration(NamedTuple):
    """The second page, how the data led to the list: its numbers and itself."""

    numbers: Numbers
    html: str


def explore(inputs: Inputs, answers: Answers) -> Exploration:
    return write(look(inputs), answers, inputs.language)


def write(look: "Look", answers: Answers, language: Language) -> Exploration:
    judged = answers["guarantee"]
    numbers = tidy(
        {
            "as_of": answers["who"]["as_of"],
            "ledger": judged["ledger"],
            **look.numbers,
            "steps": exploration_steps.steps(look.numbers, answers),
        }
    )
    sight = figures.Sight(numbers, look.spots, look.silhouettes, text.labels(language), language)
    drawings = {name: Drawing.of(picture) for name, picture in figures.pictures(sight).items()}
    return Exploration(numbers, page.render(numbers, answers, drawings, language))


class Look(NamedTuple):
    """`numbers` of the data, the features, the search and the embedding.

    `spots` of the map: x, y, is_insider; `silhouettes` of the groups: segment, silhouette; None where nothing is drawn.
    """

    numbers: Numbers
    spots: "pd.DataFrame | None"
    silhouettes: "pd.DataFrame | None"


def look(inputs: Inputs) -> Look:
    """All that is to see, as of the members' day."""
    members, trials, registered = inputs.members, inputs.trials, inputs.registered
    candidate = registered["candidate"]
    listed = int(members["is_insider"].sum()) or round(
        (candidate["measures"].get("insider_share") or 0.0) * len(members)
    )
    numeric = [name for name in candidate["features"] if name in schemas.FEATURES]
    embedded = _embedded(members, registered)
    numbers = {
        "delivery": _delivery(inputs.source),
        "contents": _contents(inputs),
        "features": exploration.features(members),
        "skewed_from": exploration.SKEWED,
        "shared": exploration.shared(members, numeric),
        "netting": exploration.netting(members, listed),
        "choices": {name: exploration.by_choice(trials, name) for name in ("embedding", "clusterer", "segments")},
        "tuning": exploration.tuning(trials),
        **embedded.numbers,
    }
    return embedded._replace(numbers=numbers)


def _delivery(source: Source) -> Numbers:
    """What ingest understood of the file."""
    read = [{"ours": ours, "theirs": theirs} for ours, theirs in source["columns"].items() if theirs]
    money = source["money"]
    return {
        "rows_read": source["rows_read"],
        "rows": source["rows"],
        "preset": source["preset"],
        "read": read,
        "not_read": source["not_read"],
        "date_format": source["date_format"],
        "date_examples": [EXAMPLE_DATE.strftime(form) if "%" in form else form for form in source["date_format"]],
        "offsets": source["offsets"],
        "decimal": source["decimal"],
        "price": source["columns"][money["column"]],
        "price_is_of_a_piece": money["is_unit"],
    }


def _contents(inputs: Inputs) -> Numbers:
    contents = exploration.contents(inputs.scan(paths.ORDERS), inputs.scan(paths.LINES), inputs.as_of)
    [row] = engine.fetch_records(contents)
    days = {name: row.pop(name).isoformat() for name in ("first_day", "last_day")}
    return {**row, **days, "customers": len(inputs.members)}


def _embedded(members: "pd.DataFrame", registered: Manifest) -> Look:
    """The map, the groups on it, and how many there are to find; nothing of it where no model serves.

    An earlier champion's settings are not in the candidate, so of it nothing is tried again.
    """
    placed = members.drop(columns="place").merge(tables.read(paths.PLACES), on="customer_id")
    if placed.empty:
        return Look({"map": None, "groups": None, "clusterings": None, "is_earlier": False}, None, None)
    places = np.stack(placed["place"].tolist())
    drawn, shown = exploration.flat(places)
    own, is_earlier = registered["candidate"], registered["champion_version"] != registered["version"]
    tried = None if is_earlier else exploration.clusterings(places, own["clusterer"], own["params"], own["seed"])
    groups = clusters.clusters(placed)
    numbers = {
        "map": {"customers": len(places), "dimensions": places.shape[1], "shown_share": shown},
        "groups": groups.numbers if groups else None,
        "clusterings": tried,
        "is_earlier": is_earlier,
    }
    spots = placed[["is_insider"]].assign(x=drawn[:, 0], y=drawn[:, 1])
    return Look(numbers, spots, groups.silhouettes if groups else None)

"""The release whose files lie in the working folder, once none of them changes while they are read."""

import time
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any

import pandas as pd

from insiders.answers import customer
from insiders.answers.customer import Background
from insiders.answers.inputs import Inputs
from insiders.answers.release import Opened, Release
from insiders.errors import InputError
from insiders.io import params, paths, tables
from insiders.programme.size import Place

FILES = (
    *(paths.CUSTOMERS, paths.ASSIGNMENTS, paths.CONFIDENCE, paths.EXPECTATIONS, paths.MEMBERS, paths.MOVEMENT),
    *(paths.MEMBERSHIPS, paths.PLACES, paths.INSIDERS, paths.AUDIENCES, paths.ANSWERS, paths.LEDGER, paths.INTAKE),
)
TRIES, PAUSE_SECONDS = 20, 0.25  # until files that are just being written have come to rest
WRITING = "the files of one release are still being written: wait for `dvc repro` to end"
PLANE = 2  # coordinates of a map

State = tuple[tuple[int, int], ...]  # of each file: time of its last change, size


class Files:
    """What the last run of the project left."""

    has_models = True

    def state(self) -> State:
        """(0, 0) for a file that is not there."""
        return tuple((stat.st_mtime_ns, stat.st_size) if (stat := _stat(path)) else (0, 0) for path in FILES)

    def opened(self) -> Opened:
        problem = ""
        for attempt in range(TRIES):
            before = self.state()
            try:
                release, problem = _read(), ""
            except InputError as error:
                release, problem = None, str(error)
            if release is not None and self.state() == before and _agree(release):
                return Opened(release, "")
            if release is None and self.state() == before and attempt:
                break
            time.sleep(PAUSE_SECONDS)
        return Opened(None, problem or WRITING)


def _stat(path: Path) -> Any:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _read() -> Release:
    inputs = Inputs(params.read())
    answers, name = tables.read_json(paths.ANSWERS), inputs.terms["release"]
    tables.require(paths.AUDIENCES)
    own = inputs.settings
    before, before_on = _before(inputs.as_of)
    return Release(
        name=name,
        as_of=inputs.as_of,
        language=own.report.language,
        currency=own.preprocess.currency,
        place=Place(own.programme.place_cost, own.report.margin_share, own.programme.place_uplift),
        answers=answers,
        customers=inputs.members,
        insiders=inputs.insiders,
        coordinates=_coordinates(),
        before=before,
        before_on=before_on,
        ledger=inputs.ledger,
        intake=tables.read_text(paths.INTAKE),
        background=cache(partial(_background, name)),
    )


def _before(as_of: date) -> tuple[pd.DataFrame, date]:
    """The segments at the last month start that is kept."""
    kept = tables.read(paths.MEMBERSHIPS)
    past = kept[kept["as_of"] < pd.Timestamp(as_of)]
    last = past["as_of"].max()
    return past.loc[past["as_of"] == last, ["customer_id", "segment"]], as_of if past.empty else last.date()


def _coordinates() -> pd.DataFrame:
    places = tables.read(paths.PLACES)
    plane = places[places["place"].map(len) >= PLANE]
    return pd.DataFrame({"customer_id": plane["customer_id"], "x": plane["place"].str[0], "y": plane["place"].str[1]})


def _background(release: str) -> Background:
    """Raises InputError where the files are of another release by now."""
    known = customer.background()
    if known.terms["release"] != release:
        raise InputError(WRITING)
    return known


def _agree(release: Release) -> bool:
    """Whether list, tables and answers are of one release."""
    listed = set(release.insiders["release"]) | set(release.customers["release"])
    return listed <= {release.name} and release.answers["who"]["count"] == len(release.insiders)

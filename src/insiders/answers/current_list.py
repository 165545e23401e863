"""The list that people act on: today's customers by whoever serves, unless the data are not what it was trained on."""

from datetime import date
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from insiders.answers import assignments, drift, list_forecast
from insiders.answers.assignments import Served, Server
from insiders.evidence.drift.profile import Fault
from insiders.io.params import Params


class Acceptance(NamedTuple):
    """A person takes the data as they are."""

    why: str
    on: date


class Made(NamedTuple):
    """What is written, and the faults that were accepted for it just now."""

    served: Served
    accepted: list[Fault]


def make(
    server: Server,
    customers: pd.DataFrame,
    settings: Params,
    acceptance: Acceptance | None = None,
    folder: Path = Path(),
) -> Made:
    """Serve the project's customers (schemas.CUSTOMERS), and write the list and its forecast below `folder`.

    Raises InputError where the delivery, or what the model makes of it, has a fault that nobody accepted: then the
    last list stays.
    """
    faults = drift.of_delivery(server.champion, customers["as_of"].iloc[0], settings)
    if acceptance is None:
        drift.refuse(faults, server.champion)
    history, months = assignments.read_history(), assignments.read_months(server)
    served = assignments.serve(server, customers, history, months, settings)
    faults += drift.of_list(server.champion, customers, served.assigned, settings)
    accepted = []
    if acceptance:
        release = served.programme.terms["release"]
        accepted = drift.accept(faults, server.champion, release, acceptance.why, acceptance.on)
    drift.refuse(faults, server.champion)
    list_forecast.foretell(served, customers, months, settings).write(folder)
    return Made(served, accepted)

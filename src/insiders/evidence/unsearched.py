"""A shop on which no search can be judged: it is too young, or nobody ever came back. Then a plain sort serves."""

from collections.abc import Mapping
from datetime import date, timedelta

from insiders.evidence.judge import Settings
from insiders.evidence.search import Candidate
from insiders.evidence.windows import VALIDATION, Window

NO_RECIPE = "none"


def is_unsearched(candidate: Candidate) -> bool:
    """Whether nothing was tried, so that there is no recipe to judge."""
    return candidate["trial"] is None


def candidate(settings: Settings, judged_from: date | None) -> Candidate:
    """A candidate without a recipe, which says why; `judged_from` is `first_judged`."""
    return {
        "embedding": NO_RECIPE,
        "clusterer": NO_RECIPE,
        "params": {},
        "seed": settings.seed,
        "features": list(settings.features),
        "trial": None,
        "feasible": False,
        "reason": _reason(judged_from),
        "folds": 0,
        "rule": {},
        "score": settings.score,
        "share": settings.share,
        "measures": {},
        "judged_from": f"{judged_from}" if judged_from else None,
    }


def first_judged(cut: Mapping[str, Window], horizon_days: int, history_days_min: int) -> date | None:
    """The first `as_of` with which a search can be judged: that takes three periods, after a history to begin with.

    None where that day has passed, so that the reason is another: after no earlier date did anybody come back.
    """
    customers, horizon = cut[VALIDATION].customers, timedelta(days=horizon_days)
    validation = customers["as_of"].iloc[0].date()
    first_order = validation - timedelta(days=int(customers["tenure_days"].max()))
    day = first_order + timedelta(days=history_days_min) + 3 * horizon
    return day if day > validation + horizon else None


def _reason(judged_from: date | None) -> str:
    if judged_from:
        return f"the history is too short for a search: it can be judged from {judged_from} on"
    return "no customer came back after any earlier date: there is nothing to judge a search by"

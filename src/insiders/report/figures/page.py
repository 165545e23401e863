"""Every picture of the page, by name."""

from insiders.report.figures import (
    actions,
    cohorts,
    customers,
    forecast,
    guarantee,
    membership,
    revenue,
    rhythm,
    segments,
    traits,
    trials,
)
from insiders.report.figures.style import Picture, Scene

TOPICS = (customers, segments, traits, rhythm, revenue, forecast, cohorts, membership, guarantee, actions, trials)


def pictures(scene: Scene) -> dict[str, Picture]:
    """What each topic has to show; a picture whose numbers are missing is left out."""
    return {name: picture for topic in TOPICS for name, picture in topic.pictures(scene).items()}

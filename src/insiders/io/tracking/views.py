"""How MLflow's page shows the experiment: its description, and a saved view of the trials. MLflow keeps both as tags.

The table shows the measures that decide the pick, the most foresight first. The charts are a scatter of foresight
and stability, and a parallel-coordinates plot of all these measures. A view that a user saves over it stays.
"""

import json

NAME = "trials"
MEASURES = ("segments", "foresight_lift", "foresight_gap", "stability_rand", "foresight_mean")
FILTER = "tags.state = 'COMPLETE'"  # of the trials; the runs of searches, stages and versions have no such tag


DESCRIPTION = """\
One run per stage result, and one run `tune` per search with a child run per trial.

- `foresight_mean`: how much of what customers did next their segment told (R2, out of time, mean over the rolling
  origins); `foresight_lift` is the same divided by that of RFM's 125 cells. The series `foresight` has one step per
  origin, the earliest first.
- `stability_rand`: agreement of the segments with those of bootstrap samples (adjusted Rand index, 1: always the same),
  as many as `stability_refits` says. A trial that can no longer be picked gets three; what is below it lacks.
- `foresight_gap`: foresight above that among permuted customers, where there is nothing to foretell.
- State `BASELINE`: plain sorts and other scores, each judged by the list that it makes (`sort_lift`: what the list
  brought, divided by what the best plain sort of the other dates brought).

Trials on the front of foresight and stability have a picture (`clusters.png`) and a table of what their segments
foretold and what came (`segments.json`).
"""


def description() -> tuple[str, str]:
    """Key and value of the tag that holds the experiment's description."""
    return "mlflow.note.content", DESCRIPTION


def tag() -> tuple[str, str]:
    """Key and value of the tag that holds the view."""
    view = {"name": NAME, "createdAt": 0, "updatedAt": 0, "state": json.dumps(_state())}
    return f"mlflow.sharedViewState.{NAME}", json.dumps(view)


def page(address: str, experiment: str) -> str:
    """Address of the view's charts on a server at `address`; its table is one click away."""
    query = f"workflowType=machine_learning&viewStateShareKey={NAME}&compareRunsMode=CHART"
    return f"{address}/#/experiments/{experiment}/runs?{query}"


def _state() -> dict[str, object]:
    return {
        "searchFilter": FILTER,
        "orderByKey": "metrics.`foresight_mean`",
        "orderByAsc": False,
        "selectedColumns": [f"metrics.`{name}`" for name in (*MEASURES, "foresight_min")],
        "runsHiddenMode": "SHOWALL",
        "isAccordionReordered": True,
        "compareRunSections": [_section("trials", "Trials", True), _section("rest", "All measures", False)],
        "compareRunCharts": [
            _chart("front", "SCATTER", xaxis=_axis("stability_rand"), yaxis=_axis("foresight_mean")),
            _chart("across", "PARALLEL", selectedParams=[], selectedMetrics=list(MEASURES), showAllRuns=True),
        ],
    }


def _section(key: str, name: str, is_open: bool) -> dict[str, object]:
    size = {"columns": 2, "cardHeight": 420}
    return {"uuid": key, "name": name, "display": is_open, "isReordered": False, **size}


def _chart(key: str, kind: str, **settings: object) -> dict[str, object]:
    shared = {"metricSectionId": "trials", "deleted": False, "isGenerated": False, "runsCountToCompare": 1000}
    return {"type": kind, "uuid": key, **shared, **settings}


def _axis(measure: str) -> dict[str, str]:
    return {"type": "METRIC", "key": measure}

"""How MLflow's page shows the trials: a saved view of the experiment, which MLflow keeps as a tag of it.

The table shows the measures that decide the pick, the most foresight first. The charts are a scatter of foresight
and stability, and a parallel-coordinates plot of all these measures. A view that a user saves over it stays.
"""

import json

NAME = "trials"
MEASURES = ("segments", "foresight_lift", "foresight_gap", "stability_rand", "foresight_mean")
FILTER = "tags.state = 'COMPLETE'"  # of the trials; the runs of searches, stages and versions have no such tag


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

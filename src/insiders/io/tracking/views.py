"""How MLflow's page shows the trials: a saved view of the experiment, which the page keeps as a tag of it.

The table holds the measures that the pick goes by, best worst-origin lift first; the charts are the front between lift
and stability, and the same trials across all these measures. Whoever saves the view anew keeps their own.
"""

import json
from typing import Any

NAME = "trials"
MEASURES = ("segments", "insider_share", "control_gap", "stability", "value_lift_min")
FILTER = "tags.state = 'COMPLETE'"  # of the trials; a search, a stage and a version have no such tag


def tag() -> tuple[str, str]:
    """Key and value of the tag."""
    view = {"name": NAME, "createdAt": 0, "updatedAt": 0, "state": json.dumps(_state())}
    return f"mlflow.sharedViewState.{NAME}", json.dumps(view)


def page(address: str, experiment: str) -> str:
    """Where a server at this address shows the view's charts; its table is one click away."""
    query = f"workflowType=machine_learning&viewStateShareKey={NAME}&compareRunsMode=CHART"
    return f"{address}/#/experiments/{experiment}/runs?{query}"


def _state() -> dict[str, Any]:
    return {
        "searchFilter": FILTER,
        "orderByKey": "metrics.`value_lift_min`",
        "orderByAsc": False,
        "selectedColumns": [f"metrics.`{name}`" for name in (*MEASURES, "value_lift_mean")],
        "runsHiddenMode": "SHOWALL",
        "isAccordionReordered": True,
        "compareRunSections": [_section("trials", "Trials", True), _section("rest", "All measures", False)],
        "compareRunCharts": [
            _chart("front", "SCATTER", xaxis=_axis("stability"), yaxis=_axis("value_lift_min")),
            _chart("across", "PARALLEL", selectedParams=[], selectedMetrics=list(MEASURES), showAllRuns=True),
        ],
    }


def _section(key: str, name: str, is_open: bool) -> dict[str, Any]:
    size = {"columns": 2, "cardHeight": 420}
    return {"uuid": key, "name": name, "display": is_open, "isReordered": False, **size}


def _chart(key: str, kind: str, **own: Any) -> dict[str, Any]:
    fixed = {"metricSectionId": "trials", "deleted": False, "isGenerated": False, "runsCountToCompare": 1000}
    return {"type": kind, "uuid": key, **fixed, **own}


def _axis(measure: str) -> dict[str, str]:
    return {"type": "METRIC", "key": measure}

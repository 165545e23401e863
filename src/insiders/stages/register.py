"""Judge the candidate on the untouched last period, register it, and let it serve when it passes every gate.

Runs at every `dvc repro`: what serves is decided in the registry, not in a file. The same candidate on the same data
never becomes a second version.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from insiders.errors import InputError, exit_on_input_error

if TYPE_CHECKING:
    import pandas as pd

    from insiders.evidence.gates import Gate
    from insiders.evidence.judge import Recipe, Settings
    from insiders.evidence.validation import Flags, Period
    from insiders.io.params import Params
    from insiders.io.tracking.registry import Version
    from insiders.model.segment_model import SegmentModel
    from insiders.model.segments import Champion

RECIPE_TAG = "insiders.recipe"
MEASURES_TAG = "insiders.measures"
VALIDATION_TAG = "insiders.validation"
RIVAL_TAG = "insiders.rival"  # the champion that a candidate was first compared with; "none": nothing served
SEGMENTS_TAG = "insiders.segments"  # what the version's segments are called, and which of the rival's they continue
EXAMPLE_ROWS = 5


@exit_on_input_error("register")
def main() -> None:
    from insiders.io import freshness, paths, tables
    from insiders.io.delivery import files

    files.refuse_changed(tables.read_json(paths.SOURCE))
    inputs = (paths.CANDIDATE, paths.SNAPSHOTS, paths.HOLDOUT, paths.CUSTOMERS)
    outputs = (paths.REGISTERED, paths.JUDGED)
    if freshness.is_fresh("register", inputs, outputs):
        return

    from threadpoolctl import threadpool_limits

    from insiders.io import params
    from insiders.io.tracking import registry

    with threadpool_limits(1):  # the last bits of a figure must not depend on the machine's threads
        case = _case(params.read())
        verdict = _verdict(case)
        version = registry.register(case.final, case.customers.head(EXAMPLE_ROWS), _facts(case, verdict))
        if verdict.passed and case.settings.register_.auto_promote:
            registry.promote(version.number, by="gate")
        champion = registry.sync_champion()
        serving, listed = _serving(case, verdict, version, champion)
        _write_judged(case, listed)
        tables.write_json(_manifest(case, verdict, version, champion) | serving, paths.REGISTERED)
    freshness.record("register", inputs, outputs)


@dataclass(frozen=True)
class _Case:
    """A candidate with all that speaks for or against it; `final` is its recipe fitted on everything."""

    settings: "Params"
    search: "Settings"
    candidate: Mapping[str, Any]
    period: "Period"
    customers: "pd.DataFrame"
    judged: "SegmentModel"
    final: "SegmentModel"
    key: str
    rival: str
    segments: list[dict[str, Any]]

    @property
    def recipe(self) -> "Recipe":
        return _recipe(self.candidate)


@dataclass(frozen=True)
class _Verdict:
    validation: Mapping[str, Any]
    gates: "list[Gate]"
    agreement: float

    @property
    def passed(self) -> bool:
        return all(gate.passed for gate in self.gates)


def _case(settings: "Params") -> _Case:
    """Fit the recipe twice: on what was known before the last period, and on everything."""
    from insiders import schemas
    from insiders.evidence import judge, validation
    from insiders.io import paths, studies, tables
    from insiders.io.tracking import registry

    horizon, wanted = settings.featurize.horizon_days, studies.search_settings(settings)
    candidate = tables.read_json(paths.CANDIDATE)
    cut = judge.windows(tables.read(paths.SNAPSHOTS, schemas.SNAPSHOTS), horizon, judge.looked_at(wanted))
    period = validation.period(cut, tables.read(paths.HOLDOUT, schemas.HOLDOUT), horizon)
    customers = tables.read(paths.CUSTOMERS, schemas.CUSTOMERS)
    recipe = _recipe(candidate)
    judged = recipe.model(wanted).fit(period.window.customers, period.window.past)
    final = recipe.model(wanted).fit(customers, period.later)
    key = tables.digest(paths.CANDIDATE, paths.CUSTOMERS, paths.SNAPSHOTS, paths.HOLDOUT)
    known, serves = registry.find(key), registry.sync_champion()
    rival = known.tags[RIVAL_TAG] if known else serves.number if serves else "none"
    named = _identities(final, customers, known, rival)
    final.segment_names_ = {each["cluster"]: each["name"] for each in named}
    return _Case(settings, wanted, candidate, period, customers, judged, final, key, rival, named)


def _identities(
    final: "SegmentModel", customers: "pd.DataFrame", known: "Version | None", rival: str
) -> list[dict[str, Any]]:
    """Which of the rival's segments go on. Decided once: a known version keeps the names it was registered with."""
    from insiders.io import tables
    from insiders.model import segments

    if known and SEGMENTS_TAG in known.tags:
        return list(json.loads(known.tags[SEGMENTS_TAG]))
    champion = None if known else _champion(customers, rival)  # known before segments were matched: named by itself
    found = segments.identify(customers, final.labels_, final.insider_clusters_, champion)
    return list(json.loads(tables.as_json([each._asdict() for each in found])))  # as the tag will say it again


def _champion(customers: "pd.DataFrame", rival: str) -> "Champion | None":
    """What the rival's own model says of these customers; None where nothing served, or it cannot say anything."""
    from insiders.io.tracking import registry
    from insiders.model.segments import Champion

    version = next((each for each in registry.versions() if each.number == rival), None)
    if version is None:
        return None
    try:
        package = registry.load(version)
        labels = package.predict(customers)["cluster"].to_numpy()
    except (InputError, AttributeError):  # no model of this project, features that are no more, or other estimators
        return None
    return Champion(labels, package.model.insider_clusters_, package.model.segment_names_)


def _verdict(case: _Case) -> _Verdict:
    from insiders.evidence import gates, validation

    found = validation.judge(validation.members(case.judged), case.period, case.search)
    measured = {
        **case.candidate["measures"],
        **{name: value for name, value in found.items() if name.startswith("value_")},
        "insider_share_least": min(case.judged.insider_share_, case.final.insider_share_),
        "insider_share_most": max(case.judged.insider_share_, case.final.insider_share_),
        "segment_share": validation.smallest_segment(case.judged),
    }
    return _Verdict(
        validation=found,
        gates=gates.gates(measured, _thresholds(case.settings), _rival_lift(case)),
        agreement=validation.list_agreement(case.judged, case.final, case.period.window.customers),
    )


def _thresholds(settings: "Params") -> Any:
    from insiders.evidence.gates import Thresholds

    own, tune = settings.register_, settings.tune
    return Thresholds(
        **own.model_dump(exclude={"auto_promote"}),
        insider_share_min=tune.insider_share_min,
        insider_share_max=tune.insider_share_max,
        segment_share_min=tune.segment_share_min,
    )


def _rival_lift(case: _Case) -> float | None:
    """Value lift of the rival's recipe on the same period; None where nothing served, or it cannot be refitted."""
    from insiders.io.tracking import registry

    version = next((each for each in registry.versions() if each.number == case.rival), None)
    recipe = _rebuilt(case, version) if version else None
    return _judged(case, _listed(case, recipe))["value_lift"] if recipe else None


def _rebuilt(case: _Case, version: "Version") -> "Recipe | None":
    """The recipe of a registered version, where it has one that the code of today still knows."""
    if RECIPE_TAG not in version.tags:
        return None
    recipe = _recipe(json.loads(version.tags[RECIPE_TAG]))
    try:
        recipe.model(case.search)
    except (KeyError, ValueError):  # an embedding, a clusterer or a param that is no more
        return None
    return recipe


def _listed(case: _Case, recipe: "Recipe") -> "Flags":
    """The list of another recipe at the start of the last period."""
    from insiders.evidence import validation

    window = case.period.window
    return validation.members(recipe.model(case.search).fit(window.customers, window.past))


def _judged(case: _Case, listed: "Flags") -> dict[str, Any]:
    """What such a list captured in the period."""
    from insiders.evidence import validation

    return validation.judge(listed, case.period, case.search)


def _facts(case: _Case, verdict: _Verdict) -> Any:
    from insiders.io import paths, tables
    from insiders.io.tracking import cards, registry
    from insiders.model.segments import Identity

    candidate = case.candidate
    return registry.Facts(
        key=case.key,
        params={name: case.candidate[name] for name in ("embedding", "clusterer", "seed", "params")},
        metrics=case.candidate["measures"] | {name: v for name, v in verdict.validation.items() if name != "baselines"},
        tags={
            **cards.gate_tags(verdict.gates),
            RECIPE_TAG: tables.as_json({name: case.candidate[name] for name in _RECIPE}),
            RIVAL_TAG: case.rival,
            SEGMENTS_TAG: tables.as_json(case.segments),
            VALIDATION_TAG: tables.as_json(verdict.validation),
            MEASURES_TAG: tables.as_json(case.candidate["measures"]),
            "insiders.data": tables.digest(paths.CUSTOMERS),
            "embedding": case.candidate["embedding"],
            "clusterer": case.candidate["clusterer"],
        },
        card=cards.model_card(
            cards.CardFacts(
                candidate,
                candidate["features"],
                candidate["measures"],
                verdict.validation,
                verdict.gates,
                verdict.agreement,
                [Identity(**each) for each in case.segments],
            )
        ),
    )


def _told(case: _Case, verdict: _Verdict) -> dict[str, Any]:
    """What is said of the candidate, wherever it is said."""
    return {
        "candidate": case.candidate,
        "gates": [gate.as_dict() for gate in verdict.gates],
        "passed": verdict.passed,
        "validation": verdict.validation,
        "agreement": verdict.agreement,
        "segments": case.segments,
    }


def _manifest(case: _Case, verdict: _Verdict, version: "Version", champion: "Version | None") -> dict[str, Any]:
    """models/registered.json but for what serves: the candidate, its verdict and what it became."""
    return {
        "version": version.number,
        "alias": "champion" if champion and champion.number == version.number else "challenger",
        **_told(case, verdict),
        "champion_version": champion.number if champion else None,
    }


def _serving(
    case: _Case, verdict: _Verdict, version: "Version", champion: "Version | None"
) -> tuple[dict[str, Any], "Flags"]:
    """Regime, recipe, validation and back-test of what serves, and its list at the start of the last period."""
    from insiders.evidence import validation

    if champion is None:
        return _fallback(case)
    if champion.number == version.number:
        own = _by_model(case, case.recipe, case.candidate["measures"], verdict.validation)
        return own, validation.members(case.judged)
    recipe = _rebuilt(case, champion)
    if recipe is None:
        return _by_tags(champion), _nobody(case)
    listed = _listed(case, recipe)
    return _by_model(case, recipe, _tag(champion, MEASURES_TAG), _judged(case, listed)), listed


def _by_tags(champion: "Version") -> dict[str, Any]:
    """What was written down with a champion that the code of today cannot refit; its earlier list is not known."""
    own = _tag(champion, RECIPE_TAG)
    known = {"embedding": own["embedding"], "clusterer": own["clusterer"], "measures": _tag(champion, MEASURES_TAG)}
    validation = _tag(champion, VALIDATION_TAG)
    return {"regime": "model", "baseline": None, "serving": known, "validation": validation, "backtest": []}


def _nobody(case: _Case) -> "Flags":
    import numpy as np

    return np.zeros(len(case.period.later), bool)


def _write_judged(case: _Case, listed: "Flags") -> None:
    from insiders import schemas
    from insiders.io import paths, tables

    known = case.period.later[["customer_id", "as_of"]].assign(is_insider=listed)
    tables.write(known.sort_values("customer_id", ignore_index=True), paths.JUDGED, schemas.JUDGED)


def _by_model(case: _Case, recipe: "Recipe", measures: Mapping[str, Any], judged: Mapping[str, Any]) -> dict[str, Any]:
    from insiders.evidence import validation

    return {
        "regime": "model",
        "baseline": None,
        "serving": {"embedding": recipe.embedding, "clusterer": recipe.clusterer, "measures": measures},
        "validation": judged,
        "backtest": validation.backtest(recipe, case.period, case.search),
    }


def _tag(champion: "Version", tag: str) -> Any:
    """What was written down with a version when it was judged."""
    if tag not in champion.tags:
        raise InputError(
            f"version {champion.number} of the registered model is @champion but was not registered by this project: "
            "nothing is known of what its list brings; promote another version with `insiders promote NUMBER`"
        )
    return json.loads(champion.tags[tag])


def _fallback(case: _Case) -> tuple[dict[str, Any], "Flags"]:
    """The best baseline, as large as the candidate; no list where even that is no better than chance."""
    from insiders.evidence import validation

    tune = case.settings.tune
    share = min(max(case.final.insider_share_, tune.insider_share_min), tune.insider_share_max)
    found, listed = validation.fallback(case.customers, share, case.period, case.search)
    low = found["validation"]["value_over_random_low"]
    if low is not None and low > case.settings.register_.value_over_random_min:
        return {"regime": "baseline", **found}, listed
    return {"regime": "none", **found, "baseline": None}, _nobody(case)


_RECIPE = ("embedding", "clusterer", "params", "seed")


def _recipe(candidate: Mapping[str, Any]) -> "Recipe":
    from insiders.evidence.judge import Recipe

    return Recipe(**{name: candidate[name] for name in _RECIPE})


if __name__ == "__main__":
    main()

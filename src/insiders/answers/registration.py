"""The candidate, judged on the last period, becomes a version of the registry; models/registered.json says what serves.

The same candidate on the same data never becomes a second version. What is known of a version stands in its tags, so
that a champion can be judged anew, or reported where today's code cannot refit it.
"""

import json
from dataclasses import replace
from typing import Any, NamedTuple

import pandas as pd

from insiders import schemas
from insiders.answers import bounds, drift
from insiders.answers.manifest import Manifest, SegmentRecord, VerdictRecord
from insiders.errors import InputError
from insiders.evidence import judge, unsearched, validation, verdict, windows
from insiders.evidence.drift.profile import Delivery
from insiders.evidence.gates import Thresholds
from insiders.evidence.judge import Recipe, Settings
from insiders.evidence.search import Candidate
from insiders.evidence.validation import Period
from insiders.evidence.verdict import Case, Contender, Serving, Verdict
from insiders.io import paths, studies, tables
from insiders.io.params import Params
from insiders.io.tracking import cards, registry
from insiders.io.tracking.cards import CardFacts
from insiders.io.tracking.registry import Facts, Version
from insiders.model import segments
from insiders.model.segments import Champion, Identity

RECIPE_TAG = "insiders.recipe"
MEASURES_TAG = "insiders.measures"
VALIDATION_TAG = "insiders.validation"
RIVAL_TAG = "insiders.rival"  # the champion that a candidate was first compared with
SEGMENTS_TAG = "insiders.segments"  # what the version's segments are called, and which of the rival's they continue
NO_RIVAL = "none"  # nothing served when the candidate was first judged
NO_VERSION = "none"  # where there was no recipe to register
EXAMPLE_ROWS = 5


class Entry(NamedTuple):
    """A candidate's place in the registry: its key, the version that it was compared with, and its segments."""

    key: str
    rival: str
    segments: list[SegmentRecord]
    bound: dict[str, str]  # tags that bind it to its features and its day
    is_champion: bool  # it is a version already, and serves
    is_set_aside: bool  # a person replaced it, so that no gate promotes it again


class Shop(NamedTuple):
    """The candidate of a search, its settings, the last period, today's customers and the delivery behind them."""

    candidate: Candidate
    search: Settings
    period: Period
    customers: pd.DataFrame
    delivery: Delivery


def register(settings: Params) -> None:
    """Judge, register, promote where every gate passed, and write what serves.

    What will serve is computed first: nothing is registered of a shop on which a figure fails.
    """
    shop, minimum = _read_shop(settings), settings.register_.value_over_random_min
    if unsearched.is_unsearched(shop.candidate):
        champion = registry.sync_champion()
        _write(shop, _unjudged(champion), _serving_earlier(shop, champion, minimum))
        return
    case = verdict.fit(shop.candidate, shop.search, shop.period, shop.customers)
    entry = _enter(case, settings)
    case.final_model.segment_names_ = {each["cluster"]: each["name"] for each in entry.segments}
    judged = verdict.judge(case, _thresholds(settings), _rival(shop, entry.rival))
    promotes = judged.passed and settings.register_.auto_promote and not entry.is_set_aside
    own = verdict.serving_candidate(case, judged) if promotes or entry.is_champion else None
    serving = own or _serving_earlier(shop, registry.champion(), minimum)
    facts = replace(_facts(case, entry, judged), profile=_profile(case, shop.delivery))
    version = registry.register(case.final_model, shop.customers.head(EXAMPLE_ROWS), facts)
    if promotes:
        registry.promote(version.number, by="gate")
    _write(shop, _verdict(entry, judged, version, registry.sync_champion()), serving)


def _read_shop(settings: Params) -> Shop:
    candidate: Candidate = tables.read_json(paths.CANDIDATE)
    delivery = _read_delivery(settings)
    search = replace(studies.search_settings(settings), score=candidate["score"], share=candidate["share"])
    cut = windows.windows(tables.read(paths.SNAPSHOTS, schemas.SNAPSHOTS), search.horizon_days, judge.looked_at(search))
    brought, season = tables.read(paths.HOLDOUT, schemas.HOLDOUT), settings.forecast.unseen_season
    period = validation.last_period(cut, brought, search.horizon, season)
    return Shop(candidate, search, period, tables.read(paths.CUSTOMERS, schemas.CUSTOMERS), delivery)


def _read_delivery(settings: Params) -> Delivery:
    """What is known of the delivery as of the customers' day.

    Faults are refused before anything is judged: a candidate of faulty data passes the gates like any other. And the
    engine takes its memory before the tables of customers take theirs.
    """
    as_of = tables.read_vouched(paths.CUSTOMERS, ["as_of"])["as_of"].iloc[0]
    drift.refuse_delivery(as_of, settings)
    return drift.delivery(drift.read_shop(settings), as_of.date())


def _profile(case: Case, delivery: Delivery) -> str:
    clusters = pd.Series(case.final_model.labels_)
    return drift.trained_on(delivery, case.customers, case.final_model.columns, clusters)


def _thresholds(settings: Params) -> Thresholds:
    own = settings.register_.model_dump(exclude={"auto_promote", "champion_days_max"})
    return Thresholds(**own, segment_share_min=settings.tune.segment_share_min)


def _enter(case: Case, settings: Params) -> Entry:
    """Find the candidate's place: what it was first compared with, and what its segments are called, stays."""
    key = tables.digest(paths.CANDIDATE, paths.CUSTOMERS, paths.SNAPSHOTS, paths.HOLDOUT)
    version, champion = registry.find(key), registry.sync_champion()
    rival = version.tags[RIVAL_TAG] if version else champion.number if champion else NO_RIVAL
    bound = bounds.bound(settings.featurize, case.customers["as_of"].iloc[0])
    is_champion = bool(version and champion and version.number == champion.number)
    return Entry(
        key, rival, _segments(case, version, rival), bound, is_champion, bool(version and version.is_set_aside)
    )


def _segments(case: Case, version: Version | None, rival: str) -> list[SegmentRecord]:
    """Which of the rival's segments go on, decided once: a version keeps the names it was registered with."""
    if version and SEGMENTS_TAG in version.tags:
        kept: list[SegmentRecord] = json.loads(version.tags[SEGMENTS_TAG])
        return kept
    # A version that was registered before segments were matched is named by itself.
    champion = None if version else champion_segments(case.customers, rival)
    model = case.final_model
    identities = segments.identify(case.customers, model.labels_, champion)
    records: list[SegmentRecord] = json.loads(tables.as_json([each._asdict() for each in identities]))
    return records  # as the tag will give them back


def champion_segments(customers: pd.DataFrame, number: str) -> Champion | None:
    """The segments that a version's own model gives these customers.

    None where there is no such version, or where its model needs features or code that are no more.
    """
    version = _version(number)
    if version is None:
        return None
    try:
        package = registry.load(version)
        labels = package.predict(customers)["cluster"].to_numpy()
    except (InputError, AttributeError):
        return None
    return Champion(labels, package.model.segment_names_)


def _version(number: str) -> Version | None:
    return next((each for each in registry.versions() if each.number == number), None)


def _rival(shop: Shop, number: str) -> Contender | None:
    version = _version(number)
    return _contender(shop, version) if version else None


def _contender(shop: Shop, version: Version) -> Contender | None:
    """Score and recipe of a version, where it has some that today's code can fit on these customers."""
    if RECIPE_TAG not in version.tags or unsearched.is_unsearched(shop.candidate):
        return None
    return verdict.rebuild(_tag(version, RECIPE_TAG), shop.search)


def _serving_earlier(shop: Shop, champion: Version | None, over_random_min: float) -> Serving:
    """What is known of what serves instead of the candidate: an earlier version, or the best sort where none may."""
    if champion is None:
        if lost := bounds.lost_champion():
            bounds.refuse_lost(lost)
        return verdict.serving_baseline(shop.customers, shop.period, shop.search, over_random_min)
    earlier = _contender(shop, champion)
    if earlier is None:
        record, figures = _tag(champion, RECIPE_TAG), _tag(champion, VALIDATION_TAG)
        return verdict.serving_record(shop.period, record, _tag(champion, MEASURES_TAG), figures)
    return verdict.serving_recipe(shop.period, earlier, _tag(champion, MEASURES_TAG))


def _tag(version: Version, tag: str) -> Any:
    """What was written with a version when it was judged."""
    if tag not in version.tags:
        raise InputError(
            f"version {version.number} of the registered model is @champion but was not registered by this project: "
            "nothing is known of what its list brings; promote another version with `insiders promote NUMBER`"
        )
    return json.loads(version.tags[tag])


def _facts(case: Case, entry: Entry, judged: Verdict) -> Facts:
    candidate = case.candidate
    figures = {name: value for name, value in judged.validation.items() if name != "baselines"}
    return Facts(
        key=entry.key,
        params={name: candidate[name] for name in ("score", "share", "embedding", "clusterer", "seed", "params")},
        metrics=candidate["measures"] | figures,
        tags={
            **cards.gate_tags(judged.gates),
            RECIPE_TAG: tables.as_json(Contender(Recipe.from_record(candidate), case.search).as_record()),
            RIVAL_TAG: entry.rival,
            SEGMENTS_TAG: tables.as_json(entry.segments),
            VALIDATION_TAG: tables.as_json(judged.validation),
            MEASURES_TAG: tables.as_json(candidate["measures"]),
            "insiders.data": tables.digest(paths.CUSTOMERS),
            drift.DELIVERY_TAG: drift.delivered(),
            **entry.bound,
            "score": candidate["score"],
            "embedding": candidate["embedding"],
            "clusterer": candidate["clusterer"],
        },
        card=cards.model_card(_card_facts(case.candidate, entry, judged)),
    )


def _card_facts(candidate: Candidate, entry: Entry, judged: Verdict) -> CardFacts:
    return CardFacts(
        candidate=candidate,
        features=candidate["features"],
        measures=candidate["measures"],
        validation=judged.validation,
        gates=judged.gates,
        agreement=judged.agreement,
        segments=[Identity(**each) for each in entry.segments],
    )


def _verdict(entry: Entry, judged: Verdict, version: Version, champion: Version | None) -> VerdictRecord:
    return {
        "version": version.number,
        "alias": "champion" if champion and champion.number == version.number else "challenger",
        "gates": judged.gate_records(),
        "passed": judged.passed,
        "agreement": judged.agreement,
        "segments": entry.segments,
        "champion_version": champion.number if champion else None,
    }


def _unjudged(champion: Version | None) -> VerdictRecord:
    """No recipe was searched for, so there is nothing to register."""
    return {
        "version": NO_VERSION,
        "alias": NO_VERSION,
        "gates": [],
        "passed": False,
        "agreement": None,
        "segments": [],
        "champion_version": champion.number if champion else None,
    }


def _write(shop: Shop, record: VerdictRecord, serving: Serving) -> None:
    listed = shop.period.later[["customer_id", "as_of"]].assign(is_insider=serving.listed)
    tables.write(listed.sort_values("customer_id", ignore_index=True), paths.JUDGED, schemas.JUDGED)
    manifest: Manifest = {
        **record,
        "candidate": shop.candidate,
        "validation": serving.validation,
        "regime": serving.regime,
        "baseline": serving.baseline,
        "serving": serving.serving,
        "backtest": serving.backtest,
        "ageing": serving.ageing,
    }
    tables.write_json(manifest, paths.REGISTERED)

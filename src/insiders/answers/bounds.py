"""What a list must not be made by, and what it must not be replaced by: the last good one stays instead.

A model is bound to the definitions of the features that it was fitted on, to an age, and to the registry in which it
was judged. Where one of them is lost, whoever runs `assign` is told what to do; nothing is written.
"""

import json
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from insiders import schemas
from insiders.errors import InputError
from insiders.io import paths, tables
from insiders.io.params import Featurize, Params
from insiders.io.tracking import address, connection, registry
from insiders.io.tracking.registry import Version

FEATURES_TAG = "insiders.features"  # how the features of a version were defined
AS_OF_TAG = "insiders.as_of"  # the day as of which a version knew its customers
MODEL, NO_LIST = "model", "none"  # regimes of models/registered.json; the latter also serves in its own name


class Limits(NamedTuple):
    """What a version must keep to: how the features are defined now, and how many days old it may be."""

    features: dict[str, int]
    champion_days_max: int


def limits(settings: Params) -> Limits:
    return Limits(_definitions(settings.featurize), settings.register_.champion_days_max)


def bound(settings: Featurize, as_of: pd.Timestamp) -> dict[str, str]:
    """The tags by which a version is bound to the features and the day that it was fitted on."""
    return {FEATURES_TAG: json.dumps(_definitions(settings), sort_keys=True), AS_OF_TAG: f"{as_of:%Y-%m-%d}"}


def _definitions(settings: Featurize) -> dict[str, int]:
    """What decides a feature's value besides the orders."""
    return {
        "version": schemas.FEATURES_VERSION,
        "featurize.horizon_days": settings.horizon_days,
        "featurize.fade_days": settings.fade_days,
    }


def refuse_other_features(version: Version, now: Mapping[str, int]) -> None:
    """InputError where a version was fitted on features that were defined otherwise."""
    then = json.loads(version.tags.get(FEATURES_TAG, "{}"))
    differing = [f"{name} {then[name]} (now {now.get(name)})" for name in sorted(then) if then[name] != now.get(name)]
    if differing:
        raise InputError(
            f"version {version.number} of the model knows other features: {', '.join(differing)}. Put the setting "
            "back, or run `dvc repro` and promote the version that it registers (`insiders promote NUMBER`). The last "
            "list stays"
        )


def refuse_old(version: Version, as_of: pd.Timestamp, days_max: int) -> None:
    """InputError where a version knew its customers too long before `as_of`."""
    if AS_OF_TAG not in version.tags:
        return
    days = (as_of - pd.Timestamp(version.tags[AS_OF_TAG])).days
    if days > days_max:
        raise InputError(
            f"version {version.number} of the model knew its customers as of {version.tags[AS_OF_TAG]}, {days} days "
            f"before {as_of:%Y-%m-%d}: more than register.champion_days_max, {days_max}. Promote a newer version "
            "(`insiders promote NUMBER`), or raise the setting in params.yaml. The last list stays"
        )


def lost_champion() -> str | None:
    """The version that serves by models/registered.json, where the registry no longer has it; else None."""
    if not paths.REGISTERED.exists():
        return None
    number: str | None = tables.read_json(paths.REGISTERED)["champion_version"]
    return None if number in {None, *(version.number for version in registry.versions())} else number


def refuse_lost(number: str | None) -> None:
    """InputError: a version serves by models/registered.json, and the registry has no champion."""
    uri = connection.without_password(address.tracking_uri())
    known = [version.number for version in registry.versions()]
    if number in known:
        raise InputError(
            f"version {number} is no longer @champion in the registry at {uri}, and no other is: `insiders promote "
            f"{number}` puts it back, `dvc repro` judges what else may serve. The last list stays"
        )
    raise InputError(
        f"version {number} serves, says {paths.REGISTERED}, and the registry at {uri} has no champion (versions: "
        f"{', '.join(known) or 'none'}): put mlruns/ back or correct {address.VARIABLE}. Where the registry is gone "
        f"for good, remove {paths.REGISTERED} and run `dvc repro`, which judges anew what may serve. The last list "
        "stays"
    )


def refuse_empty(inside: Collection[str], served: "pd.Series[str]", last: Path) -> None:
    """InputError where a full list would become empty; where the verdict names nobody, say so aloud instead."""
    if len(inside) or not last.exists():
        return
    before = int(tables.read_last(last, schemas.MEMBERS)["rank"].notna().sum())
    if not before:
        return
    if (served == NO_LIST).all():
        sys.stderr.write(f"assign: the verdict names nobody; the {before:,} members of the last list are out\n")
        return
    raise InputError(
        f"nobody would be on the list, where {before:,} were before: the last list stays. See what changed with "
        "`insiders check`, or go back to an earlier version with `insiders rollback`"
    )

"""Section 8: its words and pictures from the numbers, and the tables that the numbers come from."""

import re
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest

import guarantee_tables
import judged_tables
import report_tables as shop
from insiders.answers import guarantee
from insiders.answers.inputs import Inputs
from insiders.errors import InputError
from insiders.evidence import hypotheses
from insiders.io import params, paths
from insiders.language import Language
from insiders.programme import experiment
from insiders.report import text
from insiders.report.figures import guarantee as figures
from insiders.report.figures import style
from insiders.report.figures.scene import Scene
from insiders.report.numbers import tidy

ENGLISH = Language("en", "GBP")
LISTED = shop.members(shop.customers())
NOBODY = LISTED.assign(is_insider=False)


def found(people: pd.DataFrame) -> dict[str, Any]:
    validation = {
        "regime": "model",
        "verdict": "better",
        "confidence": 0.95,
        "agreement": 0.9,
        "gates": [],
        "ageing": judged_tables.AGEING,
    }
    versions = {"judged_version": "3", "champion_version": "3"}
    search = {
        "trials": 40,
        "folds": 3,
        "feasible": 20,
        "trial": 7,
        "judged_from": None,
        "embedding": "scaled",
        "clusterer": "ward",
        "rule": judged_tables.RULE,
        "starts": [],
    }
    return tidy(
        {
            **judged_tables.VALIDATION,
            **validation,
            "provenance": versions,
            "search": {**search, **judged_tables.MEASURES, "score": "lifetime_faded"},
            "serving": {"measures": judged_tables.MEASURES},
        }
        | guarantee_tables.told(people)
    )


def section(numbers: dict[str, Any]) -> str:
    """The words of the section, without its marks."""
    environment = text.environment(ENGLISH)
    told = {
        "answers": {"guarantee": numbers},
        "n": numbers,
        "origin": numbers["provenance"],
        "pictures": {},
        "day": "-",
    }
    page = environment.get_template("sections/guarantee.html.j2").render(**told)
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def worded(**claim: Any) -> str:
    known = {"name": "any", "unit": "share", "side": "above", **claim}
    macros: Any = text.environment(ENGLISH).get_template("sections/claims.j2").module
    return str(macros.claim(known)).strip()


# --- words ---


def test_the_section_tells_groups_claims_and_plan() -> None:
    numbers = found(LISTED)
    words = section(numbers)
    groups = numbers["later"]["groups"]
    assert (
        f"of 400 customers, 40 would have been listed. They brought {ENGLISH.money(groups['list']['before']['value'])}"
        in words
    )
    assert f"For {numbers['later']['pairs']} of the listed there is a look-alike" in words
    assert words.count(" true ") >= 3
    assert "of today's 40 Insiders 8 are not invited (20%), 32 are" in words
    assert f"an uplift of {ENGLISH.share(numbers['experiment']['uplift'], 0)} or more" in words


def test_the_sentence_counts_the_verdicts() -> None:
    numbers = found(LISTED)
    told, known = text.wording(text.environment(ENGLISH), "guarantee", numbers).answer, numbers["verdicts"]
    assert sum(known.values()) == 7
    assert f"Of 7 claims about such a list, tested on what came after it, {known['true']} are true" in told


def test_where_nobody_was_listed_nothing_is_claimed() -> None:
    numbers = found(NOBODY)
    words = section(numbers)
    assert "Before and after the list" not in words
    assert words.count("not decidable") >= 7
    assert "No experiment can be planned" in words
    assert "claims" not in text.wording(text.environment(ENGLISH), "guarantee", numbers).answer


def test_without_overlap_the_section_says_so() -> None:
    numbers = found(LISTED)
    alone = {**numbers, "later": {**numbers["later"], "pairs": 0}}
    assert "there is no overlap, so nothing can be said about look-alikes" in section(alone)


def test_an_experiment_that_is_too_small_says_what_it_would_take() -> None:
    numbers = found(LISTED)
    plan = {**numbers["experiment"], "enough": False, "needed_insiders": 2293, "needed_months": None}
    assert "that takes 2,293 Insiders" in section({**numbers, "experiment": plan})
    assert "no length up to 36 months is enough" in section({**numbers, "experiment": plan})
    assert "it takes 9 months of 30 days" in section({**numbers, "experiment": {**plan, "needed_months": 9}})
    assert "Is that enough: yes" in section({**numbers, "experiment": {**plan, "enough": True}})


def test_a_claim_is_worded_by_what_it_compares() -> None:
    """Each claim of params.yaml has a sentence of its own; turned round it has another."""
    own = [each.model_dump() for each in guarantee_tables.SETTINGS.hypotheses]
    sentences = [worded(**each) for each in own]
    assert sentences[0] == "They bring more than 15% of the revenue"
    assert all(each.startswith("They ") for each in sentences)
    turned = [worded(**{**each, "side": {"above": "below", "below": "above"}[each["side"]]}) for each in own]
    assert len({*sentences, *turned}) == 2 * len(own)
    assert (
        worded(measure="items", per="orders", than=12.5, unit="number")
        == "pieces kept divided by orders: more than 12.50"
    )


def test_every_measure_that_may_be_set_is_one_that_is_counted() -> None:
    fields = params.Hypothesis.model_fields
    measures, per = (set(get_args(fields[name].annotation)) for name in ("measure", "per"))
    assert measures | per - {"total"} <= set(hypotheses.MEASURES)
    words: Any = text.environment(ENGLISH).get_template("sections/claims.j2").module
    assert measures | per <= set(words.counted)


def test_a_claim_that_cannot_be_counted_is_refused(tmp_path: Path) -> None:
    written = (Path(__file__).parents[1] / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(written.replace("measure: items", "measure: smiles"), encoding="utf-8")
    with pytest.raises(InputError, match=r"report\.hypotheses\.1\.measure is 'smiles'"):
        params.read(tmp_path / "params.yaml")


# --- pictures ---


def test_each_group_has_two_dots_where_its_figures_are_positive() -> None:
    told = {"value": 100.0, "low": 80.0, "high": 130.0}
    rows = [
        {"group": "list", "label": "the list", "before": told, "after": told},
        {"group": "others", "label": "all others", "before": {**told, "value": -3.0}, "after": {**told, "low": -1.0}},
    ]
    drawn = [style.svg(figures.afterwards(rows), "title", "description") for _ in range(2)]
    assert drawn[0] == drawn[1]
    axes = figures.afterwards(rows).axes[0]
    assert len(axes.lines) == 3
    assert len(axes.collections) == 2


@pytest.mark.parametrize(("people", "is_drawn"), [(LISTED, True), (NOBODY, False)])
def test_what_came_afterwards_is_drawn_where_somebody_was_listed(people: pd.DataFrame, is_drawn: bool) -> None:
    words: Any = text.environment(ENGLISH).globals["words"]
    answers = {"guarantee": {**found(people), "captures": []}}
    names = set(figures.pictures(Scene(people, shop.trials(), answers, words.labels, ENGLISH)))
    assert names - {"afterwards"} == {"captures", "front", "foresight_by_period"}
    assert ("afterwards" in names) == is_drawn


# --- tables ---


def test_a_period_in_which_nothing_happened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shop's orders ended half a year before the list: nothing is decided, and the lot is drawn all the same."""
    shop.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    inputs = Inputs(shop.PARAMS)
    numbers, drawn = guarantee.aftermath(inputs), _draw(inputs)
    assert numbers["later"]["start"] == "2011-09-11"
    assert numbers["later"]["groups"]["list"]["after"]["value"] == 0
    assert "true" not in {row["verdict"] for row in numbers["hypotheses"]}
    assert {numbers["experiment"][name] for name in experiment.NOTHING_DETECTABLE} == {None}
    assert drawn["arm"].value_counts().to_dict() == {"invited": 32, "held_out": 8}


def _draw(inputs: Inputs) -> pd.DataFrame:
    [(path, (drawn, _))] = guarantee.lists(inputs).items()
    assert path == paths.EXPERIMENT
    return drawn


def test_ids_in_the_draw_are_safe_in_a_spreadsheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    for path in (paths.CUSTOMERS, paths.ASSIGNMENTS, paths.CONFIDENCE, paths.EXPECTATIONS, paths.MEMBERS):
        frame = pd.read_parquet(path)
        frame["customer_id"] = ("=" + frame["customer_id"]).astype("str")
        frame.to_parquet(path, index=False)
    drawn = _draw(Inputs(shop.PARAMS))
    assert drawn["customer_id"].str.startswith("'=").all()

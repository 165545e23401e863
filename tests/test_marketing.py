"""What marketing gets: tables that a spreadsheet may open, reasons in words, and pictures of what pays."""

from pathlib import Path

import pandas as pd
import pytest

import report_tables as shop
from insiders import schemas
from insiders.answers import actions
from insiders.answers.inputs import Inputs
from insiders.errors import InputError
from insiders.io import params, paths, tables
from insiders.language import Language
from insiders.programme.criteria import Criteria
from insiders.programme.learning import Fit
from insiders.programme.rules import Condition
from insiders.report import audiences, text
from insiders.report.figures import actions as pictures
from insiders.report.figures import style
from insiders.report.figures.scene import Scene

ENGLISH = Language("en", "GBP")
SETTINGS = params.read(Path(__file__).parents[1] / "params.yaml")
ENTER = ((Condition("net_revenue", 1500.0),),)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shop.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read() -> Inputs:
    """From the files in the working folder, but for a rule of one condition."""
    inputs = Inputs(shop.PARAMS)
    inputs.criteria = Criteria(Fit(ENTER, 1.0, 1.0), None)
    return inputs


def scene(nine: dict) -> Scene:
    return Scene(shop.members(shop.customers()), shop.trials(), nine, text.labels(ENGLISH), ENGLISH)


def test_both_tables_keep_their_contract_and_agree_with_the_numbers(folder: Path) -> None:
    inputs = read()
    tables.write_together(actions.lists(inputs))
    told = actions.numbers(inputs)
    meant = pd.read_csv(folder / paths.AUDIENCES, dtype=str, keep_default_na=False)
    shown = pd.read_csv(folder / paths.RECOMMENDATIONS, dtype={"customer_id": str})

    typed = {
        "is_wholesaler": meant["is_wholesaler"] == "True",
        "as_of": pd.to_datetime(meant["as_of"]).dt.as_unit("us"),
    }
    schemas.AUDIENCES.validate(meant.astype("str").assign(**typed))
    assert set(meant["release"]) == {shop.DECIDED["release"]}
    counts = meant["action"].value_counts()
    assert counts["one_step_from_entering"] == told["one_step"]["count"]
    assert counts.get("about_to_leave", 0) == told["about_to_leave"]["count"]
    ours = [row for row in told["segments"] if row["is_insider"]]
    assert counts["perks"] == sum(each["audience"] for row in ours for each in row["do"] if each["key"] == "perks")
    assert set(shown["customer_id"]) <= set(shop.customers()["customer_id"])
    assert set(shown["product_code"]) <= {"A", "B", "C"}
    assert meant["why"].ne("").all()


def test_nothing_in_them_is_taken_for_a_formula(folder: Path) -> None:
    lines = pd.read_parquet(folder / "data/lines.parquet")
    lines.assign(ordered_at=shop.AS_OF - pd.Timedelta(days=1)).to_parquet(folder / "data/lines.parquet")
    texts = [("A", "=1+1"), ("B", "@SUM(A1)"), ("C", "-2+1")]
    frame = pd.DataFrame(texts, columns=["product_code", "description"])
    frame.to_parquet(folder / "data/transactions.parquet", index=False)
    shown, _ = actions.lists(read())[paths.RECOMMENDATIONS]

    assert len(shown)
    assert shown["description"].str.startswith("'").all()


def test_a_reason_says_the_figure_that_decided_it() -> None:
    meant = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c"],
            "segment": "Lapsed",
            "action": ["win_back", "company_visit", "perks"],
            "column": ["recency_days", "net_revenue", None],
            "value": [120.0, 12_345.0, float("nan")],
            "arm": ["", "invited", "invited"],
        }
    )
    people = pd.DataFrame({"customer_id": ["a", "b", "c"], **dict.fromkeys(audiences.PERSONAL, "")})
    why = audiences.worded(meant, people, ENGLISH, text.labels(ENGLISH))["why"]

    assert why.tolist() == ["days since the last order: 120", "net revenue: £12,345", "in the segment Lapsed"]


def test_examples_are_for_the_insiders_of_whom_most_is_expected() -> None:
    shown = pd.DataFrame(
        {
            "customer_id": ["a"] * 5 + ["b", "c"],
            "product_code": [*"vwxyzvv"],
            "description": "text",
            "because": ["tea", None, None, None, None, None, None],
        }
    )
    known = {"net_revenue": 1.0, "recency_days": 1.0, "expected_revenue": [1.0, 2.0, 3.0]}
    members = pd.DataFrame({"customer_id": ["a", "b", "c"], "is_insider": [True, True, False]}).assign(**known)
    told = actions.examples(shown, members)

    assert [each["customer_id"] for each in told] == ["b", "a"]
    assert [each["product_code"] for each in told[1]["products"]] == ["v", "w", "x"]
    assert [each["because"] for each in told[1]["products"]] == ["tea", None, None]


def test_pictures_are_drawn_alike_from_equal_numbers_and_left_out_without_any() -> None:
    drawn, again = (
        {name: style.svg(*each) for name, each in pictures.pictures(scene(shop.usual())).items()} for _ in range(2)
    )
    nothing = {"ranked": [], "recommendations": {"neighbours": None}}

    assert set(drawn) == {"break_even", "recommendations"}
    assert drawn == again
    assert pictures.pictures(scene({"actions": nothing})) == {}


def test_a_break_even_far_out_stands_at_the_edge_and_none_where_nothing_pays() -> None:
    row = {"label": "x", "uplift_low": 0.0, "uplift_high": 0.1}
    marks = [
        [line.get_marker() for line in pictures.break_even([{**row, "break_even_uplift": at}]).axes[0].get_lines()]
        for at in (0.05, 0.5, None)
    ]

    assert marks == [["D"], [">"], []]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"verdict": "better", "ratio": 1.5}, "So they are served.\nThe goal of 1.20 is reached."),
        ({"verdict": "better", "ratio": 1.1}, "The goal of 1.20 is missed."),
        ({"verdict": "undecided"}, "They were not surely better, so what is bought most is served."),
        ({"verdict": "undecided", "ratio": None}, "cannot be told from this history"),
    ],
)
def test_the_page_says_what_is_served_and_why(changes: dict, says: str) -> None:
    found = {**shop.usual()["actions"]["recommendations"], **changes}
    template = text.environment(ENGLISH).get_template("sections/actions.html.j2")

    assert says in template.render(n={**shop.usual()["actions"], "recommendations": found}, pictures={})


def test_the_settings_refuse_an_uplift_upside_down(tmp_path: Path) -> None:
    written = (Path(__file__).parents[1] / "params.yaml").read_text()
    path = tmp_path / "params.yaml"
    path.write_text(written.replace("uplift: [0.0, 0.05]", "uplift: [0.2, 0.05]", 1))

    with pytest.raises(InputError, match=r"report\.actions\.0\.uplift .*the lower end first, as in \[0\.05, 0\.2\]"):
        params.read(path)


def test_what_is_made_safe_for_a_spreadsheet_is_read_back_as_it_was():
    ids = ["+5511998877", "-7", "@ann", "=1+1", "'quoted", "plain", "NA"]
    frame = pd.DataFrame({"customer_id": ids, "rank": range(7)}).astype({"customer_id": "str"})
    pd.testing.assert_frame_equal(tables.spreadsheet_read(tables.spreadsheet_safe(frame)), frame)

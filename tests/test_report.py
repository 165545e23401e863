import json
from datetime import date

import ibis
import pandas as pd
import pytest

import report_tables as shop
from contract import ANSWERS, METRICS
from insiders.answers import guarantee, registry
from insiders.explore import months
from insiders.io import engine
from insiders.io.tracking import runs as tracking_runs
from insiders.report import metrics
from insiders.stages import report


def test_nine_answers_in_order_each_with_question_sentence_and_numbers():
    assert list(shop.usual()) == [row.key for row in registry.ANSWERS]
    assert [key for key in shop.usual() if key in ANSWERS.split()] == ANSWERS.split()  # more may be added
    for each in shop.usual().values():
        assert list(each)[:2] == ["question", "answer"]
        assert each["question"].endswith("?")
        assert each["answer"].endswith(".")
        assert len(each) > 2
    json.dumps(shop.usual(), allow_nan=False)


def test_sentences_are_built_from_the_numbers():
    assert shop.usual()["how_many"]["answer"] == (
        "40 of 400 known customers, 10.0%, where the programme can take from 2% to 15%. "
        "At 15% it would hold 60 customers and 80.8% of the expected revenue, instead of 77.3%."
    )
    assert shop.usual()["who"]["answer"].startswith(
        "40 customers are Insiders as of 10 December 2011, first of all 12012, "
    )
    assert "it brought 0.3% more than the best simple list" in shop.usual()["guarantee"]["answer"]


def test_shares_are_those_of_the_table():
    members = shop.members(shop.customers())
    inside = members["is_insider"]

    told = shop.usual()["revenue_share"]
    for column in ("gross_revenue", "net_revenue"):
        assert told[f"{column}_share"] == pytest.approx(members.loc[inside, column].sum() / members[column].sum())
    assert told["anonymous_share"] == 0.16
    rest = members.sort_values("net_revenue").head(390)
    share = rest.loc[rest["is_insider"], "net_revenue"].sum() / rest["net_revenue"].sum()
    assert told["net_revenue_share_without_largest"] == pytest.approx(share)


def test_segments_add_up_and_the_best_comes_first():
    rows = shop.usual()["traits"]["segments"]

    assert sum(row["customers"] for row in rows) == 400
    assert sum(row["net_revenue_share"] for row in rows) == pytest.approx(1, abs=1e-5)
    values = [row["revenue_per_customer"] for row in rows]
    assert values == sorted(values, reverse=True)


def test_captures_follow_from_the_ratios():
    found = {row["name"]: row["capture"] for row in shop.usual()["guarantee"]["captures"]}

    assert found["oracle"] == pytest.approx(0.5 / 0.8)
    assert found["lot"] == pytest.approx(0.1)
    assert found["sort"] == 0.494071


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.001, 1.1, "better"),
        (0.98, 1.02, "as_good"),
        (0.98, 0.99, "as_good"),
        (0.9, 1.05, "unproven"),
        (0.8, 0.9, "worse"),
    ],
)
def test_verdict_on_the_sort(low, high, expected):
    assert guarantee.verdict({"sort_lift_low": low, "sort_lift_high": high}, 0.03) == expected


def test_metrics_hold_the_contract_and_nothing_else():
    found = metrics.build(shop.usual())

    assert {section: list(values) for section, values in found.items()} == {
        section: keys.split() for section, keys in METRICS.items()
    }
    assert found["data"]["rows"] == 1000
    assert found["data"]["rows_kept"] == 790
    assert found["forecast"] == {key: shop.usual()["expected_revenue"][key] for key in METRICS["forecast"].split()}
    assert found["validation"]["regime"] == "model"


def test_a_tracking_server_gets_the_numbers_only():
    flat = metrics.flat(metrics.build(shop.usual()))

    assert flat["insiders.count"] == 40
    assert "model.embedding" not in flat
    assert all(isinstance(value, int | float) for value in flat.values())


def test_the_order_of_the_rows_changes_no_number():
    mixed = shop.members(shop.customers()).sample(frac=1, random_state=2, ignore_index=True)

    assert shop.nine(shop.Shop(people=mixed)) == shop.usual()


def test_months_are_exact_complete_and_marked():
    orders = ibis.memtable(
        pd.DataFrame(
            {
                "customer_id": ["a", "b", "a", "a"],
                "ordered_at": pd.to_datetime(
                    ["2011-01-01 00:00", "2011-01-31 23:59", "2011-03-05 12:00", "2011-03-20 12:00"]
                ),
                "net_revenue": [10.1, 0.2, 5.0, 7.0],
            }
        )
    )
    assignments = ibis.memtable(pd.DataFrame({"customer_id": ["a", "b"], "is_insider": [True, False]}))
    exact = orders.mutate(net_revenue=orders.net_revenue.cast("decimal(18, 4)"))

    sums = engine.fetch(engine.connect(), months.by_month(exact, assignments, date(2011, 3, 11)))

    expected = pd.DataFrame(
        {
            "month": pd.to_datetime(["2011-01-01", "2011-02-01", "2011-03-01"]),
            "insiders": [10.1, 0.0, 5.0],
            "others": [0.2, 0.0, 0.0],
            "is_partial": [False, False, True],
        }
    )
    found = months.side_by_side(sums, date(2011, 3, 11))
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, check_freq=False, check_names=False)


def test_a_first_month_that_begins_late_is_partial():
    sums = pd.DataFrame(
        {"month": [date(2011, 1, 1)], "is_insider": [True], "net_revenue": [1.0], "first_day": [date(2011, 1, 3)]}
    )

    assert months.side_by_side(sums, date(2011, 2, 1))["is_partial"].tolist() == [True]


class _Run:
    """Stands in for MLflow."""

    def __init__(self, name, params):
        self.name, self.params, self.logged = name, params, {}

    def __enter__(self):
        return self.logged.update

    def __exit__(self, *_error):
        return None


@pytest.fixture
def project(tmp_path, monkeypatch, request):
    shop.write(tmp_path)
    (tmp_path / "params.yaml").write_text((request.config.rootpath / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    runs = []
    monkeypatch.setattr(tracking_runs, "stage_run", lambda name, params: runs.append(_Run(name, params)) or runs[-1])
    return tmp_path, runs


def test_the_stage_writes_the_same_bytes_twice_and_logs_its_metrics(project):
    folder, runs = project
    outputs = ("index.html", "answers.json", "metrics.json")

    report.main()
    first = [(folder / "reports" / name).read_bytes() for name in outputs]
    report.main()

    assert [(folder / "reports" / name).read_bytes() for name in outputs] == first
    assert json.loads(first[2])["insiders"]["count"] == 40
    assert first[0].count(b"<svg") >= 9
    assert runs[0].name == "report"
    assert runs[0].logged["insiders.count"] == 40


@pytest.mark.parametrize(
    "missing", ["data/ledger.csv", "reports/insiders.csv", "models/registered.json", "data/orders.parquet"]
)
def test_the_stage_says_which_file_is_missing_and_keeps_the_last_page(project, missing):
    folder, _ = project
    (folder / missing).unlink()
    (folder / "reports/index.html").write_text("the last good page")

    with pytest.raises(SystemExit, match=f"{missing} is missing: run `dvc repro`"):
        report.main()

    assert (folder / "reports/index.html").read_text() == "the last good page"

"""What is told of a segment: differences, typical products and confidence of small shops worked out by hand."""

import ibis
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import report_tables
from insiders.explore import portraits, products
from insiders.io import engine

AS_OF = pd.Timestamp("2011-12-10").date()
NOTHING = pd.DataFrame(columns=["segment", "product_code", "buyers", "lift", "description"])


def bought(**counts: dict[str, int]) -> pd.DataFrame:
    rows = [(segment, code, each) for segment, codes in counts.items() for code, each in codes.items()]
    return pd.DataFrame(rows, columns=["segment", "product_code", "buyers"])


def test_a_typical_product_is_a_larger_part_of_what_the_segment_bought() -> None:
    """Insiders buy four times as much of everything: nothing but tea is theirs."""
    counts = bought(
        Insiders={"tea": 6000, "mug": 4000, "cap": 4000}, New={"tea": 1000, "mug": 1000, "cap": 1000, "pen": 500}
    )
    found = products.typical(counts, pd.Series({"Insiders": 9000, "New": 5000}))
    expected = pd.DataFrame(
        {
            "segment": ["Insiders", "New"],
            "product_code": ["tea", "pen"],
            "buyers": [6000, 500],
            "lift": [(60 / 140) / (10 / 35), (5 / 35) / (1 / 14_000)],
        }
    )
    assert_frame_equal(found, expected)


def test_what_may_be_chance_is_not_typical() -> None:
    """Twice the part in 20 customers, and in 2,000."""
    for times, typical in ((1, []), (100, ["tea"])):
        counts = bought(A={"tea": 20 * times, "mug": 80 * times}, B={"tea": 10 * times, "mug": 90 * times})
        found = products.typical(counts, pd.Series({"A": 90 * times, "B": 90 * times}))
        assert found.loc[found["segment"] == "A", "product_code"].tolist() == typical


def test_what_few_bought_is_not_typical() -> None:
    counts = bought(A={"tea": 9, "mug": 20}, B={"cap": 49, "mug": 9000})
    found = products.typical(counts, pd.Series({"A": 20, "B": 1000}))
    assert found["product_code"].tolist() == []


def test_a_segment_without_others_has_nothing_typical() -> None:
    assert products.typical(bought(A={"tea": 9}), pd.Series({"A": 20})).empty


def test_buyers_are_customers_of_sales_before_the_day() -> None:
    rows = [
        ("a", "tea", "sale", "2011-12-01"),
        ("a", "tea", "sale", "2011-12-02"),
        ("b", "tea", "sale", "2011-12-01"),
        ("b", "mug", "return", "2011-12-01"),
        ("b", "M", "credit", "2011-12-01"),
        ("c", "tea", "sale", "2011-12-10"),
        ("c", "mug", "sale", "2011-12-09 23:59"),
    ]
    lines = pd.DataFrame(rows, columns=["customer_id", "product_code", "kind", "ordered_at"])
    lines["ordered_at"] = pd.to_datetime(lines["ordered_at"], format="ISO8601")
    placed = pd.DataFrame({"customer_id": ["a", "b", "c"], "segment": ["Insiders", "Insiders", "New"]})
    found = products.buyers(ibis.memtable(lines), ibis.memtable(placed), AS_OF)
    assert engine.fetch(engine.connect(), found).to_dict("records") == [
        {"segment": "Insiders", "product_code": "tea", "buyers": 2},
        {"segment": "New", "product_code": "mug", "buyers": 1},
    ]


@pytest.mark.parametrize("codes", [["A", "B", "C"], []])
def test_products_bear_the_text_that_stands_beside_them_most(codes: list[str]) -> None:
    told = engine.fetch(
        engine.connect(),
        products.texts(ibis.memtable(report_tables.transactions().astype({"description": "str"})), codes),
    )
    found = products.describe(pd.DataFrame({"product_code": codes}, dtype="str"), told)
    assert found["description"].tolist() == ["ALARM CLOCK", "BUNTING", "C"][: len(codes)]


def test_products_of_a_shop_without_any_text_are_named_by_their_codes() -> None:
    texts = pd.DataFrame({"product_code": [], "description": [], "times": []})
    found = products.describe(pd.DataFrame({"product_code": ["A"]}, dtype="str"), texts)
    assert found["description"].tolist() == ["A"]
    assert found["description"].dtype == "str"


def people(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"segment": ["A"] * 5 + ["B"] * 5, "confidence": np.nan, **columns})


def test_what_sets_a_segment_apart_is_what_differs_most_in_no_unit() -> None:
    frame = people(
        net_revenue=[1e9, 90, 80, 70, 60, 55, 50, 40, 30, 20],
        order_count=[1, 2, 3, 4, 5, 5, 4, 3, 2, 1],
        recency_days=[1, 2, 6, 7, 8, 3, 4, 9, 10, 11],
    )
    found = portraits.portraits(frame, NOTHING, ("order_count", "recency_days", "net_revenue"))["A"]["apart"]
    assert found == [
        {"trait": "net_revenue", "segment_value": 80.0, "others_value": 40.0, "difference": pytest.approx(0.5)},
        {"trait": "recency_days", "segment_value": 6.0, "others_value": 9.0, "difference": pytest.approx(-0.3)},
    ]
    pence = frame.assign(net_revenue=frame["net_revenue"] * 100)
    again = portraits.portraits(pence, NOTHING, ("order_count", "recency_days", "net_revenue"))["A"]["apart"]
    assert [each["difference"] for each in again] == [each["difference"] for each in found]


def test_a_segment_is_as_sure_as_its_median_customer() -> None:
    frame = people(net_revenue=[1.0] * 10).assign(confidence=[1.0, 0.9, 0.8, 0.5, 0.2, *[np.nan] * 5])
    found = portraits.portraits(frame, NOTHING, ("net_revenue",))
    assert (found["A"]["confidence"], found["A"]["unsure_share"]) == (0.8, 0.4)
    assert (found["B"]["confidence"], found["B"]["unsure_share"]) == (None, None)
    assert found["A"]["apart"] == []


def test_everybody_in_one_segment_is_set_apart_from_nobody() -> None:
    frame = people(net_revenue=list(range(10))).assign(segment="A")
    assert portraits.portraits(frame, NOTHING, ("net_revenue",))["A"]["apart"] == []


def test_the_answers_say_it_in_words() -> None:
    rows = {row["segment"]: row for row in report_tables.usual()["traits"]["segments"]}
    best = rows["Segment 1"]
    assert best["products"][0]["description"] == "REGENCY CAKESTAND 3 TIER"
    assert (best["confidence"], best["unsure_share"]) == (1.0, 0.0)
    assert (rows["Segment 3"]["confidence"], rows["Segment 3"]["unsure_share"]) == (0.75, 0.5)
    assert report_tables.usual()["traits"]["unsure_below"] == portraits.UNSURE
    assert len(best["in_words"]) == len(best["apart"]) == portraits.APART
    assert best["in_words"][0].startswith("more orders (26, others 3)")
    assert all("\n" not in each and "  " not in each for each in best["in_words"])


def test_every_trait_has_words_for_both_sides() -> None:
    from insiders.answers import traits
    from insiders.language import Language
    from insiders.report import text

    words = text.environment(Language("en", "GBP")).globals["words"]
    assert set(words.sides) == set(traits.APART)
    assert all(len(set(each)) == 2 for each in words.sides.values())


def test_the_page_tells_which_segments_changed_since_the_champion_before() -> None:
    from insiders.language import Language
    from insiders.report import metrics, page

    rows = {row["segment"]: row for row in report_tables.usual()["traits"]["segments"]}
    assert rows["Segment 2"]["changed"] == {"recency_days": [40.0, 71.5], "net_revenue": [900.0, 700.0]}
    assert [rows[name]["matched_from"] for name in sorted(rows)] == ["Segment 1", "Segment 2", None]
    html = page.render(report_tables.usual(), metrics.build(report_tables.usual()), {}, Language("en", "GBP"))
    assert "Segment 2 is no longer what it was under the model before" in html
    assert "days since the last order: 40 there, 71.5 now; net revenue: £900 there, £700 now." in html
    assert html.count("no longer what it was") == 1


def test_what_a_candidate_changes_is_not_told_of_the_champion() -> None:
    waiting = report_tables.regime("model", version="4", alias="challenger")
    rows = report_tables.nine(report_tables.Shop(waiting))["traits"]["segments"]
    assert [row["changed"] for row in rows] == [{}] * 3

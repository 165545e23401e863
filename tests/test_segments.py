"""Names, profiles, baseline lists and reasons of small shops worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from insiders.model import segments

COLUMNS = [
    "net_revenue",
    "average_order_value",
    "order_count",
    "orders_per_month",
    "recency_days",
    "tenure_days",
    "distinct_product_count",
]
#              net  order  orders  /month  last  first  products
WHOLESALE = [9000, 450, 20, 2.0, 5, 300, 80]
LOYAL = [3000, 250, 12, 1.2, 10, 300, 60]
REGULAR = [800, 200, 4, 0.4, 40, 300, 30]
LAPSED_SMALL = [150, 150, 1, 0.1, 250, 250, 8]
LAPSED_LARGE = [900, 900, 1, 0.1, 250, 250, 9]
NEWCOMER = [200, 200, 1, 1.0, 20, 20, 10]


def shop(*groups: list[float], size: int = 2) -> tuple[pd.DataFrame, np.ndarray]:
    """`size` equal customers per group, and the group's place as their label."""
    rows = [group for group in groups for _ in range(size)]
    customers = pd.DataFrame(rows, columns=COLUMNS, dtype=float)
    customers.insert(0, "customer_id", pd.array([f"c{number}" for number in range(len(rows))], dtype="str"))
    customers["as_of"] = pd.Timestamp("2011-12-10").as_unit("us")
    return customers, np.repeat(np.arange(len(groups)), size)


def test_segments_are_named_by_what_they_are() -> None:
    customers, labels = shop(WHOLESALE, REGULAR, NEWCOMER, LAPSED_SMALL)
    assert segments.name_segments(customers, labels) == {0: "Frequent", 1: "Regular", 2: "New", 3: "Lapsed"}


def test_segments_of_one_name_are_told_apart_by_what_differs() -> None:
    customers, labels = shop(WHOLESALE, LAPSED_SMALL, LAPSED_LARGE)
    names = segments.name_segments(customers, labels)
    assert names == {0: "Frequent", 1: "Lapsed, small orders", 2: "Lapsed, large orders"}


def test_clusters_that_nothing_tells_apart_are_numbered() -> None:
    customers, labels = shop(WHOLESALE, REGULAR, REGULAR)
    assert sorted(segments.name_segments(customers, labels).values()) == ["Frequent", "Regular, 1", "Regular, 2"]


def test_noise_is_unclustered() -> None:
    customers, labels = shop(WHOLESALE, REGULAR)
    assert segments.name_segments(customers, np.where(labels == 1, -1, labels)) == {
        0: "Frequent",
        -1: "Unclustered",
    }


rows = st.tuples(*[st.integers(0, 400) for _ in COLUMNS]).map(list)


@settings(max_examples=25, deadline=None)
@given(groups=st.lists(rows, min_size=2, max_size=9), order=st.randoms())
def test_names_are_unique_and_do_not_depend_on_numbers_or_order(groups: list, order) -> None:
    customers, labels = shop(*groups)
    names = segments.name_segments(customers, labels)
    assert len(set(names.values())) == len(groups)
    if len({tuple(group) for group in groups}) < len(groups):
        return
    shuffled = list(range(len(customers)))
    order.shuffle(shuffled)
    renumbered = {number: (number * 7 + 3) % 101 for number in range(len(groups))}
    again = segments.name_segments(
        customers.iloc[shuffled],
        np.array([renumbered[each] for each in labels[shuffled]]),
    )
    assert again == {renumbered[number]: name for number, name in names.items()}


def test_profiles_count_people_and_money() -> None:
    customers, labels = shop(WHOLESALE, REGULAR, LAPSED_SMALL)
    found = segments.profiles(customers, labels)
    assert found["customers"].tolist() == [2, 2, 2]
    assert found["customer_share"].tolist() == [1 / 3] * 3
    assert found["net_revenue_share"].tolist() == [18000 / 19900, 1600 / 19900, 300 / 19900]
    assert found.loc[1, COLUMNS].tolist() == REGULAR
    assert found.index.name == "cluster"


def test_a_baseline_takes_the_highest_values() -> None:
    customers, _ = shop(WHOLESALE, LOYAL, REGULAR, size=1)
    found = segments.baseline(customers, "net_revenue", 2)
    expected = pd.DataFrame(
        {
            "cluster": [-1, -1, -1],
            "segment": pd.array(["Insiders", "Insiders", "Others"], dtype="str"),
            "is_insider": [True, True, False],
        }
    )
    assert_frame_equal(found, expected)


def test_ties_at_the_end_of_a_baseline_are_decided_by_behaviour_never_by_name() -> None:
    customers, _ = shop(WHOLESALE, REGULAR, REGULAR, size=1)
    assert segments.baseline(customers, "net_revenue", 2)["is_insider"].tolist() == [True, False, False]
    customers.loc[2, "recency_days"] = 39
    assert segments.baseline(customers, "net_revenue", 2)["is_insider"].tolist() == [True, False, True]


@pytest.mark.parametrize("count", [0, 5])
def test_a_baseline_may_name_nobody_or_everybody(count: int) -> None:
    customers, _ = shop(WHOLESALE, REGULAR)
    assert segments.baseline(customers, "net_revenue", count)["is_insider"].tolist() == [count > 0] * 4

from insiders import actions

OVERALL = {
    "customers": 100,
    "recency_days": 50.0,
    "order_count": 2.0,
    "average_order_value": 200.0,
    "returned_revenue_share": 0.0,
    "tenure_days": 200.0,
}
TYPICAL = {**OVERALL, "segment": "Regular", "is_insider": False, "customers": 60}


def _keys(**changes):
    told = actions.suggest([{**TYPICAL, **changes}], OVERALL)
    return [each["key"] for each in told[0]["do"]]


def test_insiders_are_invited_and_called_when_they_stay_away():
    assert _keys(is_insider=True, recency_days=10.0) == ["invite"]
    assert _keys(is_insider=True, recency_days=50.0) == ["invite", "call"]


def test_others_get_what_their_medians_suggest():
    assert _keys(recency_days=75.0) == ["win_back"]
    assert _keys(average_order_value=300.0) == ["raise_frequency"]
    assert _keys(order_count=3.0, tenure_days=100.0) == ["raise_basket", "welcome"]


def test_where_nothing_returns_a_floor_keeps_small_shares_quiet():
    assert _keys(returned_revenue_share=0.04) == ["hold"]
    assert _keys(returned_revenue_share=0.05) == ["check_returns"]


def test_each_suggestion_carries_the_figures_that_decided_it():
    told = actions.suggest([{**TYPICAL, "recency_days": 80.0}], OVERALL)

    assert told == [
        {
            "segment": "Regular",
            "customers": 60,
            "is_insider": False,
            "do": [{"key": "win_back", "column": "recency_days", "segment_value": 80.0, "overall_value": 50.0}],
        }
    ]

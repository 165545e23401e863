"""The membership: small programmes walked by hand, who pays for stillness, and that nobody drops out by buying."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insiders import schemas
from insiders.language import Language
from insiders.programme import arms, hands, members, membership, proposal, reasons, size, stillness
from insiders.programme.arms import HELD_OUT, INVITED, Lottery
from insiders.programme.decisions import Decision, DecisionTerms
from insiders.programme.membership import Policy
from insiders.programme.size import Limits, Place

STARTS = pd.date_range("2011-01-01", periods=12, freq="MS").as_unit("us")
LOTTERY = Lottery(7, 0.25)
POLICY = Policy(1.5, 1)
NOBODY = pd.Series({}, dtype="str")
STILL = stillness.StillnessTerms(0.5, 3, 1.0, (1.5,), (1,))


def people(scores: dict[str, float], day: pd.Timestamp = STARTS[0], away: float = 90) -> pd.DataFrame:
    """Customers of one day with a score each; nobody ordered in the last three months."""
    table = pd.DataFrame({"customer_id": list(scores), "score": list(scores.values())})
    return table.assign(as_of=day, net_revenue=table["score"], recency_days=away, order_count=2.0)


def look(order: str, month: int, places: int = 2, buyers: str = "", decided: dict[str, str] | None = None):
    """A roster on which the customers stand in this order, the best first."""
    known = people({each: 100.0 - place for place, each in enumerate(order)}, STARTS[month])
    known.loc[known["customer_id"].isin(list(buyers)), "recency_days"] = 5.0
    before = STARTS[month - 1] if month else None
    return members.roster(known, places, before, pd.Series(decided or {}, dtype="str"))


def walk(*rosters: members.Roster, policy: Policy = POLICY) -> list[pd.DataFrame]:
    return list(members.walk(rosters, policy, LOTTERY))


def inside(table: pd.DataFrame) -> str:
    return "".join(sorted(members.inside(table).index))


# --- who is in ---


def test_the_best_enter_and_stay_within_the_band():
    first, second, third = walk(look("abcdef", 0), look("acbdef", 1), look("acdbef", 2))
    assert inside(first) == "ab"
    assert inside(second) == "ab"  # b is third of two, within the band
    assert second["reason"].to_dict() == {"a": "by_rank", "b": "by_band"}
    assert third.loc["b", "status"] == "grace"


def test_grace_ends_after_its_months_and_the_place_goes_to_the_next():
    *_, third, fourth = walk(look("abcdef", 0), look("abcdef", 1), look("acdbef", 2), look("acdbef", 3))
    assert third.loc["b", ["status", "until", "reason"]].tolist() == ["grace", STARTS[3], "by_grace"]
    assert fourth.loc["b", ["status", "until", "reason"]].tolist() == ["left", STARTS[3], "fell"]
    assert inside(fourth) == "ac"
    assert fourth.loc["c", ["since", "event"]].tolist() == [STARTS[3], "joined"]


def test_who_comes_back_during_grace_has_never_left():
    tables = walk(look("abcdef", 0), look("acdbef", 1), look("acbdef", 2), look("acdbef", 3))
    assert [table.loc["b", "status"] for table in tables] == ["member", "grace", "member", "grace"]
    assert tables[-1].loc["b", "since"] == STARTS[0]
    assert tables[-1].loc["b", "until"] == STARTS[4]  # the second grace begins anew


def test_who_is_far_above_the_border_waits_for_nobody():
    rosters = (look("abcdefghij", 0, places=4), look("xyabefghcdij", 1, places=4))
    last = walk(*rosters, policy=Policy(2.0, 3))[-1]
    assert inside(last) == "abxy"  # c and d, ninth and tenth, are beyond twice the size and give way


def test_a_place_kept_by_the_band_alone_is_left_to_who_is_far_above_the_border():
    last = walk(look("abcdef", 0), look("xbacde", 1), policy=Policy(2.0, 3))[-1]
    assert inside(last) == "bx"
    assert last.loc["a", ["status", "reason"]].tolist() == ["left", "no_place"]


def test_who_leaves_and_returns_keeps_the_arm_and_begins_anew():
    tables = walk(look("abcd", 0), look("cdab", 1), look("abcd", 2), policy=Policy(1.0, 0))
    assert [inside(table) for table in tables] == ["ab", "cd", "ab"]
    assert tables[2].loc["a", ["event", "since"]].tolist() == ["returned", STARTS[2]]
    assert tables[2]["arm"].to_dict() == tables[1]["arm"].to_dict()
    assert tables[2].loc["c", ["status", "until"]].tolist() == ["left", STARTS[2]]


def test_whoever_is_no_longer_a_customer_leaves():
    last = walk(look("abcd", 0), look("acd", 1))[-1]
    assert last.loc["b", ["status", "reason"]].tolist() == ["left", "unknown"]


def test_an_order_keeps_the_rank_of_the_check_before():
    tables = walk(look("abcdef", 0), look("acdefb", 1, buyers="b"), look("acdefb", 2, buyers="b"))
    assert tables[1].loc["b", ["status", "reason"]].tolist() == ["member", "by_order"]
    assert tables[2].loc["b", "status"] == "grace"  # another one that lifts nobody does not count for ever


def test_fewer_places_are_kept_by_the_best():
    last = walk(look("abcdef", 0, places=4), look("bacdef", 1, places=3))[-1]
    assert inside(last) == "abc"
    assert last.loc["d", ["status", "reason"]].tolist() == ["left", "no_place"]


def test_hands_go_before_the_score():
    last = walk(look("abcdef", 0), look("abcdef", 1, decided={"f": "in", "a": "out", "b": "never"}))[-1]
    assert inside(last) == "cf"
    assert last["reason"].to_dict() == {
        "a": "kept_out_by_hand",
        "b": "objected",
        "c": "by_rank",
        "f": "by_hand",
    }


def test_a_later_hand_replaces_an_earlier_one():
    given_ = [("a", "in"), ("b", "never"), ("a", "out"), ("b", "auto")]
    entries = [hands.entry({"customer_id": who, "hand": hand, "why": "", "on": "2011-01-01"}) for who, hand in given_]
    assert hands.current(entries).to_dict() == {"a": "out"}


order = st.permutations(list("abcdefghij"))


@settings(max_examples=40, deadline=None)
@given(
    orders=st.lists(order, min_size=2, max_size=6),
    places=st.integers(1, 6),
    band=st.sampled_from([1.0, 1.25, 2.0]),
    grace=st.integers(0, 2),
    data=st.data(),
)
def test_every_place_is_taken_and_nobody_drops_out_by_buying(orders, places, band, grace, data):
    """The last check twice: a member stands as before or lower; or bought, whatever that does to the score."""
    rosters = [look("".join(each), month, places) for month, each in enumerate(orders[:-1])]
    policy = Policy(band, grace)
    tables = walk(*rosters, policy=policy)
    assert [len(members.inside(table)) for table in tables] == [places] * len(tables)
    buyer = data.draw(st.sampled_from(sorted(members.inside(tables[-1]).index)))
    lowest, month = int(tables[-1].loc[buyer, "place"]) - 1, len(orders) - 1
    without, bought = (
        members.review(tables[-1], look(moved(orders[-1], buyer, place), month, places, buys), policy, LOTTERY)
        for place, buys in ((data.draw(st.integers(lowest, 9)), ""), (data.draw(st.integers(0, 9)), buyer))
    )
    assert buyer not in members.inside(without).index or buyer in members.inside(bought).index


def test_who_ordered_keeps_the_place_before_whoever_rises_to_the_same_rank():
    """Of two members for one place: a ordered and fell from rank 6 to 7, by which f rises to 6; without, a stays."""
    tables = walk(look("abcdfeghij", 0, 3), look("fgcdeabhij", 1, 3), policy=Policy(2.0, 0))
    without = members.review(tables[-1], look("gbcdeafhij", 2, 3), Policy(2.0, 0), LOTTERY)
    bought = members.review(tables[-1], look("gbcdefahij", 2, 3, "a"), Policy(2.0, 0), LOTTERY)
    assert [sorted(members.inside(table).index) for table in (without, bought)] == [["a", "c", "g"]] * 2


def moved(order_: list[str], who: str, place: int) -> str:
    """The others as they stand, and this one at a place (0: the first)."""
    others = [each for each in order_ if each != who]
    return "".join([*others[:place], who, *others[place:]])


@settings(max_examples=30, deadline=None)
@given(orders=st.lists(order, min_size=1, max_size=5), place=st.integers(0, 9), data=st.data())
def test_a_higher_score_never_costs_the_place(orders, place, data):
    rosters = [look("".join(each), month, 3) for month, each in enumerate(orders)]
    before = walk(*rosters[:-1])[-1] if len(rosters) > 1 else members.none()
    last = list(orders[-1])
    who = last[place]
    better = [each for each in last if each != who]
    better.insert(data.draw(st.integers(0, place)), who)
    month = len(orders) - 1
    tables = [members.review(before, look("".join(each), month, 3), Policy(1.5, 1), LOTTERY) for each in (last, better)]
    one, other = (who in members.inside(table).index for table in tables)
    assert other or not one


@settings(max_examples=15, deadline=None)
@given(orders=st.lists(order, min_size=2, max_size=5))
def test_arrays_and_tables_tell_the_same_walk(orders):
    rosters = [look("".join(each), month, 3) for month, each in enumerate(orders)]
    policy = Policy(1.25, 1)
    checks, _ = members.aligned(rosters)
    walked = membership.replay(checks, policy)
    for column, table in enumerate(walk(*rosters, policy=policy)):
        told = table["event"].reindex(list("abcdefghij")).fillna("outside")
        assert told.tolist() == [membership.Event(each).name.lower() for each in walked[:, column]]


def test_the_table_keeps_its_contract_and_does_not_depend_on_the_order_of_rows():
    tables = walk(*(look("abcdef", month, buyers="c") for month in range(3)))
    last = tables[-1].assign(release="r").reset_index()
    schemas.MEMBERS.validate(last)
    known = people({"b": 2.0, "a": 1.0, "c": 2.0})
    shuffled = known.iloc[[2, 0, 1]].reset_index(drop=True)
    one, other = (members.roster(each, 1, None, NOBODY).customers for each in (known, shuffled))
    pd.testing.assert_frame_equal(one, other)


# --- how still ---


def test_the_policy_gives_up_the_least_of_the_scores():
    rosters = [look("".join(each), month, 2) for month, each in enumerate(["abcdef", "acbdef"] * 4)]
    checks, scores = members.aligned(rosters)
    terms = STILL._replace(bands=(1.0, 1.5, 2.0), graces=(0, 1), flip_share_max=1.0)
    chosen = stillness.choose(checks, scores, terms)
    assert chosen.policy == Policy(1.0, 0)  # b and c change places every month, and may
    assert (chosen.flip_share, chosen.leave_share) == (1.0, 0.5)
    stiller = stillness.choose(checks, scores, terms._replace(leave_share_max=0.4))
    assert stiller.policy == Policy(1.5, 0)
    assert stiller.leave_share == 0.0
    assert stiller.score_share < chosen.score_share == 1.0


def test_where_no_policy_is_still_enough_the_closest_is_taken():
    rosters = [look(each, month, 2) for month, each in enumerate(["abcdef", "cdefab"] * 4)]
    checks, scores = members.aligned(rosters)
    terms = STILL._replace(bands=(1.0, 2.0), graces=(0, 1), flip_share_max=0.5, leave_share_max=0.1)
    assert stillness.choose(checks, scores, terms).policy == Policy(2.0, 1)


def test_a_shop_without_a_past_begins_with_the_usual_policy():
    """Few months say nothing: that of all candidates which gives up the least would flip most from then on."""
    rosters = [look("abcdef", month, 2) for month in range(6)]
    terms = STILL._replace(bands=(1.0, 1.2, 2.0), graces=(0, 1, 2), flip_share_max=1.0)
    young, older = (stillness.choose(*members.aligned(rosters[:months]), terms) for months in (1, 5))
    assert (young.policy, young.months) == (Policy(1.2, 1), 0)
    assert (older.policy, older.months) == (Policy(1.2, 1), 4)
    assert stillness.choose(*members.aligned([*rosters, look("abcdef", 6, 2)]), terms).policy == Policy(1.0, 0)


def test_who_is_in_at_the_first_check_is_not_new_then():
    joined, left, back = membership.Event.JOINED, membership.Event.LEFT, membership.Event.RETURNED
    walked = np.array([[joined, left, 0, 0], [0, joined, left, back]])
    assert stillness.flips(walked, np.arange(4), within=3).tolist() == [[False] * 4, [False, False, True, True]]


# --- how many ---


def test_a_size_is_a_count_a_share_or_what_pays():
    assert size.places(size.fixed(300, 4000), 4000) == 300
    assert size.fixed(0.06, 4000) == 0.06
    assert size.fixed(500, 400) == 1.0
    assert size.places(0.0, 400) == 0
    assert size.places(0.0001, 400) == 1
    place = Place(cost=2.0, margin_share=0.4, uplift=0.05)
    assert place.paying(np.array([500.0, 100.0, 99.0, 0.0])) == 2
    assert place._replace(cost=None).paying(np.array([500.0])) is None


@pytest.mark.parametrize(
    ("share", "last", "held"),
    [(0.3, None, 0.15), (0.01, None, 0.02), (0.15, 0.1, 0.11), (0.02, 0.1, 0.09), (0.05, 0.0, 0.05)],
)
def test_an_automatic_size_keeps_within_its_limits_and_near_the_last(share, last, held):
    assert Limits(0.02, 0.15, last).hold(share) == pytest.approx(held)


# --- by lot ---


def joining(count: int, start: int = 0) -> pd.DataFrame:
    number = np.arange(start, start + count)
    return pd.DataFrame({"customer_id": [f"c{each}" for each in number], "stratum": number % 4 + 1})


def test_the_lot_keeps_the_share_in_every_stratum_as_members_come():
    drawn = joining(0).assign(arm=pd.Series([], dtype="str"))
    for start in range(0, 400, 10):
        new = joining(10, start)
        drawn = pd.concat([drawn, new.assign(arm=arms.draw(new, drawn, LOTTERY))], ignore_index=True)
    held = drawn["arm"].eq(HELD_OUT).groupby(drawn["stratum"]).mean()
    assert held.to_dict() == {1: 0.25, 2: 0.25, 3: 0.25, 4: 0.25}


def test_the_lot_depends_on_the_ids_and_the_seed_alone():
    new, none = joining(80), joining(0).assign(arm=pd.Series([], dtype="str"))
    drawn = arms.draw(new, none, LOTTERY)
    mixed = arms.draw(new.sample(frac=1, random_state=1), none, LOTTERY)
    assert mixed.sort_index().tolist() == drawn.tolist()
    assert arms.draw(new, none, Lottery(8, 0.25)).tolist() != drawn.tolist()
    assert set(arms.draw(new, none, Lottery(7, 0.0))) == {INVITED}


def test_quarters_of_the_programme():
    assert arms.strata(np.array([1, 2, 3, 4, 5, 8, 9]), 8).tolist() == [1, 1, 2, 2, 3, 4, 4]


# --- what is proposed ---


def decision(as_of: str, table: pd.DataFrame, places: int = 2) -> Decision:
    terms = DecisionTerms(
        size=places,
        customers=6,
        band=1.5,
        border=int(places * 1.5),
        grace_months=1,
        rule="",
        model_version="1",
        release="r",
    )
    return Decision(pd.Timestamp(as_of).date(), terms, table)


def months(*orders: str) -> list[pd.DataFrame]:
    scored = [{each: 100.0 - place for place, each in enumerate(order_)} for order_ in orders]
    return [people(each, day) for each, day in zip(scored, STARTS, strict=False)]


def test_before_the_first_decision_the_months_of_the_past_are_walked():
    *past, present = months("abcdef", "abcdef", "acbdef")
    terms = proposal.ProposalTerms(STILL, LOTTERY, NOBODY)
    made = proposal.from_past(past, present, 1 / 3, terms)
    assert list(made.tables) == list(STARTS[:3])
    assert inside(made.members) == "ab"
    again = proposal.from_past(past, present, 1 / 3, terms)
    pd.testing.assert_frame_equal(made.members, again.members)
    moved = proposal.movement(made.tables, decided=False)
    assert moved.groupby("as_of")["event"].agg(list).to_dict() == {
        STARTS[0]: ["joined", "joined"],
        STARTS[1]: ["stayed", "stayed"],
        STARTS[2]: ["stayed", "stayed"],
    }


def test_a_hand_counts_from_the_next_check_on_and_not_in_the_past():
    *past, present = months("abcdef", "abcdef")
    terms = proposal.ProposalTerms(STILL, LOTTERY, pd.Series({"a": "out"}))
    made = proposal.from_past(past, present, 1 / 3, terms)
    assert [inside(table) for table in made.tables.values()] == ["ab", "bc"]


def test_after_a_decision_only_the_present_is_walked():
    first = walk(look("abcdef", 0))[0]
    present = months("abcdef", "acbdef")[1]
    made = proposal.from_decision(
        decision("2011-01-01", first), present, 1 / 3, proposal.ProposalTerms(STILL, LOTTERY, NOBODY)
    )
    assert list(made.tables) == [STARTS[1]]
    assert inside(made.members) == "ab"
    assert made.members["since"].unique().tolist() == [STARTS[0]]
    assert made.policy == Policy(1.5, 1)


# --- in words ---


@pytest.mark.parametrize("name", ["en", "pt-BR"])
def test_everybody_is_told_why(name):
    last = walk(look("abcdef", 0), look("acdbef", 1))[-1].assign(release="r").reset_index()
    terms = decision("2011-02-01", last).terms
    known = people({"a": 1234.5, "b": 5.0, "f": 1.0})
    told = reasons.texts(known, last, terms, Language(name, "GBP")).tolist()
    assert len(set(told)) == 3
    assert max(len(text.split()) for text in told) <= 12
    if name == "en":
        assert told == [
            "place 1 by score; the programme has 2 places",
            "leaves on 1 March 2011 unless they come back to place 3",
            "not among the 2 customers with the highest score",
        ]


@pytest.mark.parametrize("name", ["en", "pt-BR"])
def test_no_reason_is_longer_than_twelve_words(name):
    language = Language(name, "GBP")
    day = language.day("2011-12-31")
    for rule in ("", "[]"):
        terms = decision("2011-02-01", walk(look("abcdef", 0))[-1].assign(release="r").reset_index()).terms
        told = reasons.wording({**terms, "rule": rule}, language).values()
        assert [text for text in told if len(text.format(place="1,234", until=day).split()) > 12] == []


def test_a_member_stands_out_by_what_is_furthest_ahead_of_the_typical_one():
    own = {"net_revenue": 100.0, "order_count": 9.0, "recency_days": 5.0, "average_order_value": 9.5}
    typical = pd.Series({**own, "order_count": 3.0, "distinct_product_count": 4.0})
    known = pd.DataFrame([{**own, "distinct_product_count": 4.0}, {**typical, "net_revenue": 1234.5}])
    assert reasons.special(known, typical, Language("en", "GBP")) == [
        "orders: 9 (typical Insider: 3)",
        "net revenue: £1,234 (typical Insider: £100)",
    ]


def test_every_reason_has_its_words():
    terms, left = decision("2011-02-01", members.none()).terms, members.REASONS[members.REASONS.index(members.FELL) :]
    for rule in ("", "[]"):
        words = reasons.wording({**terms, "rule": rule}, Language("en", "GBP"))
        assert set(words) == {*members.REASONS, reasons.OUTSIDE}
        assert {reason for reason, text in words.items() if text.startswith("left on ")} == set(left)

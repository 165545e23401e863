"""What `insiders explain` tells: the whole story of one customer, in the words of the rules and their own figures."""

from pathlib import Path

import pandas as pd
import pytest

import customer_tables as shop
import report_tables
from insiders.answers import customer
from insiders.errors import InputError
from insiders.io import paths, tables
from insiders.language import Language
from insiders.programme import criteria, enter, story
from insiders.programme.criteria import Criteria
from insiders.programme.decisions import DecisionTerms
from insiders.programme.learning import Fit
from insiders.programme.rules import Condition
from insiders.programme.story import Subject
from insiders.report import text
from insiders.stages import assign

ENTER = ((Condition("net_revenue", 8000.0), Condition("recency_days", 30.0)), (Condition("order_count_90d", 5.0),))
STAY = ((Condition("net_revenue", 6000.0), Condition("recency_days", 40.0)), (Condition("order_count_90d", 3.0),))
CRITERIA = Criteria(Fit(ENTER, 0.95, 0.9), Fit(STAY, 0.9, 0.9))
TERMS = DecisionTerms(
    size=100, customers=1000, band=1.25, border=125, grace_months=1, rule="", model_version="3", release="r"
)
WORDS = text.words(Language("en", "GBP"))
STARTS = pd.date_range("2011-08-01", periods=3, freq="MS").as_unit("us")
CHECKS = pd.DataFrame(
    {
        "as_of": STARTS,
        "event": ["outside", "joined", "in_grace"],
        "reason": [None, "by_rank", "by_grace"],
        "decided": [False, False, True],
    }
)


def someone(net: float, recency: float, orders: float, place: int = 40) -> pd.DataFrame:
    figures = {"net_revenue": net, "recency_days": recency, "order_count_90d": orders, "place": place}
    return shop.customers(1).assign(**figures, is_insider=place <= 125)


def record(**changes: object) -> pd.Series:
    row = {"status": "member", "since": STARTS[1], "until": pd.NaT, "arm": "held_out", "rank": 33}
    return pd.Series({**row, **changes})


def tell(customer: pd.DataFrame, known: pd.Series | None, criteria: Criteria = CRITERIA) -> list[str]:
    return story.tell(Subject(customer, known, CHECKS), criteria, TERMS, WORDS)


def test_a_member_learns_where_they_stand_and_what_is_met():
    assert tell(someone(9000, 12, 1), record()) == [
        "A member since 2011-09-01, held out; rank 33 of the members by score.",
        "",
        "The score decides who enters; in plain words, one of these ways must hold: 95% of those who meet it are "
        "members, and 90% of the members meet it.",
        "  met     net revenue: at least 8,000 (has 9,000.00)",
        "  met     days since the last order: at most 30 (has 12)",
        "  or",
        "  missed  orders in the last 90 days: at least 5 (has 1)",
        "",
        "A member stays up to place 125 by score, and for 1 month beyond it. Here: place 40.",
        "In plain words, one of these ways must hold to stay.",
        "  met     net revenue: at least 6,000 (has 9,000.00)",
        "  met     days since the last order: at most 40 (has 12)",
        "  or",
        "  missed  orders in the last 90 days: at least 3 (has 1)",
        "",
        story.CHECKS_HEAD,
        "  2011-08-01  simulated no member",
        "  2011-09-01  simulated joined: within the size of the programme",
        "  2011-10-01  decided   in grace: beyond the border to stay",
    ]


def test_who_is_out_learns_the_shortest_way_in():
    lines = tell(someone(200, 9, 4, 900), None)
    assert lines[0] == "Never a member of the programme."
    assert "The shortest way to meet it: 1 more orders in the last 90 days." in lines
    lines = tell(someone(7900, 45, 0, 900), record(status="left", until=STARTS[2]))
    assert lines[0] == "A member from 2011-09-01 until 2011-10-01."
    assert (
        "The shortest way to meet it: 100.00 more net revenue and an order (the last one was 45 days ago, at most 30 "
        "are allowed)." in lines
    )


def test_who_is_in_grace_learns_what_keeps_them():
    lines = tell(someone(9000, 75, 0, 130), record(status="grace", until=STARTS[2]))
    assert "In grace: leaves on 2011-10-01 unless back within place 125." in lines


def test_where_words_and_membership_differ_it_is_said():
    member, stranger = tell(someone(1, 75, 0), record()), tell(someone(9000, 1, 9, 900), None)
    assert "Here the words and the membership differ: this customer is a member." in member
    assert "Here the words and the membership differ: this customer is no member." in stranger


def test_without_conditions_nothing_is_claimed():
    lines = tell(someone(9000, 1, 0), None, Criteria(None, None))
    assert lines[1] == "No conditions describe this membership, so nothing can be said about entering and leaving."


# --- from the tables ---


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project as the stages before the report leave it."""
    monkeypatch.chdir(tmp_path)
    report_tables.write(tmp_path)
    shop.copy_params()


@pytest.mark.usefixtures("project")
def test_the_story_uses_the_rules_of_the_page():
    people = report_tables.members(report_tables.customers())
    known = report_tables.timeline_of(people)
    on_page = enter.numbers(criteria.learn(known, report_tables.DECIDED), known)
    lines = customer.explain("12000")
    asked = [line.split(": ")[1].split(" (")[0] for line in lines if line.startswith(("  met", "  missed"))]
    written = [f"{each['bound'].replace('_', ' ')} {each['threshold']:,g}" for way in on_page["ways"] for each in way]
    assert asked[: len(written)] == written
    assert lines[:2] == ["customer 12000", "Segment 1: an Insider"]
    assert lines[4] == "confidence 1.00: the share of the most similar customers in this segment"
    net = people.loc[0, "net_revenue"]
    assert any(line.split()[:3] == ["net_revenue", f"{net:,.2f}", "currency"] for line in lines)


@pytest.mark.usefixtures("project")
def test_an_unknown_customer_is_named_with_an_example():
    with pytest.raises(InputError, match=r"customer 'nobody' is not among the 400 .* an id there looks like '12000'"):
        customer.explain("nobody")


@pytest.mark.usefixtures("store")
def test_without_a_list_the_story_still_tells_the_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    shop.write_project()
    tables.write_json({"regime": "none", "baseline": None}, paths.REGISTERED)
    assign.main()
    lines = customer.explain("c001")
    assert lines[1] == "Others: not an Insider"
    assert not [line for line in lines if line.startswith("confidence")]
    assert any(line.startswith("No conditions describe this membership") for line in lines)

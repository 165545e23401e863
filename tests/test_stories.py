"""What `insiders explain` tells: the whole story of one customer, in the words of the rules and their own figures."""

import re
from pathlib import Path

import pandas as pd
import pytest

import customer_tables as shop
import report_tables
from insiders.answers import customer
from insiders.errors import InputError
from insiders.io import paths, tables
from insiders.language import Language
from insiders.programme import criteria, enter, rules, simulation, story
from insiders.programme.criteria import Criteria, Timeline
from insiders.programme.learning import Fit
from insiders.programme.rules import Condition, loosen
from insiders.programme.simulation import Grid
from insiders.report import text
from insiders.stages import assign

ENTER = ((Condition("net_revenue", 8000.0), Condition("recency_days", 30.0)), (Condition("order_count_90d", 5.0),))
LABELS = text.labels(Language("en", "GBP"))
STARTS = pd.date_range("2011-08-01", periods=4, freq="MS").as_unit("us")


def past_row(day: pd.Timestamp, net: float, recency: float, orders: float) -> pd.DataFrame:
    row = shop.customers(1, day).assign(net_revenue=net, recency_days=recency, order_count_90d=orders)
    return rules.add_figures(row.assign(segment="Regular", is_insider=net >= 8000))


def timeline(*figures: tuple[float, float, float], months: int = 4) -> Timeline:
    """Figures at the last `months` of four month starts, and nine days after the last of them."""
    days = [*STARTS[4 - months :], STARTS[-1] + pd.Timedelta(days=9)]
    rows = [past_row(day, *each) for day, each in zip(days, figures, strict=True)]
    return Timeline(rows[-1], pd.concat(rows[:-1]) if months else rows[-1].iloc[:0])


def tell(people: Timeline) -> list[str]:
    stay = loosen(ENTER, 0.25)
    assert stay == (
        (Condition("net_revenue", 6000.0), Condition("recency_days", 40.0)),
        (Condition("order_count_90d", 3.0),),
    )
    checks = people.checks
    grid = Grid.of(checks)
    enters, stays = (grid.fill(rules.meets(rule, checks)) for rule in (ENTER, stay))
    events = simulation.replay(enters, stays, grid.months, 1)
    policy = simulation.Policy(stay, 0.25, 1, events, None, None)
    return story.tell("c000", Criteria(Fit(ENTER, 0.95, 0.9), policy), people, LABELS)


def test_a_member_learns_what_is_met_and_how_much_room_is_left():
    lines = tell(timeline((9000, 10, 1), (9000, 10, 1), (9000, 10, 1), (9000, 10, 1), (9000, 12, 1)))
    assert lines == [
        "To enter, one of these ways must hold. The rule describes the list: 95% of those who meet it are "
        "Insiders, and 90% of the Insiders meet it.",
        "  met     net revenue: at least 8,000 (has 9,000.00)",
        "  met     days since the last order: at most 30 (has 12)",
        "  or",
        "  missed  orders in the last 90 days: at least 5 (has 1)",
        "",
        "To stay, one of these ways must hold. A member who misses it for 1 month leaves.",
        "  met     net revenue: at least 6,000 (has 9,000.00)",
        "  met     days since the last order: at most 40 (has 12)",
        "  or",
        "  missed  orders in the last 90 days: at least 3 (has 1)",
        "Room left before they would miss it: more than 3,000.00 less net revenue or 29 more days without an order.",
        "",
        *story.MONTHS_HEAD,
        *(
            f"  {day}  {'Regular':<34} {event}: net revenue 9,000.00 (at least {least}) and days since the last order "
            f"{recency} (at most {most})"
            for day, event, least, recency, most in [
                ("2011-08-01", "joined", "8,000", 10, 30),
                ("2011-09-01", "stayed", "6,000", 10, 40),
                ("2011-10-01", "stayed", "6,000", 10, 40),
                ("2011-11-01", "stayed", "6,000", 10, 40),
                ("2011-11-10", "stayed", "6,000", 12, 40),
            ]
        ),
    ]


def test_who_is_out_learns_the_shortest_way_in():
    lines = tell(timeline((100, 9, 0), (200, 9, 4), months=1))
    assert "The shortest way in: 1 more orders in the last 90 days." in lines
    assert not [line for line in lines if line.startswith(("Room", "In grace"))]
    lines = tell(timeline((100, 9, 0), (7900, 45, 0), months=1))
    assert (
        "The shortest way in: 100.00 more net revenue and an order (the last one was 45 days ago, at most 30 are "
        "allowed)." in lines
    )


def test_who_is_in_grace_learns_what_keeps_them():
    lines = tell(timeline((9000, 1, 0), (9000, 32, 0), (9000, 35, 0), (9000, 66, 0), (9000, 75, 0)))
    assert "In grace at present. To stay: an order (the last one was 75 days ago, at most 40 are allowed)." in lines
    assert [re.split(r"\s{2,}|: ", line)[3] for line in lines[-5:]] == [
        "joined", "stayed", "stayed", "in grace", "in grace"
    ]  # fmt: skip
    assert "Here the rule and the list differ. The rule only describes the list, which names this customer." in lines


def test_who_came_late_has_a_short_history():
    lines = tell(timeline((9000, 1, 0), (9000, 2, 0), months=1))
    assert [line[:12].strip() for line in lines[-2:]] == ["2011-11-01", "2011-11-10"]
    assert lines[-3] == story.MONTHS_HEAD[-1]
    assert tell(timeline((9000, 1, 0), months=0))[-1].startswith("  2011-11-10")


def test_without_a_rule_nothing_is_claimed():
    people = timeline((9000, 1, 0), (9000, 2, 0), months=1)
    assert story.tell("c000", Criteria(None, None), people, LABELS) == [
        "No rule describes this list, so nothing can be said about entering and leaving."
    ]


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
    on_page = enter.numbers(criteria.learn(known, report_tables.RULES), known)
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
    assert lines[-1].startswith("No rule describes this list")

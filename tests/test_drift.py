"""Drift: what a delivery holds by window, which changes are faults and which are not, and what a fault stops."""

import subprocess
import sys
from contextlib import chdir
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from customer_tables import NOW, customers, fitted, write_project
from deliveries import REAL, REPOSITORY
from insiders import schemas
from insiders.answers import bounds, drift, enrolment
from insiders.cli import app
from insiders.errors import InputError
from insiders.evidence.drift import history, months, of_delivery, profile, served
from insiders.evidence.drift.profile import Bucket, Delivery, Trained, Window
from insiders.io import engine, ledger, params, paths, tables
from insiders.io.tracking import connection, model_files, registry
from insiders.io.tracking.registry import Facts
from insiders.model.segments import name_segments
from insiders.stages import assign
from insiders.tables import traffic
from ledgers import table, transaction

TODAY = NOW.date()
START = date(2011, 1, 1)
SETTINGS = params.read(Path(__file__).parents[1] / "params.yaml")
KNOWN, SINCE, SERVED = drift._limits(SETTINGS, history.HistoryLimits, months.MonthLimits, served.ServedLimits)


# --- what a window holds ---


def test_windows_are_counted_back_from_the_day_of_the_model() -> None:
    spans = traffic.past(date(2011, 1, 1), date(2011, 3, 12))
    assert spans == [(date(2011, 1, 11), date(2011, 2, 10)), (date(2011, 2, 10), date(2011, 3, 12))]
    assert traffic.past(date(2011, 3, 1), date(2011, 3, 12)) == []


def test_windows_since_then_end_today_and_the_first_takes_the_odd_days() -> None:
    trained = date(2011, 3, 1)
    assert traffic.since(trained, trained) == []
    assert traffic.since(trained, date(2011, 3, 8)) == [(trained, date(2011, 3, 8))]
    assert traffic.since(trained, date(2011, 5, 10)) == [
        (trained, date(2011, 4, 10)),
        (date(2011, 4, 10), date(2011, 5, 10)),
    ]


def line(text: str, **changes: Any) -> dict[str, Any]:
    """As ledgers.transaction, with a number of days after START for the day."""
    invoice, product, quantity, day, *rest = text.split()
    at = START + timedelta(days=int(day))
    return transaction(" ".join([invoice, product, quantity, f"{at}T10:00", *rest]), **changes)


def measured(*texts: str | dict[str, Any], windows: int = 2) -> list[Window]:
    rows = table([line(each) if isinstance(each, str) else each for each in texts])
    con, spans = engine.connect(1), traffic.past(START, START + timedelta(days=30 * windows))
    placed = engine.materialize(con, traffic.placed(engine.materialize(con, rows), spans))
    return [Window(**each) for each in traffic.measure(placed, spans, engine.fetch_records)]


def test_a_window_counts_its_lines() -> None:
    first, second = measured(
        *["1 A 2 0 1.50 10", "1 A 2 0 1.50 10", "2 A 1 3 1.50 -", "C3 A -1 9 1.50 10", "4 A 1 29 1.50 11"],
        *["5 A 1 30 1.50 10", "5 B 1 30 2.00 11"],
    )
    assert (first.start, first.end, second.end) == ("2011-01-01", "2011-01-31", "2011-03-02")
    assert (first.lines, first.repeated, first.anonymous, first.returned, first.customers) == (5, 1, 1, 1, 2)
    assert (first.sold, first.taken_back) == (9.0, 1.5)
    assert (first.invoices, first.mixed, second.invoices, second.mixed) == (4, 0, 1, 1)
    assert first.hours[10] == 5
    assert first.countries == {"United Kingdom": 5}
    assert (first.gap_days, second.gap_days) == (19, 29)  # the last days have no line either


def test_prices_are_compared_with_the_last_window_in_which_a_product_was_sold() -> None:
    before = [line(f"{number} {code} 1 {number} 2.00 10") for number, code in enumerate("ABC")]
    third = [line("7 A 1 61 2.50 10"), line("8 B 1 61 2.50 10"), line("9 C 1 61 20 10"), line("9 D 1 61 1 10")]
    first, second, last = measured(*before, *third, windows=3)
    assert first.price_change is second.price_change is None
    assert last.price_change == pytest.approx(0.223144)  # log(1.25), the median
    assert (last.priced, last.odd) == (3, 1)


def test_loyalty_compares_recent_customers_with_all() -> None:
    *_, last = measured("1 A 1 0 1 10", "2 A 1 0 1 11", "3 A 1 35 1 12", "4 A 1 95 1 12", windows=4)
    assert (last.known, last.known_back, last.recent, last.recent_back) == (3, 1, 1, 1)
    assert months.loyalty(last) == pytest.approx(3.0)


def test_a_customer_who_has_another_country_has_moved() -> None:
    there, here = line("1 A 1 0 1 10", country="France"), line("2 A 1 31 1 10", country="Spain")
    _, second = measured(there, here, "3 A 1 0 1 11", "4 A 1 31 1 11")
    assert (second.placed, second.moved) == (2, 1)


# --- what is a fault ---

QUIET = Window(
    *("2011-01-01", "2011-01-31", 3000, 30, 600, 90, 200, 9000.0, 300.0, 400, 0, 2500, 10, 100, 1),
    *(500, 100, 200, 60, 0.0, 1, [0] * 9 + [300] * 10 + [0] * 5, {"Spain": 3000}),
)
PAST = [
    QUIET._replace(start=f"{start}", end=f"{end}", lines=lines, countries={"Spain": lines})
    for (start, end), lines in zip(traffic.past(START, TODAY), [3000, 2800, 3600] * 4, strict=False)
]
NEXT = QUIET._replace(start="2011-12-10", end="2012-01-09", lines=3200, countries={"Spain": 3200})


def named(window: Window) -> list[str]:
    return [fault.name for fault in months.faults(window, PAST, SINCE)]


def test_a_month_like_the_others_has_no_fault() -> None:
    assert named(NEXT) == []
    assert named(NEXT._replace(lines=8000, sold=30000.0, anonymous=1600, returned=200)) == []  # Christmas
    assert named(NEXT._replace(lines=1300, anonymous=260, returned=39)) == []  # and after it


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("volume", {"lines": 900, "anonymous": 200, "returned": 20}),
        ("volume", {"lines": 12000, "anonymous": 3000, "returned": 300}),
        ("days", {"gap_days": 15}),
        ("prices", {"price_change": 0.1}),
        ("prices", {"price_change": -0.1}),
        ("odd prices", {"odd": 100}),
        ("ids", {"anonymous": 1100}),
        ("ids", {"anonymous": 100}),
        ("returns", {"returned": 10}),
        ("returns", {"returned": 500}),
        ("duplicates", {"repeated": 160}),
        ("invoices", {"mixed": 20}),
        ("moved", {"moved": 5}),
        ("countries", {"countries": {"Spain": 2800, "Atlantis": 400}}),
        ("clock", {"hours": [0] * 12 + [300] * 10 + [0] * 2}),
        ("loyalty", {"recent_back": 35}),
    ],
)
def test_a_month_unlike_any_other_has_a_fault(name: str, changes: dict[str, Any]) -> None:
    assert named(NEXT._replace(**changes)) == [name]


def test_the_season_of_a_year_ago_excuses_few_lines() -> None:
    year = [each._replace(lines=600) for each in PAST[:2]] + [PAST[2]] * 11
    assert [each.name for each in months.faults(NEXT._replace(lines=900), PAST, SINCE)][:1] == ["volume"]
    assert "volume" not in [each.name for each in months.faults(NEXT._replace(lines=900), year, SINCE)]


def test_what_a_shop_has_had_before_is_no_fault() -> None:
    wild = [*PAST, PAST[-1]._replace(gap_days=20, price_change=0.3, anonymous=2000)]
    now = NEXT._replace(gap_days=40, price_change=-0.35, anonymous=2000)
    assert list(months.faults(now, wild, SINCE)) == []


KNEW = Delivery("a.csv", TODAY, START, "GBP", ["GBP"], PAST, {f"{each:02x}": Bucket(8, 90.0) for each in range(256)})


def history_faults(**changes: Any) -> list[str]:
    return [fault.name for fault in of_delivery(KNEW, KNEW._replace(**changes), [], KNOWN, SINCE)]


def test_the_same_days_again_are_no_fault() -> None:
    late = [*PAST[:-1], PAST[-1]._replace(lines=PAST[-1].lines + 150, sold=9500.0)]
    forgotten = KNEW.buckets | {"00": Bucket(7, 80.0), "01": Bucket(7, 60.0)}
    assert history_faults() == []
    assert history_faults(windows=late, buckets=forgotten) == []


@pytest.mark.parametrize("name", ["lines", "anonymous", "customers", "sold", "taken_back"])
def test_days_that_hold_something_else_are_a_fault(name: str) -> None:
    changed = PAST[4]._replace(**{name: round(getattr(PAST[4], name) * 0.8)})
    assert history_faults(windows=[*PAST[:4], changed, *PAST[5:]]) == ["history"]


def test_ids_that_stand_for_others_are_a_fault() -> None:
    assert history_faults(buckets={name: Bucket(8, 91.0 + len(name)) for name in KNEW.buckets}) == []
    assert history_faults(buckets={name: Bucket(8, 99.0) for name in KNEW.buckets}) == ["customers"]


def test_a_clock_that_is_off_for_all_days_is_a_fault() -> None:
    assert history_faults(windows=[each._replace(hours=NEXT.hours[7:] + NEXT.hours[:7]) for each in PAST]) == ["clock"]


def test_another_currency_is_a_fault() -> None:
    assert history_faults(currencies=["EUR", "GBP"]) == ["currency"]
    assert history_faults(currency="EUR") == ["currency"]
    assert history_faults(currencies=[]) == []


def test_an_export_of_the_last_months_may_begin_later_and_one_that_lost_its_beginning_not() -> None:
    later = {"first_day": START + timedelta(days=70), "windows": [QUIET._replace(lines=0)] * 2 + PAST[2:]}
    assert history_faults(**later) == ["history"]
    assert history_faults(**later, as_of=TODAY + timedelta(days=60)) == []


def test_going_back_to_an_earlier_day_compares_the_days_until_then() -> None:
    assert history_faults(as_of=TODAY - timedelta(days=40), windows=[*PAST[:-2], *[QUIET._replace(lines=0)] * 2]) == []


def test_what_a_model_makes_of_the_data_can_be_a_fault() -> None:
    people, clusters = customers(), pd.Series([0] * 30 + [1] * 30)
    known = Trained(KNEW, served.highest(people, ["net_revenue"]), served.shares(clusters))
    assert list(served.faults(known, people, clusters, SERVED)) == []
    dear = people.assign(net_revenue=people["net_revenue"] * 100)
    assert [each.name for each in served.faults(known, dear, clusters, SERVED)] == ["features"]
    assert [each.name for each in served.faults(known, people, clusters * 0, SERVED)] == ["segments"]


def test_members_who_would_leave_at_once_are_a_fault() -> None:
    assert [each.name for each in served.leaving("abcd", "a", 0.5)] == ["members"]
    assert list(served.leaving("abcd", "ab", 0.5)) == list(served.leaving("", "ab", 0.5)) == []


# --- what a fault stops ---


@pytest.fixture(scope="module")
def lines_of_a_year(easy_shop: Path) -> pd.DataFrame:
    """The sample's lines, moved so that they end on the day before TODAY."""
    lines = pd.read_parquet(easy_shop / paths.TRANSACTIONS)
    last = lines["invoiced_at"].max().normalize()
    return lines.assign(invoiced_at=lines["invoiced_at"] - (last - pd.Timestamp(TODAY) + pd.Timedelta(days=1)))


@pytest.fixture(scope="module")
def trained(lines_of_a_year: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The profile of a model that was trained on them."""
    model = fitted()
    with chdir(tmp_path_factory.mktemp("trained")):
        paths.DATA.mkdir()
        deliver(lines_of_a_year)
        delivery = drift.delivery(drift.read_shop(SETTINGS), TODAY)
        return drift.trained_on(delivery, customers(), model.columns, pd.Series(model.labels_))


@pytest.fixture
def project(
    store: Path,  # noqa: ARG001 (before anything is registered)
    lines_of_a_year: pd.DataFrame,
    trained: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> pd.DataFrame:
    """A project with that model as its champion, and a list; returns the lines."""
    monkeypatch.chdir(tmp_path)
    write_project()
    deliver(lines_of_a_year)
    model, people = fitted(), customers()
    model.segment_names_ = name_segments(people, model.labels_)
    facts = Facts("a", {}, {}, bounds.bound(SETTINGS.featurize, NOW), "", trained)
    registry.promote(registry.register(model, people.head(), facts).number)
    tables.write_json({"regime": "model", "baseline": None, "champion_version": "1"}, paths.REGISTERED)
    assign.main()
    return lines_of_a_year


def deliver(lines: pd.DataFrame) -> None:
    lines.to_parquet(paths.TRANSACTIONS, index=False)
    tables.write_json({"source": "shop.csv", "currencies": []}, paths.SOURCE)


def test_a_fault_stops_assign_and_enrol_until_a_person_accepts_it(project: pd.DataFrame) -> None:
    before = paths.INSIDERS.read_bytes()
    deliver(project.iloc[::10])
    with pytest.raises(SystemExit, match=r"the days from .* hold .* lines, where .* `insiders assign --accept --why"):
        assign.main()
    with pytest.raises(InputError, match="The last list stays"):
        enrolment.enrol(None)
    assert paths.INSIDERS.read_bytes() == before
    cli = CliRunner()
    assert "--why TEXT" in str(cli.invoke(app, ["assign", "--accept"]).exception)
    for other in (["--why", "sure"], ["--accept", "--out", "x.parquet"], ["--accept", "--customers", "x.parquet"]):
        assert "with the project's own list" in str(cli.invoke(app, ["assign", *other]).exception)
    accepted = cli.invoke(app, ["assign", "--accept", "--why", "the old export counted drafts"])
    assert "accepted: the days from" in accepted.output
    [entry] = ledger.read_accepted()
    assert (entry["why"], entry["version"]) == ("the old export counted drafts", "1")
    assert entry["release"] == tables.read(paths.TERMS, schemas.TERMS)["release"].iloc[0]
    [told] = drift.accepted()
    assert told["why"] == "the old export counted drafts"
    assert "lines, where" in drift.accepted_note()
    assert drift.accepted_note().endswith(f"({date.today()}: the old export counted drafts)")
    assign.main()
    deliver(project.iloc[::9])  # what was accepted is that delivery, not the next
    with pytest.raises(SystemExit, match="The last list stays"):
        assign.main()
    assert drift.accepted() == []
    assert drift.accepted_note() == ""


@pytest.mark.usefixtures("project")
def test_members_who_would_all_leave_stop_a_decision_of_today_until_a_person_accepts_it() -> None:
    last = tables.read(paths.MEMBERS, schemas.MEMBERS)
    tables.write(last.assign(customer_id="gone " + last["customer_id"]), paths.MEMBERS)
    with pytest.raises(InputError, match="members would leave at once"):
        enrolment.enrol(None)
    assert ledger.days() == []
    CliRunner().invoke(app, ["assign", "--accept", "--why", "the ids are new"])
    tables.write(last.assign(customer_id="gone " + last["customer_id"]), paths.MEMBERS)
    assert enrolment.enrol(None).is_new


def test_half_the_customers_gone_stop_assign(project: pd.DataFrame) -> None:
    ids = sorted(project["customer_id"].dropna().unique())
    deliver(project[project["customer_id"].isna() | project["customer_id"].isin(ids[::2])])
    with pytest.raises(SystemExit, match=r"the days from .* hold .* lines, where"):
        assign.main()


def test_a_profile_that_was_changed_is_refused(project: pd.DataFrame, store: Path) -> None:
    [file] = store.rglob(model_files.PROFILE)
    file.write_text(file.read_text().replace("shop.csv", "sample"))
    deliver(project.iloc[::10])
    with pytest.raises(SystemExit, match="is not the one that was registered"):
        assign.main()


def test_a_profile_tells_of_nobody(project: pd.DataFrame, store: Path) -> None:
    [file] = store.rglob(model_files.PROFILE)
    content = file.read_text()
    assert not [each for each in project["customer_id"].dropna().unique() if f'"{each}"' in content]
    version = registry.champion()
    assert version is not None
    known = profile.from_record(registry.read_profile(version))
    assert known.delivery.as_of == TODAY
    assert sum(each.customers for each in known.delivery.buckets.values()) == project["customer_id"].nunique()


def test_a_version_without_a_profile_is_not_judged_by_one(project: pd.DataFrame) -> None:
    connection.connect().client.delete_model_version_tag("insiders", "1", model_files.PROFILE_TAG)
    deliver(project.iloc[::10])
    assign.main()


def test_lines_with_which_a_version_was_registered_are_not_new(project: pd.DataFrame) -> None:
    deliver(project.iloc[::10])
    assert drift.of_delivery("1", NOW, SETTINGS)
    connection.connect().client.set_model_version_tag("insiders", "1", drift.DELIVERY_TAG, drift.delivered())
    assert drift.of_delivery("1", NOW, SETTINGS) == []


def test_the_sample_is_no_delivery(project: pd.DataFrame) -> None:
    deliver(project.iloc[::10])
    tables.write_json({"source": "sample", "currencies": []}, paths.SOURCE)
    assert drift.of_delivery("1", NOW, SETTINGS) == []


@pytest.mark.battery
def test_planted_faults_are_stopped_and_healthy_months_are_not(tmp_path: Path) -> None:
    """In three simulated shops, and in the real one where its file is: the benchmark's own goals."""
    file = ["--file", str(REAL)] if REAL.exists() else []
    command = [sys.executable, "benchmarks/drift.py", str(tmp_path), *file]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

"""Decisions: recorded once, in order, whole; walked on from; withdrawn; and what a person decides by hand."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from customer_tables import NOW, customers, write_project
from insiders import schemas
from insiders.answers import enrolment
from insiders.cli import app
from insiders.errors import InputError
from insiders.io import ledger, paths, tables, workspace
from insiders.stages import assign

LATER = NOW + pd.Timedelta(days=30)


pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables as featurize leaves them, and a plain sort that decides."""
    monkeypatch.chdir(tmp_path)
    write_project()
    baseline = {"name": "net_revenue", "n": 6, "horizon_days": 90}
    tables.write_json({"regime": "baseline", "baseline": baseline}, paths.REGISTERED)


def move_on(present: pd.DataFrame | None = None) -> None:
    """A month later, with the same customers or others."""
    write_project(customers(as_of=LATER) if present is None else present)


def members() -> pd.DataFrame:
    return tables.read(paths.MEMBERS, schemas.MEMBERS).set_index("customer_id")


def inside() -> list[str]:
    table = members()
    return sorted(table.index[table["status"] != "left"])


def contents() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(paths.PROGRAMME.iterdir())}


def cli(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    return result.output + str(result.exception or "")


def test_a_decision_says_what_was_proposed() -> None:
    assign.main()
    proposed = members()
    assert "6 members as of 2011-12-10" in cli("enrol")
    recorded = ledger.read(NOW.date()).members.set_index("customer_id")
    pd.testing.assert_frame_equal(recorded, proposed, check_like=True)
    movement = pd.read_parquet(paths.MOVEMENT)
    assert not movement["decided"].any()
    assign.main()
    pd.testing.assert_frame_equal(members(), proposed)
    movement = pd.read_parquet(paths.MOVEMENT)
    assert movement.groupby("as_of")["decided"].all().tolist() == [False, False, True]


def test_the_same_day_again_changes_nothing_and_an_earlier_one_is_refused() -> None:
    cli("enrol")
    before = contents()
    write_project(customers().iloc[:30])
    assert "already recorded" in cli("enrol")
    assert contents() == before
    write_project(customers(as_of=NOW - pd.Timedelta(days=20)))
    with pytest.raises(InputError, match="decision as of 2011-11-20 comes too late: that of 2011-12-10 is recorded"):
        enrolment.enrol(None)
    assert contents() == before


def test_the_next_proposal_walks_on_from_the_last_decision() -> None:
    cli("enrol")
    assign.main()
    first = members()
    newer = customers(as_of=LATER).assign(recency_days=lambda each: each["recency_days"] + 60)  # nobody ordered since
    newer["tenure_days"] += 60
    newer.loc[newer["customer_id"] == "c005", ["net_revenue", "gross_revenue"]] = 50_000.0
    move_on(newer)
    assign.main()
    second = members()
    old = second.index.intersection(first.index)
    assert second.loc[old, "since"].equals(first.loc[old, "since"])
    assert second.loc["c005", ["event", "since"]].tolist() == ["joined", LATER]
    assert second["arm"].reindex(first.index).equals(first["arm"])
    assert "recorded: run" in cli("enrol")
    assert ledger.days() == [NOW.date(), LATER.date()]
    assert [record.as_of for record in ledger.read_all(LATER.date())] == [NOW.date(), LATER.date()]
    whole = ledger.read(NOW.date()).members
    pd.testing.assert_frame_equal(ledger.read_all(LATER.date())[0].members, whole[list(ledger.EVENT_COLUMNS)])
    pd.testing.assert_frame_equal(ledger.read_all(NOW.date())[0].members, whole)
    assert [record.as_of for record in ledger.read_all(NOW.date())] == [NOW.date()]


def test_back_to_old_data_is_back_to_what_was_decided_then() -> None:
    cli("enrol")
    assign.main()
    before = paths.MEMBERS.read_bytes(), paths.INSIDERS.read_bytes()
    move_on()
    cli("enrol")
    assign.main()
    write_project()
    assign.main()
    assert (paths.MEMBERS.read_bytes(), paths.INSIDERS.read_bytes()) == before


def test_two_copies_of_a_project_decide_the_same() -> None:
    cli("enrol")
    one = contents()
    for path in paths.PROGRAMME.iterdir():
        path.unlink()
    cli("enrol")
    assert contents() == one


def test_a_withdrawn_decision_is_kept_and_counts_no_more() -> None:
    cli("enrol")
    move_on()
    cli("enrol")
    kept = (paths.PROGRAMME / f"{LATER:%Y-%m-%d}.parquet").read_bytes()
    assert "2012-01-09 is withdrawn" in cli("enrol", "--undo")
    assert ledger.days() == [NOW.date()]
    assert (paths.PROGRAMME / f"{LATER:%Y-%m-%d}.withdrawn-1").read_bytes() == kept
    assert "recorded: run" in cli("enrol")
    cli("enrol", "--undo")
    cli("enrol", "--undo")
    assert "no decision to withdraw" in cli("enrol", "--undo")
    assert len(list(paths.PROGRAMME.glob("*.withdrawn-*"))) == 3


def test_what_is_killed_in_the_middle_leaves_the_ledger_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    cli("enrol")
    before = contents()
    move_on()
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        enrolment.enrol(None)
    assert contents() == before


@pytest.mark.parametrize("harm", ["changed", "deleted"])
def test_a_ledger_that_was_tampered_with_is_refused(harm: str) -> None:
    cli("enrol")
    move_on()
    cli("enrol")
    first = paths.PROGRAMME / f"{NOW:%Y-%m-%d}.parquet"
    if harm == "deleted":
        first.unlink()
    else:
        pd.read_parquet(first).assign(arm="invited").to_parquet(first, index=False)
    with pytest.raises(InputError, match=r"2012-01-09\.parquet does not follow|no decision that `insiders enrol`"):
        ledger.read_all(LATER.date())


def test_hands_hold_from_the_next_check_on_and_outlive_decisions() -> None:
    assign.main()
    assert "c050" in inside()
    assert "c001" not in inside()
    cli("set", "c001", "in", "--why", "the founder's friend")
    cli("set", "c050", "never", "--why", "asked not to be")
    assign.main()
    assert "c001" in inside()
    assert "c050" not in inside()
    assert len(inside()) == 6
    cli("enrol")
    move_on()
    assign.main()
    assert members().loc["c001", "reason"] == "by_hand"
    assert "c050" not in inside()
    cli("set", "c001", "auto", "--why", "by the score again")
    cli("enrol")
    assert [each["hand"] for each in ledger.read_hands()] == ["in", "never", "auto"]
    assert ledger.read_hands()[0]["on"] == date.today().isoformat()


def test_a_hand_needs_a_known_customer_and_a_reason() -> None:
    assert "no customer 'x'" in cli("set", "x", "in", "--why", "because")
    assert "needs its reason" in cli("set", "c001", "in", "--why", " ")
    assert not paths.HANDS.exists()


def test_a_damaged_file_of_hands_is_named() -> None:
    cli("set", "c001", "in", "--why", "because")
    maybe = '{"customer_id": "c001", "hand": "maybe", "why": "", "on": "2011-01-01"}\n'
    paths.HANDS.write_text(maybe)
    with pytest.raises(InputError, match="is not as it was written"):
        ledger.read_hands()
    with workspace.alone("insiders set"):
        paths.HANDS.write_text(maybe)
    with pytest.raises(InputError, match="no decision about a customer: expected customer_id, hand"):
        enrolment.propose(customers(), enrolment.params.read())

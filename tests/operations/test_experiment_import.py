"""Assignments that were made elsewhere: all rows of a file are taken over, or none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from ab_world import BOUGHT, LATER, REVENUE, experiment, world

from segctl.model.errors import DataError, Refused
from segctl.model.experiments import Arm
from segctl.operations.experiment.check import check
from segctl.operations.experiment.importing import Taken, import_assignments
from segctl.operations.experiment.status import experiment_statuses
from segctl.operations.session import Session
from segctl.state.assignments import DATASET, assignments, imported_units, record_assignments
from segctl.state.experiments import record

ARMS = {"control": 2, "mail": 2}


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Six people c0 to c5, an experiment that was never started, and another that runs."""
    made = world(tmp_path, ARMS, [], people=6)
    declared = replace(experiment(ARMS, (BOUGHT, REVENUE)), name="old_test")
    known = {**made.definitions.experiments, "old_test": declared}
    return replace(made, definitions=replace(made.definitions, experiments=known))


def take(session: Session, text: str, name: str = "old_test", **options: bool) -> Taken:
    return import_assignments(session, name, None, text.encode(), now=LATER, **options)


def test_rows_become_assignments_and_the_experiment_is_on_record(session: Session) -> None:
    found = take(
        session, "customer_id;arm;exposed_at;stratum\nc1;mail;2026-10-02;DE\nc0;control;2026-10-02T10:00:00Z;AT\n"
    )

    assert (found.rows, found.people, found.new, found.is_new) == (2, {"control": 1, "mail": 1}, 2, True)
    rows = assignments(session.workspace, "old_test").sort("subject")
    assert rows.select("subject", "arm", "stratum").rows() == [(0, "control", "AT"), (1, "mail", "DE")]
    # A day begins at midnight of the project's zone.
    assert rows["exposed_at"].to_list() == [
        datetime(2026, 10, 2, 10, tzinfo=UTC), datetime(2026, 10, 1, 22, tzinfo=UTC)
    ]  # fmt: skip
    begun = record(session.workspace, "old_test")
    assert begun is not None
    assert begun.started == datetime(2026, 10, 1, 22, tzinfo=UTC)
    assert dict(begun.epochs[0].weights) == {"control": 2, "mail": 2}


def test_the_same_file_again_changes_nothing(session: Session) -> None:
    text = "id,arm,exposed_at\nc1,mail,2026-10-02\n"
    take(session, text)

    again = take(session, text)

    assert (again.new, again.is_new, assignments(session.workspace, "old_test").height) == (0, False, 1)


def test_people_are_found_by_profile_id_too(session: Session) -> None:
    take(session, "id,arm\nc1,mail\n")
    profile = assignments(session.workspace, "old_test")["profile_id"][0]

    assert take(session, f"profile_id,arm\n{profile},mail\n").new == 0


def test_without_a_time_nobody_is_exposed_unless_they_are_told_now(session: Session) -> None:
    take(session, "id,arm\nc1,mail\n")
    take(session, "id,arm\nc2,mail\n", is_sent=True)

    assert assignments(session.workspace, "old_test")["exposed_at"].to_list() == [None, LATER]


@pytest.mark.parametrize(
    ("text", "code", "why"),
    [
        ("customer,arm\nc1,mail\n", "SEG970", ""),
        ("id,variant\nc1,mail\n", "SEG970", ""),
        ("id,arm\n", "SEG971", "the file has no rows"),
        ("id;arm;exposed_at\n\n", "SEG971", "the file has no rows"),
        ("id,arm\nc1,mial\n", "SEG971", "line 2: `mial` is no arm; the arms are `control` and `mail`"),
        ("id,arm\nc9,mail\n", "SEG971", "line 2: nobody is known by that `id`"),
        ("id,arm\n,mail\n", "SEG971", "line 2: `id` is empty"),
        ("id,arm,exposed_at\nc1,mail,2026-10-20\nc1,mail,2026-10-10\n", "SEG971",
         "line 3: the same person stands further up with another `exposed_at`"),
        ("id,arm\nc1,mail\nc1,control\n", "SEG971", "line 3: the same person stands further up with another arm"),
        ("id,arm,exposed_at\nc1,mail,yesterday-ish\n", "SEG971", "line 2: `exposed_at` is no time: `yesterday-ish`"),
        ("id,arm,exposed_at,assigned_at\nc1,mail,2026-10-01,2026-10-02\n", "SEG971", "is before `assigned_at`"),
        ("", "SEG813", ""),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_taken_whole_is_not_taken_at_all(
    session: Session, text: str, code: str, why: str
) -> None:
    with pytest.raises(DataError) as refused:
        take(session, text)

    assert refused.value.code == code
    assert why in (refused.value.why or "")
    assert "1 rows" not in refused.value.message
    assert record(session.workspace, "old_test") is None
    assert assignments(session.workspace, "old_test").is_empty()


def test_who_is_on_record_keeps_the_arm(session: Session) -> None:
    with pytest.raises(Refused) as refused:
        take(session, "id,arm\nc0,mail\n", "mail_test")

    assert refused.value.code == "SEG971"
    assert assignments(session.workspace, "mail_test").filter(subject=0)["arm"].to_list() == ["control"]


def test_rows_dealt_elsewhere_are_not_held_against_the_hash(session: Session) -> None:
    # In one arm each, whatever the hashes say: not both files can agree with them.
    for at, arm in enumerate(("control", "mail", "control", "mail", "control", "mail")):
        take(session, f"id,arm\nc{at},{arm}\n")
    files = session.workspace.files(f"{DATASET}old_test")

    found = check(session, "old_test")

    assert len(files) == 6
    assert (found.imported, found.differing, found.outside, found.findings) == (6, 0, 0, ())
    # Of those that are not marked the arms are looked at as ever.
    rows = assignments(session.workspace, "old_test").with_columns(unit="x" + pl.col("unit"), profile_id=pl.lit("x"))
    flipped = pl.concat([rows.with_columns(unit=f"{at}" + pl.col("unit"), arm=pl.lit("mail"),
                                           profile_id=f"{at}" + pl.col("unit")) for at in range(5)])  # fmt: skip
    assert record_assignments(session.workspace, {"old_test": flipped})
    again = check(session, "old_test")
    assert again.imported == 6
    assert 0 < again.differing < 30


@pytest.mark.parametrize(("arms", "verdict"), [("cccccc", "fail"), ("ccmmcm", "pass")])
def test_a_split_that_is_not_as_declared_is_told(session: Session, arms: str, verdict: str) -> None:
    named = {"c": "control", "m": "mail"}
    text = "id,arm\n" + "".join(f"c{at},{named[arm]}\n" for at, arm in enumerate(arms))
    # Nine of ten belong into `mail`.
    weights = (Arm("control", Decimal(1), is_sent=False), Arm("mail", Decimal(9 if verdict == "fail" else 1)))
    declared = replace(session.definitions.experiments["old_test"], arms=weights)
    session = replace(session, definitions=replace(session.definitions, experiments={"old_test": declared}))

    dry, found = (take(session, text, dry_run=is_dry).split for is_dry in (True, False))

    assert found is not None
    assert found == dry
    assert found.verdict == verdict


@pytest.mark.parametrize(("more", "split", "verdict"), [(0, "pass", "pass"), (2, "fail", "warn"), (6, "fail", "fail")])
def test_a_split_that_is_watched_daily_is_not_failed_by_chance(
    session: Session, more: int, split: str, verdict: str
) -> None:
    started = assignments(session.workspace, "mail_test").head(1)
    for day in range(0, 30, 10):
        rows = pl.concat([started] * 400).with_row_index("at").with_columns(
            unit=pl.format("d{}-{}", pl.lit(day), "at"), profile_id=pl.format("d{}-{}", pl.lit(day), "at"),
            arm=pl.when(pl.col("at") < 200 + 10 * more).then(pl.lit("control")).otherwise(pl.lit("mail")),
            assigned_at=pl.col("assigned_at") + pl.duration(days=day + pl.col("at") % 10), epoch=pl.lit(1, pl.Int32),
        )  # fmt: skip
        assert record_assignments(session.workspace, {"mail_test": rows.drop("at")})

    found = experiment_statuses(session, now=LATER, name="mail_test")[0]

    assert found.split is not None
    assert (found.split.verdict, found.verdict) == (split, verdict)
    alone = replace(found, watched=None)
    assert alone.verdict == split


def test_many_files_from_elsewhere_become_one_and_stay_marked(session: Session) -> None:
    for at in range(18):
        rows = assignments(session.workspace, "mail_test").head(1)
        made = rows.with_columns(unit=pl.lit(f"u{at}"), profile_id=pl.lit(f"u{at}"), experiment=pl.lit("old_test"))
        assert record_assignments(session.workspace, {"old_test": made}, is_imported=at != 3)

    assert len(session.workspace.files(f"{DATASET}old_test")) == 2
    assert imported_units(session.workspace, "old_test").sort().to_list() == sorted(
        f"u{at}" for at in range(18) if at != 3
    )
    assert assignments(session.workspace, "old_test").height == 18


def test_a_dry_run_looks_at_everything_and_writes_nothing(session: Session) -> None:
    found = take(session, "id,arm\nc4,mail\n", dry_run=True)

    assert (found.new, found.is_new) == (1, False)
    assert record(session.workspace, "old_test") is None


def test_units_of_several_profiles_need_their_unit(session: Session) -> None:
    declared = replace(session.definitions.experiments["old_test"], same="first_name")
    session = replace(session, definitions=replace(session.definitions, experiments={"old_test": declared}))

    with pytest.raises(DataError, match="unit"):
        take(session, "id,arm\nc1,mail\n")
    take(session, "id,arm,unit\nc1,mail,h1\nc2,mail,h1\n")

    assert set(assignments(session.workspace, "old_test")["unit"]) == {"h1"}

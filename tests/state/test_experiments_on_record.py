"""Experiments on record: written once, read back as they were, one arm a unit whoever writes beside."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from segctl.state import assignments as files
from segctl.state import experiments
from segctl.state.experiments import Epoch
from segctl.state.workspace import Workspace

NOW = datetime(2026, 5, 4, 8, tzinfo=UTC)
EPOCH = Epoch(
    1, NOW, {"control": Decimal("0.1"), "mail": Decimal("0.9")}, Decimal("0.2"), "mailings", high=Decimal("0.5")
)


def rows(
    units: str, arm: str, *, exposed: datetime | None = None, at: datetime = NOW, push: str | None = None
) -> pl.DataFrame:
    """One profile for each letter, each a unit of its own."""
    return pl.DataFrame(
        [("x", one, one, ord(one), arm, None, at, exposed, 1, push) for one in units],
        schema=files.schema(), orient="row",
    )  # fmt: skip


def test_an_experiment_reads_back_as_it_began_and_ended(workspace: Workspace) -> None:
    began = experiments.begin(workspace, "x", definition={"arms": ["control"]}, digest="d", at=NOW, epoch=EPOCH)
    again = experiments.begin(workspace, "x", definition={}, digest="other", at=NOW, epoch=EPOCH)

    found = experiments.record(workspace, "x")

    assert (began, again) == (True, False)
    assert found is not None
    assert (found.state, found.definition, found.digest, found.epochs) == (
        "running",
        {"arms": ["control"]},
        "d",
        (EPOCH,),
    )
    assert experiments.end(workspace, "x", at=NOW + timedelta(days=1), reason="done", winner="mail")
    assert not experiments.end(workspace, "x", at=NOW + timedelta(days=2))
    stopped = experiments.records(workspace)["x"]
    assert (stopped.state, stopped.stopped, stopped.reason, stopped.winner) == (
        "stopped", NOW + timedelta(days=1), "done", "mail",
    )  # fmt: skip


def test_looks_are_kept_in_the_order_of_time(workspace: Workspace) -> None:
    experiments.add_look(workspace, "x", at=NOW, command="report ab")
    experiments.add_look(workspace, "y", at=NOW, command="report ab")
    experiments.add_look(workspace, "x", at=NOW - timedelta(days=1), command="report control")

    assert [(one.at, one.command) for one in experiments.looks(workspace, "x")] == [
        (NOW - timedelta(days=1), "report control"), (NOW, "report ab"),
    ]  # fmt: skip


def test_an_assigned_profile_is_written_once(workspace: Workspace) -> None:
    experiments.record_assignments(workspace, {"x": rows("ab", "mail")})
    experiments.record_assignments(workspace, {"x": rows("bc", "mail", at=NOW + timedelta(days=1))})

    found = experiments.assignments(workspace, "x")

    assert found["profile_id"].to_list() == ["a", "b", "c"]
    assert found["assigned_at"].to_list() == [NOW, NOW, NOW + timedelta(days=1)]
    assert found.schema == pl.Schema(files.schema())


def test_the_first_push_exposes_who_was_assigned_before(workspace: Workspace) -> None:
    later = NOW + timedelta(days=1)
    experiments.record_assignments(workspace, {"x": rows("ab", "mail")})
    experiments.record_assignments(workspace, {"x": rows("b", "mail", exposed=later, at=later, push="u1")})
    experiments.record_assignments(
        workspace, {"x": rows("b", "mail", exposed=later + timedelta(days=1), at=later, push="u2")}
    )

    found = experiments.assignments(workspace, "x")

    assert found.select("profile_id", "assigned_at", "exposed_at", "push").rows() == [
        ("a", NOW, None, None), ("b", NOW, later, "u1"),
    ]  # fmt: skip
    assert experiments.assignment_counts(workspace, "x") == {"mail": (2, 1)}


def test_a_unit_with_another_arm_on_record_is_refused_as_a_whole(workspace: Workspace) -> None:
    experiments.record_assignments(workspace, {"x": rows("a", "mail")})

    done = experiments.record_assignments(workspace, {"x": pl.concat([rows("b", "mail"), rows("a", "control")])})

    assert not done
    assert experiments.assignments(workspace, "x")["profile_id"].to_list() == ["a"]


def test_of_two_arms_of_one_unit_the_first_on_record_counts(workspace: Workspace) -> None:
    for arm, letter in (("mail", "a"), ("control", "b")):
        made = workspace.write("assignments/x", rows(letter, arm).with_columns(unit=pl.lit("household 7")))
        workspace.commit("assignments", add=[made])

    assert experiments.assignments(workspace, "x")["arm"].to_list() == ["mail", "mail"]


def test_what_is_no_longer_so_is_not_written(workspace: Workspace) -> None:
    assert not experiments.record_assignments(workspace, {"x": rows("a", "mail")}, is_still_so=lambda: False)
    assert experiments.assigned_names(workspace) == []


def test_an_epoch_is_written_with_its_first_assignments(workspace: Workspace) -> None:
    experiments.begin(workspace, "x", definition={}, digest="d", at=NOW, epoch=EPOCH)
    second = Epoch(2, NOW, {"control": Decimal(1), "mail": Decimal(1)})

    experiments.record_assignments(workspace, {"x": rows("a", "mail")}, within=experiments.add_epochs({"x": second}))

    assert experiments.records(workspace)["x"].epochs == (EPOCH, second)


def test_many_small_files_become_one_with_the_same_rows(workspace: Workspace) -> None:
    letters = [chr(ord("a") + n) for n in range(20)]
    for letter in letters:
        experiments.record_assignments(workspace, {"x": rows(letter, "mail")})

    assert len(workspace.files("assignments/x")) < 16
    assert experiments.assignments(workspace, "x")["profile_id"].to_list() == letters


def _assign(folder: Path, arm: str, start: Any, done: Any) -> None:
    with Workspace.open(folder) as mine:
        start.wait(30)
        done.put([experiments.record_assignments(mine, {"x": rows(letter, arm)}) for letter in "abcdefgh"])


def test_writers_side_by_side_never_give_a_unit_two_arms(tmp_path: Path) -> None:
    Workspace.open(tmp_path, create=True).close()
    context = multiprocessing.get_context("spawn")
    start, done = context.Barrier(2), context.Queue()
    writers = [context.Process(target=_assign, args=(tmp_path, arm, start, done)) for arm in ("mail", "control")]
    for one in writers:
        one.start()
    answers = [done.get(timeout=60) for _ in writers]
    for one in writers:
        one.join()

    with Workspace.open(tmp_path) as opened:
        raw = pl.concat([pl.read_parquet(file.path) for file in opened.files("assignments/x")])

    assert raw.select(pl.struct("unit", "arm").n_unique()).item() == raw["unit"].n_unique() == 8
    assert [sum(pair) for pair in zip(*answers, strict=True)] == [1] * 8


@pytest.mark.slow
def test_a_million_assignments_are_written_and_read_in_seconds(workspace: Workspace) -> None:
    import time

    number = pl.int_range(1_000_000, dtype=pl.Int32)
    at = pl.lit(NOW).cast(pl.Datetime("us", "UTC"))
    arm = pl.when(number % 10 == 0).then(pl.lit("control")).otherwise(pl.lit("mail"))
    unit = pl.format("c-{}", number)
    million = pl.select(
        experiment=pl.lit("x"), unit=unit, profile_id=unit, subject=number, arm=arm, stratum=pl.lit(None, pl.String),
        assigned_at=at, exposed_at=at, epoch=pl.lit(1, pl.Int32), push=pl.lit("u1"),
    )  # fmt: skip
    began = time.perf_counter()

    experiments.record_assignments(workspace, {"x": million})
    found = experiments.assignments(workspace, "x")

    assert found.height == 1_000_000
    assert time.perf_counter() - began < 20

"""The feed of changes: each once and in order, from recorded runs and from what a stream has said before them."""

from __future__ import annotations

import polars as pl
from test_memberships import day, record

from segctl.state.change_feed import Position, changes_since, newest_position
from segctl.state.compaction import compact
from segctl.state.runs import microseconds
from segctl.state.workspace import Workspace

BEGIN = Position()


def read(workspace: Workspace, position: Position, *segments: str) -> tuple[list[tuple[str, int, bool]], Position]:
    frame, until = changes_since(workspace, position, segments or ("a",))
    return list(frame.select("segment", "subject", "entered").iter_rows()), until


def says(workspace: Workspace, segment: str, subject: int, *, entered: bool, run: int | None = None) -> None:
    """What a stream says, and which run made a record of it."""
    with workspace.transaction() as db:
        db.execute(
            "INSERT INTO stream_changes (segment, subject, profile, entered, effective, latency, cause, run)"
            " VALUES (?, ?, ?, ?, ?, 0, 'time passed', ?)",
            (segment, subject, str(subject), entered, microseconds(day(9)), run),
        )


def test_each_change_of_a_run_is_read_once(workspace: Workspace) -> None:
    record(workspace, 1, {"a": {1, 2}, "b": {3}})
    record(workspace, 2, {"a": {2, 4}, "b": {3}})

    first, position = read(workspace, BEGIN)
    again, same = read(workspace, position)
    record(workspace, 3, {"a": {4}, "b": {3}})
    third, _ = read(workspace, position)

    assert first == [("a", 1, True), ("a", 2, True), ("a", 1, False), ("a", 4, True)]
    assert again == []
    assert same == position
    assert third == [("a", 2, False)]


def test_whoever_begins_now_reads_nothing_that_was(workspace: Workspace) -> None:
    record(workspace, 1, {"a": {1}})
    says(workspace, "a", 2, entered=True)

    assert read(workspace, newest_position(workspace))[0] == []


def test_a_position_outlives_its_process_and_compaction(workspace: Workspace) -> None:
    record(workspace, 1, {"a": {1}})
    _, position = read(workspace, BEGIN)
    for number in range(2, 40):
        record(workspace, number, {"a": {1, 2} if number % 2 else {1}})
    compact(workspace, change_runs=4)

    found, _ = read(workspace, Position.parse(str(position)))

    assert found == [("a", 2, number % 2 == 1) for number in range(3, 40)]


def test_a_change_that_a_stream_said_is_not_read_again_from_its_run(workspace: Workspace) -> None:
    says(workspace, "a", 1, entered=True)
    said, position = read(workspace, BEGIN)
    record(workspace, 1, {"a": {1, 2}})
    with workspace.transaction() as db:
        db.execute("UPDATE stream_changes SET run = 1")

    recorded, _ = read(workspace, position)

    assert said == [("a", 1, True)]
    assert recorded == [("a", 2, True)]


def test_names_of_changes_are_unique_and_stay(workspace: Workspace) -> None:
    record(workspace, 1, {"a": {1, 2}})
    says(workspace, "a", 3, entered=True)

    frames = [changes_since(workspace, BEGIN, ["a"])[0]["sequence"] for _ in range(2)]

    assert frames[0].to_list() == frames[1].to_list()
    assert frames[0].n_unique() == 3
    assert frames[0].dtype == pl.String

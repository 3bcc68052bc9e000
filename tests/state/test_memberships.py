from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from segctl.model.errors import UsageError
from segctl.state.compaction import compact
from segctl.state.memberships import (
    diff,
    history,
    in_force,
    intervals,
    members,
    preview_run,
    record_failed_run,
    record_run,
    sizes,
)
from segctl.state.runs import NewRun, Run, RunStatus, SegmentState, find_run, run_segments, runs
from segctl.state.workspace import Workspace

DAY_ZERO = datetime(2026, 3, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return DAY_ZERO + timedelta(days=number)


def new_run(number: int, **more: object) -> NewRun:
    return NewRun(day(number), 0, day(number), day(number), "1.0", **more)


def answers(**found: set[int]) -> pl.DataFrame:
    columns = {name: [s in subjects for s in range(6)] for name, subjects in found.items()}
    return pl.DataFrame({"subject": pl.Series(range(6), dtype=pl.Int32), **columns})


def record(workspace: Workspace, number: int, found: dict[str, set[int]], **more: object) -> Run:
    return record_run(workspace, new_run(number), answers(**found), **more)


def states(workspace: Workspace, run: Run) -> dict[str, str]:
    return {s.segment: s.state.value for s in run_segments(workspace, run)}


def test_a_run_is_remembered_with_all_it_was_made_from(workspace: Workspace) -> None:
    workspace.commit("ingest")
    given = NewRun(
        day(3), 1, day(4), day(4) + timedelta(seconds=2.5), "1.2", {"a": "digest"}, {"scan": 0.5}, {"zone": "2026a"}
    )

    recorded = record_run(workspace, given, answers(a={1, 2}), leaf_counts={"a": [{"leaf": 1, "count": 9}]})

    assert recorded == find_run(workspace, recorded.id) == runs(workspace)[0]
    assert (recorded.as_of, recorded.snapshot, recorded.started) == (given.as_of, 1, given.started)
    assert recorded.finished - recorded.started == timedelta(seconds=2.5)
    assert (recorded.definitions, recorded.timings, recorded.note) == (
        {"a": "digest"},
        {"scan": 0.5},
        {"zone": "2026a"},
    )
    assert (recorded.status, recorded.reproducible, recorded.tool_version) == (RunStatus.OK, True, "1.2")
    (segment,) = run_segments(workspace, recorded)
    assert (segment.size, segment.entered, segment.left) == (2, 2, 0)
    assert segment.leaves == [{"leaf": 1, "count": 9}]


def test_runs_are_found_by_what_people_say(workspace: Workspace) -> None:
    first, second = record(workspace, 1, {"a": {1}}), record(workspace, 2, {"a": {2}})
    what_if = record(workspace, 0, {"a": {3}})

    assert find_run(workspace, "last") == second
    assert find_run(workspace, "previous") == first
    assert find_run(workspace, what_if.id) == what_if
    assert find_run(workspace, second.id[:6]) == second
    assert find_run(workspace, day(2)) == second
    assert find_run(workspace, day(2) - timedelta(microseconds=1)) == first


@pytest.mark.parametrize(("words", "code"), [("r", "SEG612"), ("rzz", "SEG611"), ("", "SEG611"), (day(0), "SEG611")])
def test_what_names_no_single_run_is_refused(workspace: Workspace, words: str | datetime, code: str) -> None:
    record(workspace, 1, {"a": {1}})
    record(workspace, 2, {"a": {2}})

    with pytest.raises(UsageError) as caught:
        find_run(workspace, words)

    assert caught.value.code == code


def test_there_is_no_previous_before_the_second_run(workspace: Workspace) -> None:
    record(workspace, 1, {"a": {1}})

    with pytest.raises(UsageError):
        find_run(workspace, "previous")


def test_the_same_as_of_again_comes_into_force(workspace: Workspace) -> None:
    record(workspace, 1, {"a": {1}})
    again = record(workspace, 1, {"a": {2}})

    assert in_force(workspace, "a") == again.id
    assert members(workspace, "a").to_list() == [2]


def test_an_earlier_as_of_is_recorded_and_never_in_force(workspace: Workspace) -> None:
    present = record(workspace, 5, {"a": {1, 2}})
    what_if = record(workspace, 4, {"a": {2, 3, 4}})

    assert what_if.status is RunStatus.WHAT_IF
    assert in_force(workspace, "a") == present.id
    assert members(workspace, "a").to_list() == [1, 2]
    assert members(workspace, "a", what_if).to_list() == [2, 3, 4]
    assert sizes(workspace) == {"a": 2}
    found = diff(workspace, present, what_if)
    assert [(s.before, s.entered, s.left, s.stayed, s.after) for s in found.segments] == [(2, 2, 1, 1, 3)]
    assert intervals(workspace, 3) == []


def test_in_force_is_a_matter_of_each_segment(workspace: Workspace) -> None:
    later = record(workspace, 9, {"a": {1}})
    mixed = record(workspace, 5, {"a": {2}, "b": {3}})

    assert mixed.status is RunStatus.OK
    assert states(workspace, mixed) == {"a": "what_if", "b": "in_force"}
    assert (in_force(workspace, "a"), in_force(workspace, "b")) == (later.id, mixed.id)
    assert in_force(workspace, "never") is None


def test_a_failed_segment_keeps_its_last_membership_and_the_others_go_on(workspace: Workspace) -> None:
    first = record(workspace, 1, {"a": {1, 2}, "b": {1}})
    second = record(workspace, 2, {"b": {1, 5}}, failed={"a": "stale input"})

    assert second.status is RunStatus.PARTIAL
    assert members(workspace, "a").to_list() == [1, 2]
    assert in_force(workspace, "a") == first.id
    assert sizes(workspace) == {"a": 2, "b": 2}
    told = history(workspace, "a")[-1]
    assert (told.state, told.size, told.entered, told.left, told.reason) == (
        SegmentState.FAILED,
        2,
        0,
        0,
        "stale input",
    )


def test_a_failed_run_leaves_the_last_one_in_force(workspace: Workspace) -> None:
    first = record(workspace, 1, {"a": {1}})
    failed = record_failed_run(workspace, new_run(2), "out of memory")

    assert (failed.status, failed.note["reason"]) == (RunStatus.FAILED, "out of memory")
    assert find_run(workspace, "last") == first
    assert members(workspace, "a").to_list() == members(workspace, "a", failed).to_list() == [1]


def test_a_run_in_which_everything_failed_is_a_failed_one(workspace: Workspace) -> None:
    failed = record(workspace, 1, {}, failed={"a": "broken"})

    assert failed.status is RunStatus.FAILED
    with pytest.raises(UsageError) as caught:
        members(workspace, "a")
    assert caught.value.code == "SEG614"


def test_a_renamed_segment_keeps_membership_and_history(workspace: Workspace) -> None:
    record(workspace, 1, {"old": {1, 2}})
    record(workspace, 2, {"new": {2, 3}}, active={"new"}, renames={"new": "old"})

    assert [(s.entered, s.left) for s in history(workspace, "new")] == [(2, 0), (1, 1)]
    assert {i.segment for i in intervals(workspace, range(6))} == {"new"}
    assert sizes(workspace) == {"new": 2}
    with pytest.raises(UsageError):
        history(workspace, "old")


def test_of_several_former_names_the_one_that_was_in_use_counts(workspace: Workspace) -> None:
    record(workspace, 1, {"second": {1, 2}})
    record(workspace, 2, {"new": {2}}, active={"new"}, renames={"new": ["first", "second", "third"]})

    assert [(s.entered, s.left) for s in history(workspace, "new")] == [(2, 0), (0, 1)]


def test_of_two_that_claim_a_former_name_one_gets_it(workspace: Workspace) -> None:
    record(workspace, 1, {"old": {1, 2}})
    record(workspace, 2, {"x": {1}, "y": {2}}, active={"x", "y"}, renames={"x": "old", "y": "old"})

    assert [(s.entered, s.left) for s in history(workspace, "x")] == [(2, 0), (0, 1)]
    assert [(s.entered, s.left) for s in history(workspace, "y")] == [(1, 0)]


def test_a_rename_counts_for_segments_that_were_not_selected(workspace: Workspace) -> None:
    record(workspace, 1, {"old": {1, 2}, "other": {1}})
    record(workspace, 2, {"other": {1}}, active={"new", "other"}, renames={"new": "old"})
    third = record(workspace, 3, {"new": {1}}, active={"new", "other"}, renames={"new": "old"})

    assert [(s.entered, s.left) for s in run_segments(workspace, third)] == [(0, 1)]


def test_the_former_name_may_be_used_for_something_else(workspace: Workspace) -> None:
    record(workspace, 1, {"old": {1, 2}})
    record(workspace, 2, {"new": {1, 2}}, active={"new"}, renames={"new": "old"})
    record(workspace, 3, {"new": {1}, "old": {5}}, active={"new", "old"}, renames={"new": "old"})

    assert sizes(workspace) == {"new": 1, "old": 1}
    assert [(s.entered, s.left) for s in history(workspace, "old")] == [(1, 0)]


def test_a_rename_does_not_rob_a_segment_that_is_still_there(workspace: Workspace) -> None:
    record(workspace, 1, {"old": {1, 2}})
    record(workspace, 2, {"new": {3}, "old": {1}}, active={"new", "old"}, renames={"new": "old"})

    assert members(workspace, "old").to_list() == [1]
    assert [(s.entered, s.left) for s in history(workspace, "new")] == [(1, 0)]


def test_a_rename_to_the_name_of_a_removed_segment_works(workspace: Workspace) -> None:
    record(workspace, 1, {"a": {1}, "b": {2, 3}})
    record(workspace, 2, {"b": {2, 3}}, active={"b"})
    record(workspace, 3, {"a": {2}}, active={"a"}, renames={"a": "b"})

    assert sizes(workspace) == {"a": 1}
    assert [(s.entered, s.left) for s in history(workspace, "a")] == [(2, 0), (0, 0), (0, 1)]


def test_everybody_leaves_a_segment_whose_definition_is_gone(workspace: Workspace) -> None:
    first = record(workspace, 1, {"a": {1, 2}, "b": {1}})
    second = record(workspace, 2, {"b": {1}}, active={"b"})

    moves = diff(workspace, first, second).moves
    assert moves.select("segment", "subject", "entered", "cause").rows() == [
        ("a", 1, False, "definition removed"),
        ("a", 2, False, "definition removed"),
    ]
    assert sizes(workspace) == {"b": 1}
    assert members(workspace, "a").to_list() == []
    assert states(workspace, second) == {"a": "removed", "b": "in_force"}
    (stay,) = intervals(workspace, 2)
    assert (stay.segment, stay.entered_at, stay.left_at, stay.left_cause) == ("a", day(1), day(2), "definition removed")


def test_a_segment_that_was_not_selected_stays_as_it_is(workspace: Workspace) -> None:
    record(workspace, 1, {"a": {1, 2}, "b": {1}})
    record(workspace, 2, {"b": {1}}, active={"a", "b"})
    record(workspace, 3, {"b": {1}})

    assert sizes(workspace) == {"a": 2, "b": 1}


def test_a_what_if_removes_nobody(workspace: Workspace) -> None:
    record(workspace, 5, {"a": {1}, "b": {1}})
    what_if = record(workspace, 4, {"b": {1}}, active={"b"})

    assert what_if.status is RunStatus.WHAT_IF
    assert sizes(workspace) == {"a": 1, "b": 1}


def test_a_definition_that_comes_back_goes_on_where_it_ended(workspace: Workspace) -> None:
    record(workspace, 1, {"a": {1}})
    record(workspace, 2, {}, active=set())
    record(workspace, 3, {"a": {1, 2}}, active={"a"})

    assert [(s.entered, s.left, s.size) for s in history(workspace, "a")] == [(1, 0, 1), (0, 1, 0), (2, 0, 2)]
    assert [(i.entered_at, i.left_at) for i in intervals(workspace, 1)] == [(day(1), day(2)), (day(3), None)]


def test_a_preview_says_what_a_run_would_do_and_writes_nothing(workspace: Workspace) -> None:
    record(workspace, 1, {"a": {1, 2}})
    before = workspace.snapshot()

    outcome = preview_run(workspace, new_run(2), answers(a={2, 3, 4}), active={"a"})

    (moved,) = outcome.movements
    assert (moved.before, moved.entered, moved.left, moved.stayed, moved.after) == (2, 2, 1, 1, 3)
    assert outcome.changes.select("subject", "entered").rows() == [(1, False), (3, True), (4, True)]
    assert workspace.snapshot() == before
    assert len(runs(workspace)) == 1


def test_causes_are_kept_with_the_changes_they_explain(workspace: Workspace) -> None:
    causes = pl.DataFrame({"segment": ["a", "x"], "subject": [1, 2], "cause": ["late data", "?"]})
    first = record(workspace, 1, {"a": set()})
    second = record(workspace, 2, {"a": {1, 2}}, causes=causes)

    assert diff(workspace, first, second).moves["cause"].to_list() == ["late data", None]
    assert [i.entered_cause for i in intervals(workspace, [1, 2])] == ["late data", None]


def test_who_came_and_went_again_has_not_moved(workspace: Workspace) -> None:
    first = record(workspace, 1, {"a": {1}})
    record(workspace, 2, {"a": {2}})
    third = record(workspace, 3, {"a": {1, 3}})

    found = diff(workspace, first, third)

    assert found.moves.select("subject", "entered", "effective").rows() == [(3, True, day(3))]
    assert [(s.entered, s.left, s.stayed) for s in found.segments] == [(1, 0, 1)]
    backwards = diff(workspace, third, first)
    assert backwards.moves.select("subject", "entered").rows() == [(3, False)]


def test_a_diff_may_be_limited_to_some_segments(workspace: Workspace) -> None:
    first = record(workspace, 1, {"a": {1}, "b": {1}})
    second = record(workspace, 2, {"a": {2}, "b": {2}})

    found = diff(workspace, first, second, ["b"])

    assert [s.segment for s in found.segments] == ["b"]
    assert set(found.moves["segment"]) == {"b"}
    with pytest.raises(UsageError) as caught:
        diff(workspace, first, second, ["c"])
    assert caught.value.code == "SEG614"


def test_a_segment_that_is_new_has_no_size_before(workspace: Workspace) -> None:
    first = record(workspace, 1, {"a": {1}})
    second = record(workspace, 2, {"a": {1}, "b": {2}})

    counts = {s.segment: (s.before, s.entered, s.after) for s in diff(workspace, first, second).segments}

    assert counts == {"a": (1, 0, 1), "b": (None, 1, 1)}
    with pytest.raises(UsageError):
        members(workspace, "b", first)


def test_profiles_without_a_row_are_no_members(workspace: Workspace) -> None:
    record(workspace, 1, {"a": {1, 5}})
    record_run(workspace, new_run(2), answers(a={1, 5}).filter(pl.col("subject") < 3))

    assert members(workspace, "a").to_list() == [1]


def test_a_run_over_nobody_is_a_run(workspace: Workspace) -> None:
    record_run(workspace, new_run(1), answers(a=set()).clear())

    assert members(workspace, "a").to_list() == []
    assert sizes(workspace) == {"a": 0}


def test_merged_changes_tell_what_single_ones_told(workspace: Workspace) -> None:
    recorded = [record(workspace, n, {"a": {n % 6, (n * n) % 6}, "b": {n % 4}}) for n in range(9)]
    pairs = [(one, two) for one in recorded for two in recorded]
    before = [diff(workspace, one, two).moves for one, two in pairs]
    stays = intervals(workspace, range(6))

    done = compact(workspace, change_runs=3)

    assert [(c.dataset, c.files_before, c.files_after) for c in done] == [("changes", 3, 1), ("changes", 3, 1)]
    assert [diff(workspace, one, two).moves.rows() for one, two in pairs] == [moves.rows() for moves in before]
    assert intervals(workspace, range(6)) == stays

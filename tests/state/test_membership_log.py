"""Random runs against a dictionary of sets."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.state.compaction import compact
from segctl.state.memberships import (
    diff,
    diff_counts,
    history,
    in_force,
    intervals,
    members,
    memberships,
    record_run,
    sizes,
)
from segctl.state.runs import NewRun, Run, RunStatus
from segctl.state.workspace import Workspace

DAY_ZERO = datetime(2026, 1, 1, tzinfo=UTC)
SEGMENTS = ("a", "b", "c")
SUBJECTS = 7


@dataclass(frozen=True)
class Step:
    """One run: day of as_of, members of what was evaluated, what failed, what is no longer defined."""

    day: int
    found: dict[str, set[int]]
    failed: frozenset[str]
    undefined: frozenset[str]
    compact_after: bool


@st.composite
def steps(draw: st.DrawFn) -> Step:
    roles = {name: draw(st.sampled_from("eeeefuss")) for name in SEGMENTS}  # evaluated, failed, undefined, not selected
    return Step(
        day=draw(st.integers(0, 12)),
        found={name: draw(st.sets(st.integers(0, SUBJECTS - 1))) for name, role in roles.items() if role == "e"},
        failed=frozenset(name for name, role in roles.items() if role == "f"),
        undefined=frozenset(name for name, role in roles.items() if role == "u"),
        compact_after=draw(st.integers(0, 4)) == 0,
    )


@dataclass
class Oracle:
    """What must be true, kept the obvious way."""

    state: dict[str, set[int]] = field(default_factory=dict)
    in_force_day: dict[str, int] = field(default_factory=dict)
    in_force_run: dict[str, int] = field(default_factory=dict)
    alive: set[str] = field(default_factory=set)
    after: list[dict[str, set[int]]] = field(default_factory=list)
    statuses: list[RunStatus] = field(default_factory=list)

    def run(self, step: Step) -> None:
        number, seen, in_force_now, what_if = len(self.after), {}, False, False
        for name, found in step.found.items():
            if step.day < self.in_force_day.get(name, -1):
                what_if, seen[name] = True, found
            else:
                in_force_now = True
                self._put(name, found, step.day, number)
                self.alive.add(name)
        for name in sorted(step.undefined & self.alive):
            if step.day >= self.in_force_day[name]:
                in_force_now = True
                self._put(name, set(), step.day, number)
                self.alive.discard(name)
        self.after.append({**{name: set(found) for name, found in self.state.items()}, **seen})
        if in_force_now:
            self.statuses.append(RunStatus.PARTIAL if step.failed else RunStatus.OK)
        elif what_if:
            self.statuses.append(RunStatus.WHAT_IF)
        else:
            self.statuses.append(RunStatus.FAILED if step.failed else RunStatus.OK)

    def _put(self, name: str, found: set[int], day: int, number: int) -> None:
        self.state[name], self.in_force_day[name], self.in_force_run[name] = set(found), day, number


@patch("segctl.state.run_log._CHECKPOINT_RUNS", 1)
def play(workspace: Workspace, script: list[Step]) -> tuple[Oracle, list[Run]]:
    oracle, recorded = Oracle(), []
    for step in script:
        as_of = DAY_ZERO + timedelta(days=step.day)
        answers = pl.DataFrame(
            {"subject": pl.Series(range(SUBJECTS), dtype=pl.Int32)}
            | {name: [s in found for s in range(SUBJECTS)] for name, found in step.found.items()}
        )
        run = NewRun(as_of, workspace.snapshot(), as_of, as_of, "0")
        recorded.append(
            record_run(
                workspace,
                run,
                answers.sample(fraction=1, shuffle=True, seed=step.day),
                active=set(SEGMENTS) - step.undefined,
                failed=dict.fromkeys(step.failed, "broken"),
            )
        )
        oracle.run(step)
        if step.compact_after:
            compact(workspace, change_runs=2)
    return oracle, recorded


@settings(max_examples=35, deadline=None)
@given(script=st.lists(steps(), min_size=1, max_size=9))
def test_every_answer_of_the_log_is_that_of_a_dictionary_of_sets(script: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder, Workspace.open(Path(folder) / "ws", create=True) as workspace:
        oracle, recorded = play(workspace, script)

        assert [run.status for run in recorded] == oracle.statuses
        for run, after in zip(recorded, oracle.after, strict=True):
            for name, expected in after.items():
                assert set(members(workspace, name, run)) == expected
        for name, expected in oracle.state.items():
            assert set(members(workspace, name)) == expected
            assert in_force(workspace, name) == recorded[oracle.in_force_run[name]].id
        assert sizes(workspace) == {name: len(oracle.state[name]) for name in sorted(oracle.alive)}
        wide = memberships(workspace)
        for name, expected in oracle.state.items():
            assert set(wide.filter(name)["subject"]) == expected


@settings(max_examples=35, deadline=None)
@given(script=st.lists(steps(), min_size=2, max_size=9), data=st.data())
def test_a_diff_of_any_two_runs_is_the_difference_of_their_sets(script: list[Step], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder, Workspace.open(Path(folder) / "ws", create=True) as workspace:
        oracle, recorded = play(workspace, script)
        early = data.draw(st.integers(0, len(script) - 1))
        late = data.draw(st.integers(0, len(script) - 1))
        before, after = oracle.after[early], oracle.after[late]

        found = diff(workspace, recorded[early], recorded[late])

        assert diff_counts(workspace, recorded[early], recorded[late]) == found.segments
        for one_run, next_run in pairwise(recorded):
            assert diff_counts(workspace, one_run, next_run) == diff(workspace, one_run, next_run).segments
        counts = {s.segment: (s.before or 0, s.entered, s.left, s.stayed, s.after or 0) for s in found.segments}
        for name in before.keys() | after.keys():
            one, two = before.get(name, set()), after.get(name, set())
            moves = found.moves.filter(pl.col("segment") == name)
            assert set(moves.filter("entered")["subject"]) == two - one
            assert set(moves.filter(~pl.col("entered"))["subject"]) == one - two
            assert counts[name] == (len(one), len(two - one), len(one - two), len(one & two), len(two))


@settings(max_examples=35, deadline=None)
@given(script=st.lists(steps(), min_size=1, max_size=9))
def test_intervals_and_history_tell_the_same_story(script: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder, Workspace.open(Path(folder) / "ws", create=True) as workspace:
        oracle, _ = play(workspace, script)

        stays = intervals(workspace, range(SUBJECTS))
        for name, expected in oracle.state.items():
            assert {s.subject for s in stays if s.segment == name and s.left_at is None} == expected
            told = [entry for entry in history(workspace, name) if entry.state in ("in_force", "removed")]
            entered = sum(entry.entered for entry in told)
            assert entered == sum(s.segment == name for s in stays)
            assert entered - sum(entry.left for entry in told) == told[-1].size == len(expected)

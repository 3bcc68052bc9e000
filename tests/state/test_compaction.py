from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.model.errors import TemporaryError, UsageError
from segctl.state import compaction, sorting
from segctl.state.compaction import compact, merged_meta, pending
from segctl.state.locks import leased_snapshots
from segctl.state.memberships import members, record_run
from segctl.state.runs import NewRun, find_run
from segctl.state.sorting import cut, in_event_order
from segctl.state.vacuum import preview, vacuum
from segctl.state.workspace import Workspace

SCHEMA = {
    "subject": pl.Int32,
    "ts": pl.Datetime("us", "UTC"),
    "source": pl.String,
    "event_id": pl.String,
    "kind": pl.String,
    "file_id": pl.Int32,
    "line": pl.Int64,
    "value:n2": pl.Int64,
    "tags:lt": pl.List(pl.String),
    "sku:t": pl.String,
}
LATER = datetime(2100, 1, 1, tzinfo=UTC)
KEYS = ["subject", "ts", "source", "event_id"]

row = st.tuples(
    st.integers(0, 9),
    st.integers(0, 3),
    st.sampled_from(["a", "b"]),
    st.text("aZé😀\U00010000\uffff", max_size=2),
    st.sampled_from(["order", "view", "Ärger/../x"]),
    st.integers(-(2**63), 2**63 - 1) | st.none(),
    st.lists(st.text(max_size=1), max_size=2) | st.none(),
)


def frame(rows: list[tuple]) -> pl.DataFrame:
    columns = [
        (s, ts, source, event, kind, 1, n, value if kind == "order" else None, tags, "s" if kind == "view" else None)
        for n, (s, ts, source, event, kind, value, tags) in enumerate(rows)
    ]
    return pl.DataFrame(columns, schema={**SCHEMA, "ts": pl.Int64}, orient="row").cast({"ts": SCHEMA["ts"]})


def ingest(workspace: Workspace, rows: pl.DataFrame) -> int:
    kinds = dict(rows.group_by("kind").len().iter_rows())
    meta = {"kinds": kinds, "columns": rows.columns, "sorted": False, "sources": {"a": rows.height}}
    return workspace.commit("ingest", add=[workspace.write("events", rows, meta)])


def everything(workspace: Workspace, snapshot: int | None = None) -> pl.DataFrame:
    parts = [pl.DataFrame(schema=SCHEMA)]
    for file in workspace.files("events", snapshot):
        part = pl.read_parquet(file.path)
        if "kind" not in part.columns:
            part = part.with_columns(kind=pl.lit(next(iter(file.meta["kinds"]))))
        parts.append(part)
    return pl.concat(parts, how="diagonal").sort(*KEYS, "kind", "line", "value:n2", nulls_last=True)


@settings(max_examples=60, deadline=None)
@given(tails=st.lists(st.lists(row, max_size=30), max_size=4), rows_at_once=st.integers(1, 12), between=st.booleans())
def test_compaction_keeps_every_row_and_sorts_each_kind_into_one_file(
    tmp_path_factory: pytest.TempPathFactory, tails: list[list[tuple]], rows_at_once: int, between: bool
) -> None:
    with Workspace.open(tmp_path_factory.mktemp("ws"), create=True) as workspace:
        for tail in tails:
            ingest(workspace, frame(tail))
            if between:
                compact(workspace, rows_at_once=rows_at_once)
        before, snapshot = everything(workspace), workspace.snapshot()

        compact(workspace, rows_at_once=rows_at_once)

        assert everything(workspace).equals(before)
        assert everything(workspace, snapshot).equals(before)
        files = workspace.files("events")
        assert sorted(kind for file in files for kind in file.meta["kinds"]) == sorted(before["kind"].unique())
        for file in files:
            check_file(pl.read_parquet(file.path), file.meta, file.rows)
        assert pending(workspace) == []
        assert not (workspace.folder / "spill").exists()


def check_file(rows: pl.DataFrame, meta: dict, count: int) -> None:
    keys = list(rows.select(KEYS).iter_rows())
    assert keys == sorted(keys)  # Python compares text by code point
    assert meta["sorted"] is True
    assert list(meta["kinds"].values()) == [rows.height] == [count]
    assert meta["columns"] == rows.columns
    assert "kind" not in rows.columns
    assert all(rows[name].null_count() < rows.height for name in rows.columns)
    assert meta["unique_ts"] == (rows.select("subject", "ts").n_unique() == rows.height)
    stamps = rows["ts"].dt.epoch("us")
    assert (meta["min_ts"], meta["max_ts"]) == (stamps.min(), stamps.max())
    assert meta["sources"] == dict(rows["source"].value_counts().iter_rows())
    integers = {name: rows[name].drop_nulls().to_list() for name in rows.columns if name == "value:n2"}
    assert meta["max_abs"] == {name: max(map(abs, values), default=0) for name, values in integers.items()}


@settings(deadline=None)
@given(st.lists(row, max_size=40))
def test_the_quick_order_is_the_order_of_all_keys(rows: list[tuple]) -> None:
    unordered = frame(rows)

    ordered, is_unique = in_event_order(unordered)

    expected = sorted(unordered.select(*KEYS, "line").iter_rows())
    assert list(ordered.select(*KEYS, "line").iter_rows()) == expected
    assert is_unique == (unordered.select("subject", "ts").n_unique() == unordered.height)


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(1, 4), st.integers(1, 12))
def test_no_range_holds_more_rows_than_fit(buckets: list[int], width: int, rows_at_once: int) -> None:
    ranges = cut(np.array(buckets), width, rows_at_once)

    subjects = np.repeat(np.arange(len(buckets)) * width, buckets)
    numbers = ranges.of(subjects.astype(np.int32))
    for number, (low, high) in enumerate(ranges.bounds()):
        inside = subjects[numbers == number]
        assert ((inside >= low) & (inside <= high)).all()
        assert len(inside) <= rows_at_once or len(set(inside // width)) == 1
    assert len(numbers) == sum(buckets)
    assert len(ranges.first) <= 1 + 2 * sum(buckets) // rows_at_once + sum(n > rows_at_once for n in buckets)


def test_only_kinds_with_new_rows_are_written_again(workspace: Workspace) -> None:
    ingest(workspace, frame([(1, 1, "a", "1", "order", 5, None), (1, 1, "a", "2", "view", 5, None)]))
    compact(workspace)
    before = {next(iter(file.meta["kinds"])): file.id for file in workspace.files("events")}
    ingest(workspace, frame([(0, 1, "a", "3", "order", 5, None)]))

    (done,) = compact(workspace)

    after = {next(iter(file.meta["kinds"])): file.id for file in workspace.files("events")}
    assert after["view"] == before["view"]
    assert after["order"] != before["order"]
    assert (done.dataset, done.rows, done.files_before, done.files_after) == ("events", 2, 2, 1)


def test_a_person_with_more_rows_than_fit_is_not_torn_apart(workspace: Workspace) -> None:
    ingest(workspace, frame([(n % 3, n % 4, "a", str(n), "order", n, None) for n in range(50)]))

    compact(workspace, rows_at_once=2)

    (file,) = workspace.files("events")
    assert file.rows == 50
    assert file.meta["unique_ts"] is False


def test_rows_that_come_while_compaction_runs_survive_it(workspace: Workspace) -> None:
    ingest(workspace, frame([(1, 1, "a", "1", "order", 5, None)]))
    sort = sorting.sort_events

    def meanwhile(*args: object, **kwargs: object) -> object:
        result = sort(*args, **kwargs)
        with Workspace.open(workspace.folder) as other:
            ingest(other, frame([(0, 1, "a", "2", "order", 5, None)]))
        return result

    with patch.object(compaction, "sort_events", meanwhile):
        compact(workspace)

    assert everything(workspace)["event_id"].to_list() == ["2", "1"]
    assert sorted(file.meta["sorted"] for file in workspace.files("events")) == [False, True]


def test_files_that_were_replaced_meanwhile_are_not_brought_back(workspace: Workspace) -> None:
    ingest(workspace, frame([(1, 1, "a", "1", "order", 5, None)]))
    sort = sorting.sort_events

    def meanwhile(*args: object, **kwargs: object) -> object:
        result = sort(*args, **kwargs)
        workspace.commit("erase", remove=[workspace.files("events")[0].id])
        return result

    with patch.object(compaction, "sort_events", meanwhile), pytest.raises(TemporaryError):
        compact(workspace)

    assert workspace.files("events") == []


def test_two_compactions_at_once_are_refused(workspace: Workspace) -> None:
    with Workspace.open(workspace.folder) as other, other.lock("compact"), pytest.raises(TemporaryError):
        compact(workspace)


def test_an_error_on_the_way_leaves_everything_as_it_was(workspace: Workspace) -> None:
    ingest(workspace, frame([(1, 1, "a", "1", "order", 5, None)]))

    with patch.object(sorting, "in_event_order", side_effect=MemoryError), pytest.raises(BaseException):  # noqa: B017, PT011 - whatever ends a sort
        compact(workspace)

    assert everything(workspace).height == 1
    assert not (workspace.folder / "spill").exists()
    assert len(list((workspace.folder / "files").rglob("*.parquet"))) == 1


def test_what_a_killed_compaction_left_is_cleared(workspace: Workspace) -> None:
    left = workspace.folder / "spill" / "old"
    left.mkdir(parents=True)
    (left / "0.arrow").write_bytes(b"x")
    ingest(workspace, frame([(1, 1, "a", "1", "order", 5, None)]))

    compact(workspace)

    assert not left.exists()


def test_progress_counts_every_row_twice(workspace: Workspace) -> None:
    ingest(workspace, frame([(n, 1, "a", str(n), "order", 5, None) for n in range(10)]))
    told: list[int] = []

    compact(workspace, advance=told.append, rows_at_once=4)

    assert sum(told) == 20


def test_records_keep_all_versions_in_order(workspace: Workspace) -> None:
    one = pl.DataFrame({"subject": [1, 1], "arrival": [0, 1], "country:t": ["DE", "AT"]})
    two = pl.DataFrame({"subject": [1], "arrival": [2], "points:i": [7]})
    for part, columns in ((one, ["a"]), (two, ["b"])):
        workspace.commit(
            "ingest",
            add=[workspace.write("records/Größe", part, {"columns": columns, "max_arrival": part["arrival"].max()})],
        )

    compact(workspace)

    (file,) = workspace.files("records/Größe")
    merged = pl.read_parquet(file.path)
    assert merged["arrival"].to_list() == [0, 1, 2]
    assert merged["country:t"].to_list() == ["DE", "AT", None]
    assert merged["points:i"].to_list() == [None, None, 7]
    assert file.meta == {"columns": ["a", "b"], "max_arrival": 2}
    assert file.rows == 3


def test_meta_of_merged_files_holds_for_all_rows() -> None:
    one = {"kinds": {"a": 1, "b": 2}, "max_abs": {"v": 5}, "min_ts": 3, "max_ts": 9, "first": 10}
    two = {"kinds": {"b": 1}, "max_abs": {"v": 7, "w": 1}, "min_ts": 1, "max_ts": 4, "first": 0}
    merged = {"kinds": {"a": 1, "b": 3}, "max_abs": {"v": 7, "w": 1}, "min_ts": 1, "max_ts": 9, "first": 0}

    assert merged_meta([one, two]) == merged
    assert merged_meta([{"gone": 2, "x": "a", "y": True}, {"gone": 3, "x": "b", "y": True}]) == {"gone": 5, "y": True}
    assert merged_meta([{"max_ts": 9}, {}]) == {}


def test_an_empty_workspace_is_tidy(workspace: Workspace) -> None:
    assert compact(workspace) == []
    assert workspace.snapshot() == 0


def files_on_disk(workspace: Workspace) -> set[Path]:
    return set((workspace.folder / "files").rglob("*.parquet"))


def compacted(workspace: Workspace) -> tuple[int, Path]:
    """A snapshot and the file it alone needs."""
    snapshot = ingest(workspace, frame([(1, 1, "a", "1", "order", 5, None)]))
    old = workspace.files("events")[0].path
    compact(workspace)
    return snapshot, old


def test_vacuum_deletes_what_was_replaced_and_says_so_of_old_snapshots(workspace: Workspace) -> None:
    snapshot, old = compacted(workspace)
    size = old.stat().st_size

    planned = preview(workspace, now=LATER)
    done = vacuum(workspace, now=LATER)

    assert planned == done
    assert (done.files, done.orphans, done.bytes) == (1, 0, size)
    assert files_on_disk(workspace) == {file.path for file in workspace.files("events")}
    with pytest.raises(UsageError) as caught:
        workspace.files("events", snapshot)
    assert caught.value.code == "SEG608"
    assert vacuum(workspace, now=LATER).files == 0


def test_vacuum_spares_what_was_current_within_the_retention(workspace: Workspace) -> None:
    snapshot, old = compacted(workspace)
    now = datetime.now(UTC)  # commits are stamped by the database

    assert vacuum(workspace, now=now + timedelta(hours=1)).files == 0
    assert workspace.files("events", snapshot)[0].path == old
    assert vacuum(workspace, now=now + timedelta(hours=25)).files == 1


def test_vacuum_spares_what_a_lease_holds(workspace: Workspace) -> None:
    snapshot, old = compacted(workspace)

    with Workspace.open(workspace.folder) as reader, reader.lease(snapshot):
        assert vacuum(workspace, now=LATER).files == 0
        assert reader.files("events", snapshot)[0].path == old

    assert vacuum(workspace, now=LATER).files == 1


def test_a_lease_on_another_snapshot_spares_nothing(workspace: Workspace) -> None:
    compacted(workspace)

    with workspace.lease(workspace.snapshot()):
        assert vacuum(workspace, now=LATER).files == 1


def test_the_lease_of_a_dead_process_is_ignored(workspace: Workspace) -> None:
    snapshot, _ = compacted(workspace)
    leases = workspace.folder / "leases"
    leases.mkdir(exist_ok=True)
    (leases / f"{snapshot}-abc.lease").write_text("{}")

    assert vacuum(workspace, now=LATER).files == 1
    assert list(leases.glob("*.lease")) == []


def run_of(workspace: Workspace, snapshot: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    answers = pl.DataFrame({"subject": [1], "a": [True]}, schema_overrides={"subject": pl.Int32})
    record_run(workspace, NewRun(at, snapshot, at, at, "0"), answers)


def test_a_run_whose_files_are_gone_is_marked(workspace: Workspace) -> None:
    snapshot, _ = compacted(workspace)
    run_of(workspace, snapshot)
    run_of(workspace, workspace.snapshot())

    done = vacuum(workspace, now=LATER)

    last, previous = find_run(workspace, "last"), find_run(workspace, "previous")
    assert done.runs == (previous.id,)
    assert (last.reproducible, previous.reproducible) == (True, False)
    assert members(workspace, "a", previous).to_list() == [1]


@pytest.mark.parametrize("dataset", ["changes", "keys/shop", "landed/shop", "quarantine/shop"])
def test_a_run_can_be_reproduced_without_files_that_no_run_reads(workspace: Workspace, dataset: str) -> None:
    snapshot = workspace.commit("ingest", [workspace.write(dataset, pl.DataFrame({"n": [1]}), {"runs": [0, 0]})])
    run_of(workspace, snapshot)
    workspace.commit("compact", remove=[workspace.files(dataset)[0].id])

    done = vacuum(workspace, now=LATER)

    assert (done.files, done.runs) == (1, ())
    assert find_run(workspace, "last").reproducible


def test_a_run_within_the_retention_keeps_its_files(workspace: Workspace) -> None:
    snapshot, _ = compacted(workspace)
    with workspace.transaction() as db:
        db.execute("UPDATE commits SET at = '2020-01-01T00:00:00.000Z'")
    run_of(workspace, snapshot)

    assert vacuum(workspace, now=datetime.now(UTC)).files == 0
    assert vacuum(workspace, now=LATER).files == 1


def test_leftovers_without_a_row_go_when_they_are_old(workspace: Workspace) -> None:
    with Workspace.open(workspace.folder) as writer:
        young = writer.write("events", pl.DataFrame({"n": [1]})).path
        old = writer.write("events", pl.DataFrame({"n": [1]})).path
    now = datetime.now(UTC)
    os.utime(old, (0, (now - timedelta(hours=25)).timestamp()))

    done = vacuum(workspace, now=now)

    assert (done.files, done.orphans) == (0, 1)
    assert files_on_disk(workspace) == {young}


def test_vacuum_finishes_what_a_crash_interrupted(workspace: Workspace) -> None:
    _, old = compacted(workspace)
    with patch("pathlib.Path.unlink", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        vacuum(workspace, now=LATER)
    assert old.exists()

    assert vacuum(workspace, now=LATER).orphans == 1
    assert not old.exists()


WRITES_AND_WAITS = """
import sys
from pathlib import Path
import polars as pl
from segctl.state.workspace import Workspace
with Workspace.open(Path(sys.argv[1])) as workspace:
    file = workspace.write("records/crm", pl.DataFrame({"subject": [1, 2, 3]}))
    print(file.path, flush=True)
    if sys.stdin.readline():
        workspace.commit("ingest", add=[file])
"""


@contextmanager
def other_writer(folder: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """Another process that has written a file and waits for a line before it commits it."""
    command = [sys.executable, "-c", WRITES_AND_WAITS, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Path(process.stdout.readline().strip()), process


def test_a_vacuum_without_retention_spares_what_a_living_writer_has_not_committed(workspace: Workspace) -> None:
    with other_writer(workspace.folder) as (path, process):
        deleted = vacuum(workspace, now=LATER, retention=timedelta(0))
        process.communicate("go on\n")

    assert deleted.orphans == 0
    assert process.returncode == 0
    assert [file.path for file in workspace.files("records/crm")] == [path]


def test_what_a_killed_writer_left_goes(workspace: Workspace) -> None:
    with other_writer(workspace.folder) as (path, process):
        process.kill()
    assert path.exists()

    deleted = vacuum(workspace, now=LATER, retention=timedelta(0))

    assert deleted.orphans == 1
    assert not path.exists()
    assert list((workspace.folder / "leases").iterdir()) == []


def test_a_file_that_its_writer_deletes_meanwhile_stops_no_vacuum(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = workspace.folder / "files" / "records"
    place.mkdir(parents=True)
    (place / "a.parquet").write_bytes(b"abc")
    walked = [(str(place), [], ["a.parquet", "b.parquet"])]
    monkeypatch.setattr("segctl.state.vacuum.os.walk", lambda _: walked)

    found = vacuum(workspace, now=LATER, retention=timedelta(0))

    assert (found.orphans, found.bytes) == (1, 3)


def test_a_lease_whose_process_died_before_it_had_its_name_is_cleared(workspace: Workspace) -> None:
    leases = workspace.folder / "leases"
    leases.mkdir()
    (leases / ".3-abc.lease").touch()

    vacuum(workspace, now=LATER)

    assert list(leases.iterdir()) == []


def test_a_lease_that_is_cleared_before_it_is_locked_is_made_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, cleared = fcntl.flock, []

    def late(handle: int, how: int) -> None:
        if not cleared:
            cleared.extend((workspace.folder / "leases").iterdir())
            cleared[0].unlink()
        lock(handle, how)

    monkeypatch.setattr("segctl.state.locks.fcntl.flock", late)

    with workspace.lease(7):
        assert leased_snapshots(workspace.folder) == {7}
    assert len(cleared) == 1

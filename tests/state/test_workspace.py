from __future__ import annotations

import errno
import os
import resource
import sqlite3
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.model.errors import IntegrityError, LocalIOError, TemporaryError, UsageError
from segctl.state import database
from segctl.state.files import dataset_folder, folder_name
from segctl.state.mounts import file_system, is_network, refuse_network
from segctl.state.workspace import Workspace

FRAME = pl.DataFrame({"n": [1, 2, 3]})


def names(workspace: Workspace, dataset: str, snapshot: int | None = None) -> list[int]:
    return [file.id for file in workspace.files(dataset, snapshot)]


def add(workspace: Workspace, dataset: str = "events") -> int:
    return workspace.commit("test", add=[workspace.write(dataset, FRAME)])


def test_a_file_is_visible_from_its_commit_until_its_removal(workspace: Workspace) -> None:
    first = add(workspace)
    (one,) = names(workspace, "events")
    second = workspace.commit("test", add=[workspace.write("events", FRAME)], remove=[one])
    (two,) = names(workspace, "events")

    assert names(workspace, "events", first - 1) == []
    assert names(workspace, "events", first) == [one]
    assert names(workspace, "events", second) == [two]
    assert workspace.snapshot() == second == first + 1


def test_a_file_without_commit_is_seen_by_nobody(workspace: Workspace) -> None:
    workspace.write("events", FRAME)

    assert workspace.files("events") == []


def test_a_stored_file_says_what_was_said_of_it(workspace: Workspace) -> None:
    workspace.commit("test", add=[workspace.write("events", FRAME, {"kinds": {"Käufe": 3}})])

    (file,) = workspace.files("events")

    assert (file.rows, file.dataset, file.meta, file.removed) == (3, "events", {"kinds": {"Käufe": 3}}, None)
    assert file.bytes == file.path.stat().st_size
    assert pl.read_parquet(file.path).equals(FRAME)


@pytest.mark.parametrize("name", ["Käufe", "a/b", "..", ".", "", "CON", "con", "a b", "%", "😀", "x" * 400])
def test_a_dataset_may_have_any_name(workspace: Workspace, name: str) -> None:
    add(workspace, f"records/{name}")
    add(workspace, "records/other")

    (file,) = workspace.files(f"records/{name}")

    assert file.path.is_file()
    assert (workspace.folder / "files" / "records") in file.path.parents
    assert len(workspace.files("records/*")) == 2


def test_a_prefix_takes_no_neighbours_along(workspace: Workspace) -> None:
    for dataset in ("records/a", "records/ä", "recordsx", "records", "records0", "records-a"):
        add(workspace, dataset)

    assert [file.dataset for file in workspace.files("records/*")] == ["records/a", "records/ä"]
    assert workspace.datasets("records/") == ["records/a", "records/ä"]


@settings(deadline=None)
@given(st.text(st.characters(blacklist_categories=())), st.text(st.characters(blacklist_categories=())))
def test_folder_names_are_plain_and_differ_even_where_case_does_not_count(one: str, two: str) -> None:
    encoded = folder_name(one)

    assert encoded.isascii()
    assert encoded == encoded.lower()
    assert 0 < len(encoded) <= 120
    assert set(encoded).isdisjoint("/\\.: ")
    assert (encoded == folder_name(two)) == (one == two)


def test_a_dataset_has_one_folder_below_its_kind() -> None:
    assert dataset_folder("records/a/b") == "records/a%2fb"
    assert dataset_folder("events") == "events"


def test_everything_of_a_commit_happens_or_nothing(workspace: Workspace) -> None:
    new = workspace.write("events", FRAME)

    def fail(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO counters VALUES ('x', 1)")
        raise KeyError("x")

    with pytest.raises(KeyError):
        workspace.commit("test", add=[new], within=fail)

    assert workspace.snapshot() == 0
    assert workspace.files("events") == []
    assert workspace.query("SELECT * FROM counters") == []
    assert not new.path.exists()


def test_statements_within_a_commit_see_its_number_and_files(workspace: Workspace) -> None:
    seen = []

    def look(db: sqlite3.Connection) -> None:
        seq = db.execute("SELECT max(seq) FROM commits").fetchone()[0]
        seen.append((seq, db.execute("SELECT count(*) FROM files WHERE added = ?", (seq,)).fetchone()[0]))

    seq = workspace.commit("test", add=[workspace.write("events", FRAME)], within=look)

    assert seen == [(seq, 1)]


def test_a_file_can_be_replaced_only_once(workspace: Workspace) -> None:
    add(workspace)
    (one,) = names(workspace, "events")
    workspace.commit("test", remove=[one])
    before = workspace.snapshot()

    with pytest.raises(TemporaryError) as caught:
        workspace.commit("test", add=[workspace.write("events", FRAME)], remove=[one])

    assert caught.value.code == "SEG613"
    assert workspace.snapshot() == before
    assert workspace.files("events") == []


def test_a_listed_file_that_is_gone_is_an_integrity_error(workspace: Workspace) -> None:
    add(workspace)
    workspace.files("events")[0].path.unlink()

    with pytest.raises(IntegrityError) as caught:
        workspace.files("events")

    assert caught.value.code == "SEG609"


def test_there_is_no_workspace_before_the_first_write(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Workspace.open(tmp_path / "none")

    assert caught.value.code == "SEG601"
    assert not (tmp_path / "none").exists()


def test_a_workspace_of_a_newer_version_is_refused_and_left_alone(workspace: Workspace) -> None:
    with workspace.transaction() as db:
        db.execute("UPDATE settings SET value = '9.9.9' WHERE name = 'tool_version'")
        db.execute("PRAGMA user_version = 99")

    with pytest.raises(UsageError) as caught:
        Workspace.open(workspace.folder)

    assert caught.value.code == "SEG602"
    assert "9.9.9" in caught.value.message
    assert database.version(workspace._db) == 99


def test_an_old_workspace_opens_in_a_new_version(workspace: Workspace) -> None:
    add(workspace)
    grown = (*database.MIGRATIONS, ("CREATE TABLE later (x)", "INSERT INTO later VALUES (17)"))

    with patch.object(database, "MIGRATIONS", grown), patch.object(database.migrate, "__defaults__", (grown,)):
        with Workspace.open(workspace.folder) as opened:
            assert opened.query("SELECT x FROM later")[0]["x"] == 17
            assert len(opened.files("events")) == 1
        with Workspace.open(workspace.folder) as again:
            assert len(again.query("SELECT x FROM later")) == 1


def test_a_migration_that_fails_leaves_the_workspace_as_it_was(workspace: Workspace) -> None:
    broken = (*database.MIGRATIONS, ("CREATE TABLE later (x)", "NONSENSE"))
    known = database.version(workspace._db)

    with pytest.raises(sqlite3.OperationalError):
        database.migrate(workspace._db, broken)

    assert database.version(workspace._db) == known
    assert not workspace.query("SELECT * FROM sqlite_master WHERE name = 'later'")


def test_a_file_that_is_no_database_is_an_integrity_error(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"this is not a database, however long it is" * 100)

    with pytest.raises(IntegrityError) as caught:
        Workspace.open(tmp_path)

    assert caught.value.code == "SEG610"


def test_a_commit_survives_a_power_cut_by_its_settings(workspace: Workspace) -> None:
    pragmas = {
        name: workspace.query(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "foreign_keys")
    }

    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_file_and_folders_are_flushed_before_the_row_is_written(workspace: Workspace) -> None:
    flushed: list[Path] = []
    new = workspace.write("records/x", FRAME)

    with patch("segctl.state.files.flush", side_effect=lambda path: flushed.append(path)):
        workspace.commit("test", add=[new], within=lambda _db: flushed.append(Path("row")))

    assert flushed == [new.path, new.path.parent, Path("row")]


def test_another_thread_reads_nothing_of_a_transaction_that_may_yet_fail(workspace: Workspace) -> None:
    found: list[int] = []
    reader = threading.Thread(target=lambda: found.append(len(workspace.query("SELECT * FROM counters"))))

    with suppress(ZeroDivisionError), workspace.transaction() as db:
        db.execute("INSERT INTO counters VALUES ('n', 1)")
        reader.start()
        reader.join(0.05)
        raise ZeroDivisionError
    reader.join(10)

    assert found == [0]


def test_rows_come_in_blocks_while_others_ask(workspace: Workspace) -> None:
    with workspace.transaction() as db:
        db.executemany("INSERT INTO counters VALUES (?, ?)", [(f"{number:03}", number) for number in range(50)])
    sql = "SELECT next FROM counters ORDER BY name"

    rows = [row for row in workspace.stream(sql) if workspace.query(sql)]
    blocks = [[n for (n,) in block] for block in workspace.blocks(sql, (), 20) if workspace.query(sql)]

    assert rows == [(number,) for number in range(50)]
    assert blocks == [[*range(20)], [*range(20, 40)], [*range(40, 50)]]


def test_counters_never_give_a_number_twice(workspace: Workspace) -> None:
    assert [workspace.reserve("a", 3), workspace.reserve("b"), workspace.reserve("a"), workspace.reserve("a")] == [
        0,
        0,
        3,
        4,
    ]


def test_a_lock_names_its_holder(workspace: Workspace) -> None:
    with Workspace.open(workspace.folder) as other, workspace.lock("compact"):
        with pytest.raises(TemporaryError) as caught, other.lock("compact"):
            pass
        with other.lock("something else"):
            pass

    assert caught.value.code == "SEG604"
    assert f"process {os.getpid()}" in caught.value.message
    assert "compact" in caught.value.message
    assert caught.value.exit_code == 75


def test_a_lock_is_free_again_after_an_error_inside(workspace: Workspace) -> None:
    with pytest.raises(FileNotFoundError), workspace.lock("compact"), open("/nonexistent/file"):
        pass

    with Workspace.open(workspace.folder) as other, other.lock("compact"):
        pass


def test_a_lock_held_by_the_same_work_is_no_obstacle(workspace: Workspace) -> None:
    with workspace.lock("subjects"), workspace.lock("subjects"):
        pass
    with Workspace.open(workspace.folder) as other, other.lock("subjects"):
        pass


def test_another_thread_waits_for_a_lock(workspace: Workspace) -> None:
    refused = []

    def take() -> None:
        try:
            with workspace.lock("compact"):
                pass
        except TemporaryError as error:
            refused.append(error.code)

    with workspace.lock("compact"):
        thread = threading.Thread(target=take)
        thread.start()
        thread.join()

    assert refused == ["SEG604"]


def test_waiting_for_a_lock_ends_when_it_is_free(workspace: Workspace) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom segctl.state.workspace import Workspace\n"
        "with Workspace.open(Path(sys.argv[1])) as w, w.lock('compact'):\n"
        "    print('held', flush=True)\n    sys.stdin.readline()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(workspace.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(TemporaryError, match=str(holder.pid)), workspace.lock("compact"):
        pass

    holder.stdin.write("go\n")
    holder.stdin.flush()
    with Workspace.open(workspace.folder, lock_wait_s=20) as patient, patient.lock("compact"):
        assert holder.wait(20) == 0
    holder.stdin.close()
    holder.stdout.close()


def test_a_lock_ends_with_its_process(workspace: Workspace) -> None:
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom segctl.state.workspace import Workspace\n"
        "with Workspace.open(Path(sys.argv[1])) as w, w.lock('compact'), w.lease(0):\n    os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(workspace.folder)], check=False)

    with workspace.lock("compact"):
        pass


def test_network_file_systems_are_refused(tmp_path: Path) -> None:
    with patch("segctl.state.mounts.file_system", return_value="nfs4"), pytest.raises(UsageError) as caught:
        Workspace.open(tmp_path / "ws", create=True)

    assert caught.value.code == "SEG603"
    assert "nfs4" in caught.value.message
    assert "SEGCTL_ALLOW_NETWORK_WORKSPACE=1" in str(caught.value.hint)


def test_the_refusal_can_be_overridden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGCTL_ALLOW_NETWORK_WORKSPACE", "1")

    with patch("segctl.state.mounts.file_system", return_value="nfs4"):
        refuse_network(tmp_path)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("ext4", False), ("overlay", False), ("fuseblk", False), ("nfs", True), ("cifs", True), ("fuse.sshfs", True)],
)
def test_which_file_systems_are_network_ones(kind: str, expected: bool) -> None:
    assert is_network(kind) is expected


def test_the_deepest_and_last_mount_decides(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    blank = tmp_path / "a b"
    blank.mkdir()
    mounts.write_text(
        f"/dev/x / ext4 rw 0 0\nserver:/x {tmp_path}/a nfs rw 0 0\n/dev/y {tmp_path}/a\\040b xfs rw 0 0\n"
        f"/dev/z {tmp_path}/a\\040b btrfs rw 0 0\n"
    )

    assert file_system(blank / "deeper", mounts) == "btrfs"
    assert file_system(tmp_path / "a" / "ws", mounts) == "nfs"
    assert file_system(tmp_path / "ab", mounts) == "ext4"
    assert file_system(tmp_path, tmp_path / "no such file") is None


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "SEG606"), (errno.EDQUOT, "SEG606"), (errno.EACCES, "SEG607")]
)
def test_errors_of_the_system_are_local_ones_and_leave_nothing(workspace: Workspace, number: int, code: str) -> None:
    new = workspace.write("events", FRAME)

    failing = patch("segctl.state.files.os.fsync", side_effect=OSError(number, os.strerror(number)))
    with failing, pytest.raises(LocalIOError) as caught:
        workspace.commit("test", add=[new])

    assert caught.value.code == code
    assert not new.path.exists()
    assert add(workspace) == 1


def test_a_database_that_cannot_grow_is_a_full_disk(workspace: Workspace) -> None:
    pages = workspace.query("PRAGMA page_count")[0][0]
    workspace.query(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(LocalIOError) as caught:
        workspace.commit("test", note={"long": "x" * 100_000})
    workspace.query("PRAGMA max_page_count = 1000000")

    assert caught.value.code == "SEG606"
    assert workspace.commit("test") == 1


def test_a_busy_database_is_worth_another_try(workspace: Workspace) -> None:
    with patch("segctl.state.workspace._SHORTEST_WAIT_S", 0.05):
        hurried = Workspace.open(workspace.folder)
    with hurried, workspace.transaction(), pytest.raises(TemporaryError) as caught:
        hurried.commit("test")

    assert caught.value.code == "SEG605"


def test_a_file_too_large_for_its_limit_is_a_full_disk(workspace: Workspace) -> None:
    script = (
        "import resource, signal, sys\nfrom pathlib import Path\nimport polars as pl\n"
        "from segctl.model.errors import LocalIOError\nfrom segctl.state.workspace import Workspace\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "w = Workspace.open(Path(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))\n"
        "big = pl.DataFrame({'n': pl.int_range(400_000, eager=True).hash()})\n"
        "try:\n    w.commit('test', add=[w.write('events', big)])\n"
        "except LocalIOError as error:\n    print(error.code)\n"
        "print(w.commit('test', add=[w.write('events', big.head(9))]))\n"
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY

    done = subprocess.run(
        [sys.executable, "-c", script, str(workspace.folder)], capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("SEG606\n1\n", "")
    assert [file.rows for file in workspace.files("events")] == [9]
    assert len(list((workspace.folder / "files").rglob("*.parquet"))) == 1


def test_a_new_workspace_is_closed_to_others(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "ws", create=True) as workspace:
        assert workspace.folder.stat().st_mode & 0o077 == 0

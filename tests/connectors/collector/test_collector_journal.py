"""Accepted requests on disk: groups, full disks, torn ends, new files, and reading on."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.connectors.collector import journal as journal_module
from segctl.connectors.collector.files import Position, collected_files, follow, mend, next_name
from segctl.connectors.collector.journal import Journal
from segctl.connectors.collector.lines import head_of, line_of, read_line

NOW = datetime(2026, 11, 22, 12, 59, tzinfo=UTC)
HEAD = head_of("web", "shop", "segment")


def line(number: int) -> bytes:
    return line_of(HEAD, "2026-11-22T12:00:00.000Z", b'{"n":%d}' % number, kind=None, id=f"m{number}")


def write(
    folder: Path, numbers: list[int], *, clock: Callable[[], datetime] = lambda: NOW, file_bytes: int = 10**6,
    one_by_one: bool = False,
) -> tuple[list[int], list[int]]:  # fmt: skip
    """Writes lines and closes; which were said to be durable, and which not."""
    kept: list[int] = []
    lost: list[int] = []

    async def work() -> None:
        journal = Journal(folder, clock, lambda seconds: None, file_bytes=file_bytes)
        journal.open()
        for number in numbers:
            done = asyncio.Event()

            def told(is_durable: bool, number: int = number, done: asyncio.Event = done) -> None:
                (kept if is_durable else lost).append(number)
                done.set()

            assert journal.append(line(number), told)
            if one_by_one:
                await done.wait()
        await journal.close()

    asyncio.run(work())
    return kept, lost


def read(folder: Path) -> list[int]:
    found = [one for lines, _ in follow(folder, Position()) for one in map(read_line, lines)]
    return [one["body"]["n"] for one in found if one is not None]


def taken(folder: Path, start: Position) -> tuple[list[int], Position]:
    """What stands behind a place, and the place behind it."""
    lots = list(follow(folder, start, most_bytes=100))
    return [read_line(one)["body"]["n"] for lines, _ in lots for one in lines], lots[-1][1] if lots else start


def test_every_line_said_to_be_durable_is_in_the_file_in_order(tmp_path: Path) -> None:
    kept, lost = write(tmp_path, list(range(500)))

    assert kept == read(tmp_path) == list(range(500))
    assert lost == []


def test_lines_that_come_together_are_flushed_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(journal_module.os, "fdatasync", lambda handle: flushed.append(os.fstat(handle).st_size))

    write(tmp_path, list(range(500)))

    assert len(flushed) <= 3
    assert flushed[-1] == sum(len(line(number)) for number in range(500))


def test_nothing_is_answered_before_it_is_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    monkeypatch.setattr(journal_module.os, "fdatasync", lambda handle: steps.append("flushed"))

    async def work() -> None:
        journal = Journal(tmp_path, lambda: NOW, lambda seconds: None)
        journal.open()
        journal.append(line(1), lambda is_durable: steps.append("answered"))
        await journal.close()

    asyncio.run(work())

    assert steps == ["flushed", "answered"]


def test_a_group_that_a_full_disk_cuts_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = [False]

    class Filling(journal_module.FileIO):
        def write(self, data: bytes) -> int:
            if full[0]:
                super().write(data[: len(data) // 2])
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    monkeypatch.setattr(journal_module, "FileIO", Filling)
    kept, lost = [], []

    async def work() -> None:
        journal = Journal(tmp_path, lambda: NOW, lambda seconds: None)
        journal.open()
        for number in range(30):
            full[0] = 10 <= number < 20
            done = asyncio.Event()

            def told(is_durable: bool, number: int = number, done: asyncio.Event = done) -> None:
                (kept if is_durable else lost).append(number)
                done.set()

            journal.append(line(number), told)
            await done.wait()
            assert (journal.problem is not None) == full[0]
        await journal.close()

    asyncio.run(work())

    assert lost == list(range(10, 20))
    assert read(tmp_path) == kept == [*range(10), *range(20, 30)]
    # A new file after the cut, and none for each try.
    assert len(collected_files(tmp_path)) == 2
    assert all(path.read_bytes().endswith(b"\n") for path in tmp_path.glob("*.ndjson"))


def test_a_flush_that_fails_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(journal_module.os, "fdatasync", broken)

    kept, lost = write(tmp_path, [1, 2, 3])

    assert (kept, lost) == ([], [1, 2, 3])
    assert read(tmp_path) == []


def test_more_than_memory_may_hold_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "MOST_WAITING", 100)

    async def work() -> list[bool]:
        journal = Journal(tmp_path, lambda: NOW, lambda seconds: None)
        journal.open()
        taken = [journal.append(line(number), lambda is_durable: None) for number in range(5)]
        await journal.close()
        return taken

    assert asyncio.run(work()) == [True, False, False, False, False]


def test_a_file_ends_with_its_hour_and_with_its_size(tmp_path: Path) -> None:
    times = iter([NOW, NOW, NOW.replace(hour=13), NOW.replace(hour=13), NOW.replace(hour=12)])

    write(tmp_path / "hours", [1, 2, 3, 4, 5], clock=lambda: next(times), one_by_one=True)
    write(tmp_path / "sizes", list(range(6)), file_bytes=2 * len(line(1)), one_by_one=True)

    # The clock that goes back begins no earlier file.
    assert collected_files(tmp_path / "hours") == ["2026-11-22T12-000001.ndjson", "2026-11-22T13-000001.ndjson"]
    assert collected_files(tmp_path / "sizes") == [f"2026-11-22T12-00000{n}.ndjson" for n in (1, 2, 3)]
    assert read(tmp_path / "sizes") == list(range(6))


def test_names_never_go_back() -> None:
    assert next_name(None, NOW) == "2026-11-22T12-000001.ndjson"
    assert next_name("2026-11-22T12-000001.ndjson", NOW) == "2026-11-22T12-000002.ndjson"
    assert next_name("2026-11-22T14-000007.ndjson", NOW) == "2026-11-22T14-000008.ndjson"
    assert next_name("2026-11-22T23-999999.ndjson", NOW) == "2026-11-23T00-000001.ndjson"


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(min_value=0), garbage=st.binary(max_size=40))
def test_a_torn_end_is_set_aside_and_whole_lines_stay(
    tmp_path_factory: pytest.TempPathFactory, cut: int, garbage: bytes
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    whole = [line(number) for number in range(4)]
    text = b"".join(whole)
    cut %= len(text) + 1
    path = folder / "2026-11-22T12-000001.ndjson"
    path.write_bytes(text[:cut] + garbage)

    torn = mend(folder)

    kept = path.read_bytes()
    lines_whole = [len(b"".join(whole[:n])) for n in range(5)]
    assert kept.startswith(text[: max(size for size in lines_whole if size <= cut)])
    assert kept == b"" or kept.endswith(b"\n")
    assert read(folder) == list(range(len(read(folder))))
    aside = folder / f"{path.name}.torn"
    assert (aside.read_bytes() if torn else b"") == (text[:cut] + garbage)[len(kept) :]
    assert mend(folder) == 0


def test_after_a_crash_a_new_file_begins(tmp_path: Path) -> None:
    write(tmp_path, [1, 2])
    with (tmp_path / collected_files(tmp_path)[0]).open("ab") as file:
        file.write(line(3)[:-20])

    write(tmp_path, [4])

    assert read(tmp_path) == [1, 2, 4]
    assert len(collected_files(tmp_path)) == 2


def test_reading_goes_on_where_it_stood_and_never_takes_half_a_line(tmp_path: Path) -> None:
    folder = tmp_path
    path = folder / "2026-11-22T12-000001.ndjson"
    text = b"".join(line(number) for number in range(40))
    place, found = Position(), []
    for end in range(0, len(text) + 1, 37):
        path.write_bytes(text[:end])
        numbers, place = taken(folder, place)
        found += numbers
    path.write_bytes(text)
    (folder / "2026-11-22T13-000001.ndjson").write_bytes(line(40))

    numbers, place = taken(folder, place)
    found += numbers

    assert found == list(range(41))
    assert list(follow(folder, place)) == []


def test_files_that_are_gone_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "2026-11-22T13-000001.ndjson").write_bytes(line(1))

    found = list(follow(tmp_path, Position("2026-11-22T12-000001.ndjson", 77)))

    assert [read_line(one)["body"]["n"] for lines, _ in found for one in lines] == [1]
    assert list(follow(tmp_path / "nowhere", Position())) == []

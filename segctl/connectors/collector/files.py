"""Files of accepted requests: their names, what is left of a torn end, and reading on from where one stood."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from segctl.connectors.collector.lines import read_line

FOLDER = "collector"
"""Below the workspace's folder."""
SUFFIX = ".ndjson"
TORN = ".torn"
SEEN = ".seen"
"""Beside a finished file: which signed requests it holds, so that they are known again without reading it."""
_NAME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d)-(\d{6})\.ndjson\Z")
_BLOCK = 4 * 1024 * 1024
_LONGEST_LINE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Position:
    """Behind a line of a file.

    Attributes:
        file: Name of the file; empty before the first.
        offset: Bytes of it that were read.
    """

    file: str = ""
    offset: int = 0


def collector_folder(workspace: Path) -> Path:
    """Where the collector of a workspace keeps its files."""
    return workspace / FOLDER


def collected_files(folder: Path) -> list[str]:
    """Names of the files, in the order they were written."""
    try:
        return sorted(entry for entry in os.listdir(folder) if _NAME.match(entry))
    except FileNotFoundError:
        return []


def next_name(last: str | None, now: datetime) -> str:
    """The name of the file after `last`; a clock that went back makes no earlier one.

    Args:
        last: Name of the newest file, None when there is none.
        now: Aware, UTC.
    """
    hour, number = f"{now:%Y-%m-%dT%H}", 1
    match = None if last is None else _NAME.match(last)
    if match is not None and match[1] >= hour:
        hour, number = match[1], int(match[2]) + 1
        if number > 999_999:
            following = datetime.strptime(hour, "%Y-%m-%dT%H") + timedelta(hours=1)  # noqa: DTZ007 - UTC by its name
            hour, number = f"{following:%Y-%m-%dT%H}", 1
    return f"{hour}-{number:06d}{SUFFIX}"


def mend(folder: Path) -> int:
    """Sets aside what a crash left at the end of the newest file.

    Lines are flushed in order, so from the first that is no line on nothing was ever acknowledged.

    Returns:
        Bytes that were set aside, in a file of the same name with `TORN`.
    """
    names = collected_files(folder)
    if not names:
        return 0
    path = folder / names[-1]
    good = _whole_bytes(path)
    torn = path.stat().st_size - good
    if torn:
        with path.open("r+b") as file:
            file.seek(good)
            (folder / f"{names[-1]}{TORN}").write_bytes(file.read())
            file.truncate(good)
            os.fsync(file.fileno())
        sync_folder(folder)
    return torn


def _whole_bytes(path: Path) -> int:
    """Bytes up to the first line that is broken or has no end."""
    good = 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n") or read_line(line) is None:
                break
            good += len(line)
    return good


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def follow(folder: Path, start: Position, *, most_bytes: int = _BLOCK) -> Iterator[tuple[list[bytes], Position]]:
    """Whole lines behind a position, some megabytes at a time, and the position behind each lot.

    It ends at the end of what is there; a line that is being written is left for the next time. A file that is gone
    is passed over, since files go only when all that stands in them was read.

    Args:
        folder: Of the collector.
        start: As it was given with the last lot that was taken.
        most_bytes: Of one lot, but at least one line.
    """
    for name in collected_files(folder):
        if name < start.file:
            continue
        offset = start.offset if name == start.file else 0
        for lines, behind in _lots(folder / name, offset, most_bytes):
            yield lines, Position(name, behind)


def follow_file(path: Path) -> Iterator[bytes]:
    """The whole lines of one file."""
    for lines, _ in _lots(path, 0, _BLOCK):
        yield from lines


def _lots(path: Path, offset: int, most_bytes: int) -> Iterator[tuple[list[bytes], int]]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        rest, wanted = b"", most_bytes
        while True:
            file.seek(offset)
            rest = file.read(wanted)
            end = rest.rfind(b"\n") + 1
            if end:
                offset += end
                wanted = most_bytes
                yield _split(rest[:end]), offset
            elif len(rest) < wanted or wanted >= _LONGEST_LINE:
                return
            else:
                wanted *= 2


def _split(block: bytes) -> list[bytes]:
    return [line + b"\n" for line in block.split(b"\n")[:-1]]

"""Small helpers that write a file and read it back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from segctl.connectors.files import BadRow, Detected, ReadOptions, detect, read


class Content:
    """All that a file delivered."""

    def __init__(self, path: Path, options: ReadOptions | None, batch_rows: int) -> None:
        self.detected: Detected = detect(path, options)
        self.rows: list[tuple[object, ...]] = []
        self.dicts: list[dict[str, object]] = []
        self.lines: list[int] = []
        self.bad: list[BadRow] = []
        self.done = 0
        for batch in read(path, options, self.detected, batch_rows=batch_rows):
            assert len(batch.lines) == batch.frame.height <= batch_rows
            self.rows += batch.frame.rows()
            self.dicts += batch.frame.to_dicts()
            self.lines += batch.lines.to_list()
            self.bad += batch.bad
            assert self.done <= batch.bytes_done <= path.stat().st_size
            self.done = batch.bytes_done

    @property
    def codes(self) -> list[tuple[int, str]]:
        return [(row.line, row.reason.code) for row in self.bad]


@pytest.fixture
def content_of(tmp_path: Path) -> Callable[..., Content]:
    """Write bytes under a name, read them back."""

    def write_and_read(
        data: bytes, options: ReadOptions | None = None, name: str = "data.csv", batch_rows: int = 100_000
    ) -> Content:
        path = tmp_path / name
        path.write_bytes(data)
        return Content(path, options, batch_rows)

    return write_and_read

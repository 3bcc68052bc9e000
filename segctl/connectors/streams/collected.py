"""Lines of the requests that `segctl listen` has accepted for one source."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

from segctl.connectors.collector.files import Position, collector_folder, follow
from segctl.connectors.collector.records import records_of
from segctl.connectors.sources.base import ndjson
from segctl.connectors.streams.base import Chunk, PositionOf

_POLL_S = 0.02
_MOST_BYTES = 1024 * 1024


class CollectedFeed:
    """Follows the collector's files, and gives the records of the requests to one source as lines.

    Args:
        workspace: Folder of the workspace.
        source: Declared source that the requests were sent to.
        position_of: Where an earlier stream ended.
        once: It ends with what is there.
    """

    def __init__(self, workspace: Path, source: str, position_of: PositionOf, *, once: bool) -> None:
        self._folder = collector_folder(workspace)
        self._source = source
        self._name = f"collector:{source}"
        self._once = once
        place = position_of(self._name)
        self._is_new = place is None
        self._position = Position() if place is None else Position(**json.loads(place))
        self._is_done = False

    @property
    def has_ended(self) -> bool:
        """Everything that was there has been given, and no more was asked for."""
        return self._once and self._is_done

    def read(self, timeout_s: float, most_lines: int) -> list[Chunk]:
        """The records that are there; waits at most so long for the first of them."""
        until = time.monotonic() + timeout_s
        while True:
            found = list(self._there(most_lines))
            now = time.monotonic()
            if found or self.has_ended or now >= until:
                return found
            time.sleep(min(_POLL_S, until - now))

    def _there(self, most_lines: int) -> Iterator[Chunk]:
        left = most_lines
        for requests, behind in follow(self._folder, self._position, most_bytes=_MOST_BYTES):
            came = time.monotonic()
            lines = ndjson(list(records_of(requests, self._source))).splitlines()
            self._position = behind
            if lines:
                is_new, self._is_new = self._is_new, False
                place = json.dumps({"file": behind.file, "offset": behind.offset})
                yield Chunk(self._name, lines, place, came, is_new)
            left -= len(lines)
            if left <= 0:
                return
        self._is_done = True

    def close(self) -> None:
        """Nothing is held."""

"""What `segctl listen` accepted for a source, read on from where the last ingest stood."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Literal

from segctl.connectors.collector.files import Position, collected_files, collector_folder, follow
from segctl.connectors.collector.records import records_of
from segctl.connectors.sources.base import Around, Page, Probe, Start, Trial, ndjson
from segctl.model.errors import UsageError
from segctl.model.fetching_collector import CollectorFetch


class CollectedConnector:
    """The requests to one source, as the records that they hold."""

    def __init__(self, fetch: CollectorFetch, around: Around) -> None:
        self.fetch = fetch
        # The parts of a declaration read the same requests.
        self.source = around.source.partition("/")[0]
        self.folder = None if around.workspace is None else collector_folder(around.workspace)

    def pages(self, start: Start) -> Iterator[Page]:
        """The records behind the cursor.

        Raises:
            UsageError: A time was named to begin at; requests are read in the order they came.
        """
        if start.since is not None:
            hint = "leave it out; `--full` reads all requests that are still there"
            raise UsageError("SEG384", f"`{self.source}`: a collector knows no `--since`", hint=hint)
        stood = start.cursor if start.position is None else start.position
        place = _position(stood)
        waiting: Page | None = None
        for lines, behind in () if self.folder is None else follow(self.folder, place):
            if waiting is not None:
                yield waiting
            found = list(records_of(lines, self.source))
            cursor = {"file": behind.file, "offset": behind.offset}
            waiting = Page(ndjson(found), len(found), cursor, cursor)
        if waiting is None:
            yield Page(b"", 0, None, stood)
        else:
            yield Page(waiting.lines, waiting.count, None, waiting.cursor)

    def check(self, limit: int) -> Trial:
        """Whether anything was sent yet, and what it looks like."""
        files = [] if self.folder is None else collected_files(self.folder)
        if self.folder is None or not files:
            hint = "start `segctl listen`, and let something be sent"
            return Trial((Probe("collector", "note", "nothing was received yet", hint),))
        records: tuple[Mapping[str, Any], ...] = ()
        for name in reversed(files):
            lots = (lines for lines, behind in follow(self.folder, Position(name)) if behind.file == name)
            records = tuple(islice((one for lines in lots for one in records_of(lines, self.source)), limit))
            if records:
                break
        found = f"{len(files):,} file{'' if len(files) == 1 else 's'} of requests"
        said: Literal["ok", "note"] = "ok" if records else "note"
        shape = "requests to this source are there" if records else "none of the requests were to this source"
        return Trial((Probe("collector", "ok", found), Probe("shape", said, shape)), json.loads(json.dumps(records)))


def _position(stood: Any) -> Position:  # noqa: ANN401 - JSON of a bookmark
    if not isinstance(stood, dict):
        return Position()
    return Position(str(stood.get("file", "")), int(stood.get("offset", 0)))

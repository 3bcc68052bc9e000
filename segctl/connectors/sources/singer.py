"""Records of a Singer tap: a program of its own, whose state is kept only after its records are safe."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from segctl.connectors.files.paths import shortened
from segctl.connectors.http.secrets import revealed
from segctl.connectors.sources.base import Around, Json, Page, Probe, Start, Trial, ndjson
from segctl.connectors.sources.database_values import EXACT
from segctl.connectors.sources.tap_process import Tap
from segctl.model.errors import DataError, SegctlError, UsageError
from segctl.model.fetching_singer import SingerFetch

PAGE_RECORDS = 5_000
_SHOWN = 200


class SingerConnector:
    """One stream of a tap."""

    def __init__(self, fetch: SingerFetch, around: Around) -> None:
        self.fetch = fetch
        self.around = around
        self._others: set[str] = set()

    def pages(self, start: Start) -> Iterator[Page]:
        """Records as the tap writes them; the cursor of a page is the last state that stands before its end.

        Raises:
            SegctlError: The tap cannot be run, fails, writes nothing for too long, or writes no Singer messages.
        """
        if start.since is not None:
            hint = "taps begin at their own setting, often `config: {start_date: …}`; `--full` begins there again"
            raise UsageError("SEG384", f"`{self.around.source}`: a tap knows no `--since`", hint=hint)
        state = start.cursor if start.position is None else start.position["singer"]
        with self._folder() as folder:
            options = [*self._catalog(folder), *self._state(folder, state)]
            with self._tap(folder, options) as tap:
                yield from self._pages(tap, state, start.limit)
        if self._others:
            self.around.note(f"{self.around.source}: other streams were passed over: {', '.join(sorted(self._others))}")

    def _pages(self, tap: Tap, state: Json, limit: int | None) -> Iterator[Page]:
        size = PAGE_RECORDS if limit is None else min(PAGE_RECORDS, limit)
        records: list[Mapping[str, Json]] = []
        has_schema = False
        for message in map(self._message, tap.lines()):
            kind = message.get("type")
            if kind == "STATE":
                state = message.get("value")
                continue
            if message.get("stream") != self.fetch.stream:
                self._others.update({str(message["stream"])} if "stream" in message else ())
                continue
            has_schema = has_schema or kind == "SCHEMA"
            if kind == "BATCH":
                raise self._unreadable("it sends its records as files (`BATCH`)", "switch `batch_config` off")
            if kind == "RECORD":
                # A page ends before a record, so that the state behind its last one belongs to it. What no state
                # covers yet comes again after an interruption, and counts once by its key or id.
                if len(records) >= size:
                    yield self._page(records, {"singer": state}, state)
                    records = []
                records.append(self._record(message))
        tap.check()
        if not has_schema and not records:
            self._say_absent()
        yield self._page(records, None, state)

    def check(self, limit: int) -> Trial:
        """Runs the tap until it has written some records."""
        name = self.fetch.command[0]
        try:
            pages = self.pages(Start(limit=limit))
            try:
                page = next(pages, Page(b"", 0))
            finally:
                pages.close()  # type: ignore[attr-defined]  # a generator, typed as what it gives
        except SegctlError as error:
            detail = error.message if error.why is None else f"{error.message}: {error.why}"
            return Trial((Probe("tap", "problem", detail, error.hint),))
        records: tuple[Mapping[str, Json], ...] = tuple(map(json.loads, page.lines.splitlines()[:limit]))
        probes = [Probe("tap", "ok", f"`{name}` runs")]
        if records:
            probes.append(Probe("shape", "ok", f"stream `{self.fetch.stream}`: {', '.join(records[0])}"))
        else:
            found = f"it has: {', '.join(sorted(self._others))}" if self._others else "perhaps there are none"
            probes.append(Probe("shape", "note", f"no records in the stream `{self.fetch.stream}`", found))
        kept = "it keeps its state" if page.cursor is not None else "it gave no state, so it sends all each time"
        probes.append(Probe("cursor", "ok" if page.cursor is not None else "note", kept))
        return Trial(tuple(probes), records)

    def _say_absent(self) -> None:
        listed = f"; it has: {', '.join(sorted(self._others))}" if self._others else ""
        self.around.note(f"{self.around.source}: the tap wrote nothing of the stream `{self.fetch.stream}`{listed}")

    def _page(self, records: list[Mapping[str, Json]], position: Json, state: Json) -> Page:
        return Page(ndjson(records), len(records), position, state)

    def _message(self, line: bytes) -> Mapping[str, Any]:
        try:
            message = json.loads(line, parse_float=_number, parse_int=_whole, parse_constant=str)
        except (ValueError, RecursionError):
            raise self._unreadable(f"it wrote: {shortened(line.decode(errors='replace').strip(), _SHOWN)}") from None
        if not isinstance(message, dict):
            raise self._unreadable(f"it wrote: {shortened(json.dumps(message), _SHOWN)}")
        return message

    def _record(self, message: Mapping[str, Any]) -> Mapping[str, Json]:
        record = message.get("record")
        if not isinstance(record, dict):
            raise self._unreadable("a RECORD without a record")
        return record

    def _unreadable(
        self, why: str, hint: str = "a tap writes Singer messages on stdout, and all else on stderr"
    ) -> DataError:
        return DataError(
            "SEG389", f"`{self.around.source}`: the tap does not write Singer messages", why=why, hint=hint
        )

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        """A private folder for what the tap reads: secrets stand there for as long as it runs."""
        with tempfile.TemporaryDirectory(prefix="segctl-tap-") as folder:
            settings = json.loads(self.fetch.config)
            for path, secret in self.fetch.secrets:
                _put(settings, path.split("."), revealed(secret, self.around.root))
            _write(Path(folder, "config.json"), settings)
            yield Path(folder)

    def _tap(self, folder: Path, options: list[str]) -> Tap:
        command = [*self.fetch.command, "--config", str(folder / "config.json"), *options]
        return Tap(self.around.source, command, self.around.root, idle_s=self.fetch.idle_s)

    def _state(self, folder: Path, state: Json) -> list[str]:
        if state is None:
            return []
        _write(folder / "state.json", state)
        return ["--state", str(folder / "state.json")]

    def _catalog(self, folder: Path) -> list[str]:
        """Only the stream is selected: what a tap need not read it shall not read."""
        if self.fetch.catalog is not None:
            path = self.around.root / self.fetch.catalog
            if not path.is_file():
                message = f"`{self.around.source}`: there is no catalog `{self.fetch.catalog}`"
                raise UsageError("SEG388", message, hint="the path is relative to the project")
            return ["--catalog", str(path)]
        catalog = self._discovered(folder)
        if catalog is None:
            return []
        _write(folder / "catalog.json", catalog)
        return ["--catalog", str(folder / "catalog.json")]

    def _discovered(self, folder: Path) -> dict[str, Any] | None:
        """The tap's own catalog with the stream alone selected; None when it has none, as small taps do."""
        try:
            with self._tap(folder, ["--discover"]) as tap:
                catalog = json.loads(b"".join(tap.lines()))
                tap.check()
            streams = {_name(entry): entry for entry in catalog["streams"]}
        except (DataError, ValueError, KeyError, TypeError, RecursionError):
            return None
        if self.fetch.stream not in streams:
            message = f"`{self.around.source}`: the tap has no stream `{self.fetch.stream}`"
            raise UsageError("SEG388", message, hint=f"it has {', '.join(f'`{name}`' for name in sorted(streams))}")
        for name, entry in streams.items():
            _select(entry, is_wanted=name == self.fetch.stream)
        return dict(catalog)


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("stream") or entry["tap_stream_id"])


def _select(entry: dict[str, Any], *, is_wanted: bool) -> None:
    """Both ways to select that taps know: the stream's own metadata, and the older key in its schema."""
    rows = entry.setdefault("metadata", [])
    own = next((row for row in rows if not row.get("breadcrumb")), None)
    if own is None:
        own = {"breadcrumb": [], "metadata": {}}
        rows.append(own)
    own.setdefault("metadata", {})["selected"] = is_wanted
    if isinstance(entry.get("schema"), dict):
        entry["schema"]["selected"] = is_wanted


def _write(path: Path, value: Json) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False)


def _put(value: Any, path: list[str], secret: str) -> None:  # noqa: ANN401 - a JSON value
    *above, last = path
    for step in above:
        value = value[int(step)] if isinstance(value, list) else value[step]
    if isinstance(value, list):
        value[int(last)] = secret
    else:
        value[last] = secret


def _number(text: str) -> float | str:
    """A number as it is, or as text where a float would lose digits."""
    number = float(text)
    try:
        return number if Decimal(repr(number)) == Decimal(text) else text
    except ArithmeticError:
        # An exponent of twenty digits is beyond decimals as well.
        return text


def _whole(text: str) -> int | str:
    return int(text) if len(text) < 19 and -EXACT <= int(text) <= EXACT else text

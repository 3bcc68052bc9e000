"""From the records of a file to rows with fixed columns: every message ends in a row, a reason or a count."""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from segctl.connectors.files.base import BadRow, RawBatch, Reason
from segctl.connectors.files.records import RecordBatch, read_records
from segctl.connectors.tracking import shape_of
from segctl.connectors.tracking.base import Fault, LeftOut, Message, Outcome, Record, snake
from segctl.connectors.tracking.frames import frame_of
from segctl.connectors.tracking.masking import masked_excerpt, masked_record, masked_text
from segctl.connectors.tracking.shopping import with_items
from segctl.model.sources import needed_columns

if TYPE_CHECKING:
    from segctl.connectors.files.base import Detected
    from segctl.connectors.geo import Regions
    from segctl.model.sources import Source
    from segctl.model.tracking import Tracking

_BROKEN_SHAPE = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError)


@dataclass(frozen=True, slots=True)
class ShapedBatch(RawBatch):
    """A batch of messages: `frame` has the columns that the declaration names, `lines` those of their records.

    Attributes:
        records: The raw records.
        origins: For each row the position of its record.
        left_out: Records without a message by their shape's rule, by its name.
        keeps_ip: Addresses of machines may stand in what is kept.
    """

    records: tuple[Record, ...] = ()
    origins: tuple[int, ...] = ()
    left_out: dict[str, int] = field(default_factory=dict)
    keeps_ip: bool = False

    def with_records(self, bad: pl.DataFrame) -> pl.DataFrame:
        """Bad rows (columns ``row``, ``raw``, ``reasons``) with the whole record each came from."""
        if bad.is_empty():
            return bad
        raw = [_kept(self.records[self.origins[row]], keeps_ip=self.keeps_ip) for row in bad["row"]]
        bad = bad.with_columns(pl.Series("raw", raw, dtype=pl.String))
        return bad if self.keeps_ip else bad.with_columns(_masked_reasons(bad["reasons"]))


def shaped(
    source: Source, path: Path, detected: Detected, regions: Regions | None, *, batch_rows: int
) -> Iterator[ShapedBatch]:
    """The messages of a file in batches.

    Args:
        source: With its tracking declaration.
        path: The file.
        detected: What `detect` gave for it.
        regions: Where addresses become places; None leaves the places that records name themselves.
        batch_rows: Most records of a batch.
    """
    batches = read_records(path, detected, batch_rows=batch_rows, marks=marks_of(source))
    while True:
        with _collecting_later():
            batch = next(batches, None)
            if batch is None:
                return
            found = shaped_batch(source, batch, regions, str(path))
        yield found


def marks_of(source: Source) -> tuple[bytes, ...]:
    """Small letters of which a line of JSON must hold one to say anything to a tracking source; empty for any line."""
    tracking = _tracking(source)
    return shape_of(tracking.shape).marks if tracking.part == "profiles" else ()


def shaped_batch(source: Source, batch: RecordBatch, regions: Regions | None, file: str) -> ShapedBatch:
    """The messages of a batch of records; `file` is what they are called on record."""
    tracking = _tracking(source)
    shape = shape_of(tracking.shape)
    read = shape.profiles if tracking.part == "profiles" else shape.events
    assert read is not None, "the binder knows which shapes speak of people"
    return _shaped(batch, read, needed_columns(source), _Gathered(tracking, regions, file))


def _tracking(source: Source) -> Tracking:
    assert source.tracking is not None, "only called for tracking sources"
    return source.tracking


@contextmanager
def _collecting_later() -> Iterator[None]:
    """Without the collector of cycles: it would visit all records of the batch time and again, and they have none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _shaped(
    batch: RecordBatch, read: Callable[[Record], list[Outcome]], names: tuple[str, ...], gathered: _Gathered
) -> ShapedBatch:
    tracking = gathered.tracking
    for position, (record, line) in enumerate(zip(batch.records, batch.lines.to_list(), strict=True)):
        try:
            outcomes = read(record)
        except _BROKEN_SHAPE as error:
            outcomes = [Fault("SEG520", f"a record of {tracking.shape}", type(error).__name__, "it cannot be read")]
        gathered.take(outcomes, record, line, position)
    # Lines that are no JSON are a matter of the part with the events: one place in quarantine is enough.
    is_whole = tracking.part == "events"
    unread = tuple(_masked_row(row, keeps_ip=tracking.keeps_ip) for row in batch.bad) if is_whole else ()
    return ShapedBatch(
        frame_of(gathered.messages, names),
        pl.Series("line", gathered.lines, dtype=pl.Int64),
        (*unread, *gathered.bad),
        batch.bytes_done,
        records=batch.records,
        origins=tuple(gathered.origins),
        left_out=dict(gathered.left_out),
        keeps_ip=tracking.keeps_ip,
    )


@dataclass(slots=True)
class _Gathered:
    tracking: Tracking
    regions: Regions | None
    file: str
    messages: list[Message] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def take(self, outcomes: list[Outcome], record: Record, line: int, position: int) -> None:
        """Files every outcome of a record."""
        if self.tracking.items:
            outcomes = [each for outcome in outcomes for each in with_items(outcome)]
        for outcome in outcomes:
            if isinstance(outcome, dict):
                self._finish(outcome)
                self.messages.append(outcome)
                self.lines.append(line)
                self.origins.append(position)
            elif isinstance(outcome, LeftOut):
                self.left_out[outcome.name] += 1
            else:
                self.bad.append(self._bad(outcome, record, line))

    def _finish(self, message: Message) -> None:
        """Own names, and a place for the address, which goes."""
        if self.tracking.names:
            name = message.get("event_name") or ""
            own = dict(self.tracking.names)
            message["kind"] = own.get(name) or own.get(snake(name)) or message.get("kind")
        if self.tracking.keeps_ip:
            return
        address = message.pop("ip", None)
        if address is not None and self.regions is not None:
            country, region, city = self.regions.place(address)
            message["country"] = message.get("country") or country
            message["region"] = message.get("region") or region
            message["city"] = message.get("city") or city

    def _bad(self, fault: Fault, record: Record, line: int) -> BadRow:
        keeps = self.tracking.keeps_ip
        value = fault.value if keeps else masked_excerpt(fault.value)
        reason = Reason(fault.code, fault.expected, value, fault.message)
        return BadRow(self.file, line, _kept(record, keeps_ip=keeps), reason)


def _kept(record: Record, *, keeps_ip: bool) -> str:
    """The record as quarantine keeps it."""
    if keeps_ip:
        return json.dumps(record, ensure_ascii=False, default=str, separators=(",", ":"))
    return masked_record(record)


def _masked_row(row: BadRow, *, keeps_ip: bool) -> BadRow:
    if keeps_ip:
        return row
    found = row.reason
    reason = Reason(found.code, found.expected, masked_excerpt(found.value), masked_excerpt(found.message))
    return BadRow(row.file, row.line, masked_text(row.raw), reason)


def _masked_reasons(reasons: pl.Series) -> pl.Series:
    masked = [
        [{**reason, "value": None if reason["value"] is None else masked_excerpt(reason["value"])} for reason in row]
        for row in reasons.to_list()
    ]
    return pl.Series("reasons", masked, dtype=reasons.dtype)

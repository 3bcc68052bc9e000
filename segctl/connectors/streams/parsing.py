"""Lines of a stream as batches, exactly as the readers of files make them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segctl.connectors.files.base import RawBatch
from segctl.connectors.files.faults import too_long
from segctl.connectors.files.ndjson_reader import Pending, take_line
from segctl.connectors.files.records import PendingRecords, RecordBatch
from segctl.connectors.streams.base import OVERLONG, size_of
from segctl.connectors.tracking.reading import marks_of, shaped_batch

if TYPE_CHECKING:
    from segctl.connectors.geo import Regions
    from segctl.model.sources import Source


def batch_of(
    source: Source, lines: Sequence[bytes], *, first_line: int, file: str, regions: Regions | None = None
) -> RawBatch:
    """Lines of NDJSON as one batch.

    Args:
        source: Whose declaration reads them.
        lines: Without line ends.
        first_line: Number of the first.
        file: What they are called on record.
        regions: Where addresses become places, for tracking sources.
    """
    is_tracking = source.tracking is not None
    pending = (PendingRecords if is_tracking else Pending)(file, len(lines))
    marks = marks_of(source) if is_tracking else ()
    for number, line in enumerate(lines, first_line):
        if line.startswith(OVERLONG):
            pending.add(number, too_long(size_of(line)), "")
        elif not marks or any(mark in line.lower() for mark in marks):
            take_line(number, line, pending)
    batch = pending.batch(0)
    return shaped_batch(source, batch, regions, file) if isinstance(batch, RecordBatch) else batch

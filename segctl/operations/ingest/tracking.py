"""Tracking records on their way through an ingest: rows instead of records, and no address of a machine kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from segctl.connectors.files import Detected, RawBatch, ReadOptions
    from segctl.connectors.geo import Regions
    from segctl.model.project import Project
    from segctl.model.sources import Source
    from segctl.operations.ingest.result import SourceResult
    from segctl.operations.ingest.source import SourceRun
    from segctl.state.files import NewFile


def batches_of(
    source: Source, project: Project, path: Path, options: ReadOptions, detected: Detected, **sizes: int
) -> Iterator[RawBatch]:
    """The rows of a file: as they stand there, or the messages of its tracking records."""
    from segctl.connectors.files import read
    from segctl.connectors.files.base import BATCH_ROWS

    if source.tracking is None:
        return read(path, options, detected, **sizes)
    from segctl.connectors.tracking.reading import shaped

    regions = regions_of(source, project)
    return shaped(source, path, detected, regions, batch_rows=sizes.get("batch_rows", BATCH_ROWS))


def regions_of(source: Source, project: Project) -> Regions | None:
    """The user's file of regions, opened; None when the source names none."""
    if source.tracking is None or source.tracking.mmdb is None:
        return None
    from segctl.connectors.geo import Regions

    path = Path(project.root) / Path(source.tracking.mmdb).expanduser()
    return Regions(path, project.language)


def shape_options(source: Source, options: ReadOptions) -> ReadOptions:
    """Options for the readers, with the columns of a shape's table that comes without a header.

    A JSON document is a record, or a list of them: the lists inside are the shape's own.
    """
    if source.tracking is None:
        return options
    options = replace(options, records=options.records or "")
    if options.header is not False or options.columns:
        return options
    from segctl.connectors.tracking import shape_of

    columns = shape_of(source.tracking.shape).columns
    if not columns:
        return options
    return replace(options, columns=columns, delimiter=options.delimiter or "\t", quote=options.quote or "")


def whole_records(batch: RawBatch, bad: pl.DataFrame) -> pl.DataFrame:
    """Bad rows as quarantine keeps them: of a message the whole record it came from."""
    from segctl.connectors.tracking.reading import ShapedBatch

    return batch.with_records(bad) if isinstance(batch, ShapedBatch) else bad


def take_left_out(batch: RawBatch, result: SourceResult) -> None:
    """Counts records that hold no message by their shape's rule."""
    left_out: dict[str, int] = getattr(batch, "left_out", {})
    for name, records in left_out.items():
        result.read += records
        result.skipped += records
        result.kinds_skipped[name] = result.kinds_skipped.get(name, 0) + records


def may_land(source: Source) -> bool:
    """Whether a copy of the input may be kept: tracking records hold addresses of machines, which are dropped."""
    return source.tracking is None or source.tracking.keeps_ip


def with_sessions(run: SourceRun, add: list[NewFile], remove: list[int]) -> tuple[list[NewFile], list[int]]:
    """Files to add and ids to remove, with the sessions that the new events begin, prolong or join."""
    tracking = run.source.tracking
    if tracking is None or tracking.sessions is None:
        return add, remove
    from segctl.operations.ingest.sessions import session_changes

    found = session_changes(run.workspace, run.project, run.source, add, remove)
    run.result.sessions = found.sessions
    return found.add, found.remove

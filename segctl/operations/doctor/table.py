"""Try a table that is read in place: is it there, which version, how many rows, which columns?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.errors import SegctlError
from segctl.model.fetching_table import TableFetch

if TYPE_CHECKING:
    from segctl.connectors.sources.base import Probe, Trial
    from segctl.connectors.tables.base import Table, TableFile
    from segctl.model.project import Project
    from segctl.model.sources import Source


def try_table(project: Project, source: Source, limit: int) -> Trial:
    """Opens a table, reads some rows and keeps nothing; a failure is a probe."""
    from segctl.connectors.sources.base import Probe, Trial
    from segctl.connectors.tables import open_table

    fetch = source.fetch
    assert isinstance(fetch, TableFetch)
    try:
        table = open_table(fetch, Path(project.root), source.name)
        files = table.files()
        records = _first(table, files, limit)
        return Trial(tuple(_probes(fetch, table, files)), tuple(records))
    except SegctlError as error:
        detail = error.message if error.why is None else f"{error.message}: {error.why}"
        return Trial((Probe("reachable", "problem", detail, error.hint),))


def _probes(fetch: TableFetch, table: Table, files: tuple[TableFile, ...]) -> Iterator[Probe]:
    from segctl.connectors.sources.base import Probe

    yield Probe("reachable", "ok", f"{fetch.format} table {table.shown}")
    chosen = "the newest" if fetch.version is None else "as declared"
    yield Probe("version", "ok", f"{table.version}, {chosen}")
    rows = [file.rows for file in files]
    counted = f"{len(files):,} data files" if len(files) != 1 else "1 data file"
    if any(number is None for number in rows):
        yield Probe("rows", "ok", f"in {counted}; the table does not say how many")
    else:
        total = sum(number or 0 for number in rows)
        hint = None if total else "perhaps there are none"
        yield Probe("rows", "ok" if total else "note", f"{total:,} in {counted}", hint)
    yield Probe("shape", "ok", "columns: " + ", ".join(f"{name} {dtype}" for name, dtype in table.columns.items()))


def _first(table: Table, files: tuple[TableFile, ...], limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for file in files:
        if len(found) >= limit:
            break
        for frame in table.frames((file,), limit):
            found += [json.loads(line) for line in frame.head(limit - len(found)).write_ndjson().splitlines()]
            break
    return found[:limit]

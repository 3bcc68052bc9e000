"""Rows of related tables as they were at an instant: engines' view and the oracle's."""

from __future__ import annotations

from pathlib import Path
from random import Random

import polars as pl
import pytest
import strategies
from engine_tools import EVENT_COLUMNS, canonical, physical, related_frame
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_data import World

from segctl.engines.physical import stored_dtype
from segctl.engines.related_rows import RowFile, related_rows
from segctl.model.project import RelatedTable
from segctl.model.types import stored_column


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rows")


@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_rows_are_what_their_versions_say(folder: Path, seed: int) -> None:
    world = strategies.world(seed, segments=1)

    for table in world.project.related:
        found = related_rows(
            row_files(world, table, folder, Random(seed)),
            canonical(world),
            as_of=world.as_of,
            properties=dict(table.properties),
        )

        expected = related_frame(world, table)
        assert sorted(map(repr, found.drop("ts").rows())) == sorted(map(repr, expected.drop("ts").rows()))


def row_files(world: World, table: RelatedTable, folder: Path, random: Random) -> list[RowFile]:
    """The versions, several files a source, in no order; a row that is gone belongs to nobody."""
    files: dict[tuple[str, int], list[dict[str, object]]] = {}
    columns = {stored_column(name, of): stored_dtype(of) for name, of in table.properties}
    base = {
        "subject": pl.Int32(), "key": pl.String(), "valid_from": EVENT_COLUMNS["ts"], "arrival": pl.Int64(),
        "gone": pl.Boolean(), "file_id": pl.Int32(), "line": pl.Int64(),
    }  # fmt: skip
    for row in (r for r in world.rows if r.table == table.name):
        line = {
            "subject": None if row.gone else row.subject, "key": row.key, "valid_from": row.valid_from,
            "arrival": row.arrival, "gone": row.gone, "file_id": 1, "line": row.arrival,
        }  # fmt: skip
        values = {stored_column(name, of): physical(row.properties.get(name), of) for name, of in table.properties}
        files.setdefault((row.source, random.randrange(2)), []).append(line | values)
    made = []
    for (source, number), lines in sorted(files.items()):
        random.shuffle(lines)
        frame = pl.DataFrame(lines, schema=base | columns)
        path = folder / f"{source}-{number}.parquet"
        frame.write_parquet(path)
        made.append(RowFile(str(path), source, frame.height, tuple(frame.columns)))
    return made

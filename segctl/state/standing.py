"""What the last whole evaluation found of everybody, so that the next one asks only those of whom something is new.

Folder ``standing``: ``standing.json`` names the files that count, and is replaced in one step. The first file has a
row for every subject (row number = subject), each further one (a *layer*) rows that replace those: ``subject``,
``present`` (part of the population), ``due``, and one column per key of a plan. Columns of the first that are mostly
asked of few stand apart, as bits. Nothing here is needed for truth: what
does not fit is left aside, and everybody is evaluated.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass
from segctl.state.files import crc32
from segctl.state.standing_bits import Bits, write_bits

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.state.workspace import Workspace

FOLDER = "standing"
PRESENT, DUE = "present", "due"
CONDITION = "q"
"""How keys of conditions begin."""
NOTHING = Bits("", 0, 0, (), 0)
_MANIFEST, _FORMAT = "standing.json", 3
_LOCK = "standing"
_MOST_LAYERED = 0.25
"""Layers with more of all rows than this become one file with the first."""
_NARROW = 8
"""Frames of fewer rows per replaced one are gathered whole: a look at each of many columns would cost more."""
Counts = tuple[int, int]
"""Of how many profiles a column is true, and of how many unknown."""


class Unreadable(Exception):  # noqa: N818 - what happened to the file
    """A file of the state is gone or spoilt; whoever reads does without the state."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One file of the state."""

    name: str
    rows: int
    bytes: int
    crc32: int


@dataclass(frozen=True, slots=True)
class _Opened:
    """The files of a state.

    Attributes:
        columns: Of the first file, by key; those that stand apart as soon as they were asked for.
        planes: Those that stand apart.
        rows: Of all layers, the older first.
        newest: The newest ``row`` of each ``subject`` among them, ascending.
    """

    columns: dict[str, pl.Series]
    planes: NDArray[np.uint8]
    rows: pl.DataFrame
    newest: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Standing:
    """Everybody's answers at one instant and snapshot.

    Attributes:
        inputs: All else that they were made from: name → digest.
        as_of: Microseconds since 1970.
        length: Subjects that there were.
        profiles: Profiles of the population.
        columns: Key → counts among the population; None where the column holds values.
        layers: The first has everybody.
        bits: Columns of the first that stand apart.
    """

    folder: Path
    inputs: Mapping[str, str]
    snapshot: int
    as_of: int
    length: int
    profiles: int
    columns: Mapping[str, Counts | None]
    layers: tuple[Layer, ...]
    bits: Bits
    _held: list[_Opened] = field(default_factory=list, repr=False, compare=False)

    def dense(self, keys: Sequence[str], length: int, newer: pl.DataFrame | None = None) -> pl.DataFrame:
        """Columns of everybody, row number = subject, null for those that are not there.

        Args:
            keys: Names of columns.
            length: Number of rows wanted, at least `length` of the state.
            newer: A further layer that is not written yet.
        """
        import polars as pl

        asked = list(dict.fromkeys(keys))
        found = self._first(asked)
        if found.height < length:
            found = pl.concat([found, found.clear(length - found.height)])
        over = self._over(asked)
        found = covered(found, over["subject"], over.select(asked))
        return found if newer is None else covered(found, newer["subject"], newer.select(asked))

    def where(self, mask: pl.Series, keys: Sequence[str], newer: pl.DataFrame | None = None) -> pl.DataFrame:
        """The rows of `dense` at which a mask is true: cheaper than all of them, of which most would go.

        Args:
            mask: As long as the rows wanted of `dense`, without nulls.
            keys: Names of columns.
            newer: As in `dense`.
        """
        import polars as pl

        asked = list(dict.fromkeys(keys))
        first = self._first(asked)
        found = first.filter(mask.head(first.height))
        if len(mask) > first.height:
            found = pl.concat([found, found.clear(int(mask.tail(-first.height).sum()))])
        held = mask.arg_true()
        for over in (self._over(asked), newer):
            if over is not None:
                inside = over.filter(mask.gather(over["subject"]))
                found = covered(found, held.search_sorted(inside["subject"]), inside.select(asked))
        return found

    def rows(self, subjects: pl.Series, keys: Sequence[str]) -> pl.DataFrame:
        """Columns of some subjects, in their order, null for those that are not there.

        Args:
            subjects: Ascending, each once.
            keys: Names of columns.
        """
        import polars as pl

        asked = list(dict.fromkeys(keys))
        in_bits = [key for key in asked if key in self.bits.planes]
        inside = subjects.filter(subjects < self.bits.length)
        found = self._first([key for key in asked if key not in self.bits.planes])
        found = found.select(pl.all().gather(inside)) if found.width else found
        if in_bits:
            at = inside.cast(pl.Int64).to_numpy()
            found = pl.concat([found, self.bits.rows(self._opened.planes, in_bits, at)], how="horizontal")
        found = found.select(asked)
        if len(inside) < len(subjects):
            # New subjects have the largest numbers.
            found = pl.concat([found, found.clear(len(subjects) - len(inside))])
        over = self._over(asked, subjects)
        return covered(found, subjects.search_sorted(over["subject"]), over.select(asked))

    def _first(self, keys: Sequence[str]) -> pl.DataFrame:
        """Columns of the first file."""
        import polars as pl

        held = self._opened
        for key in keys:
            if key not in held.columns:
                held.columns[key] = self.bits.column(held.planes, key)
        return pl.DataFrame([held.columns[key] for key in keys])

    def _over(self, keys: Sequence[str], subjects: pl.Series | None = None) -> pl.DataFrame:
        """The newest rows of the layers, ascending, of some subjects or all: ``subject`` and columns."""
        import polars as pl

        newest = self._opened.newest
        if subjects is not None:
            newest = newest.filter(pl.col("subject").is_in(subjects.implode()))
        return self._opened.rows.select(pl.col("subject", *keys).gather(newest["row"]))

    @property
    def _opened(self) -> _Opened:
        """All files, opened together: another process may replace them at any moment."""
        if not self._held:
            self._held.append(self._open())
        return self._held[0]

    def _open(self) -> _Opened:
        import polars as pl

        wanted = [PRESENT, DUE, *self.columns]
        plain = [name for name in wanted if name not in self.bits.planes]
        try:
            self._prove()
            first = pl.read_parquet(self.folder / self.layers[0].name, columns=plain)
            layers = [pl.read_parquet(self.folder / one.name, columns=["subject", *wanted]) for one in self.layers[1:]]
            planes = self.bits.mapped(self.folder)
        except (OSError, ValueError, pl.exceptions.PolarsError) as error:
            raise Unreadable(self.folder) from error
        schema = {name: first.schema.get(name, pl.Boolean()) for name in wanted}
        empty = pl.DataFrame(schema={"subject": pl.Int32(), **schema})
        rows = pl.concat([empty, *layers], how="vertical_relaxed")
        newest = rows.select("subject").with_row_index("row").unique("subject", keep="last").sort("subject")
        return _Opened({column.name: column for column in first}, planes, rows, newest)

    def _prove(self) -> None:
        """Compares checksums: files are not made to last, and after a power cut one may be as long as it was and empty.

        Raises:
            Unreadable: A file holds something else than was written.
        """
        files = [(layer.name, layer.crc32) for layer in self.layers]
        for name, checksum in [*files, (self.bits.name, self.bits.crc32)]:
            if crc32(self.folder / name) != checksum:
                raise Unreadable(self.folder)


def read_standing(workspace: Workspace) -> Standing | None:
    """The state as it was last written; None where there is none, or its files are not as they were written."""
    folder = workspace.folder / FOLDER
    try:
        found: dict[str, Any] = json.loads((folder / _MANIFEST).read_text())
        if found.get("format") != _FORMAT:
            return None
        layers = tuple(Layer(*one) for one in found["layers"])
        if not layers or any((folder / layer.name).stat().st_size != layer.bytes for layer in layers):
            return None
        name, size, length, planes, checksum = found["bits"]
        bits = Bits(name, size, length, tuple(planes), checksum)
        if (folder / name).stat().st_size != size:
            return None
        columns = {key: None if counts is None else (counts[0], counts[1]) for key, counts in found["columns"].items()}
        return Standing(
            folder,
            found["inputs"],
            found["snapshot"],
            found["as_of"],
            found["length"],
            found["profiles"],
            columns,
            layers,
            bits,
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def write_whole(workspace: Workspace, state: Standing, rows: pl.DataFrame) -> None:
    """Writes a state anew: one row for every subject, in their order."""
    with workspace.moment(_LOCK):
        _replaced(_anew(state, rows))


def write_layer(workspace: Workspace, before: Standing, state: Standing, rows: pl.DataFrame) -> None:
    """Writes what is new since another state; small files become one, and many rows become one with the first file.

    Args:
        workspace: Open.
        before: The state that was read.
        state: What it becomes; its layers do not count.
        rows: ``subject`` and all columns, ascending.
    """
    with workspace.moment(_LOCK):
        held = read_standing(workspace)
        if held is None or held.layers != before.layers or held.inputs != before.inputs:
            return  # somebody else wrote another one meanwhile, which is as good
        _replaced(_layered(before, rows, state) if rows.height else replace(state, layers=held.layers, bits=held.bits))


def forget(workspace: Workspace) -> None:
    """Leaves no state behind."""
    with workspace.moment(_LOCK), suppress(FileNotFoundError):
        (workspace.folder / FOLDER / _MANIFEST).unlink()


def _layered(before: Standing, rows: pl.DataFrame, state: Standing) -> Standing:
    import polars as pl

    folder, keys, layers = before.folder, [PRESENT, DUE, *state.columns], list(before.layers)
    rows = rows.select("subject", *keys)
    if rows.height + sum(layer.rows for layer in layers[1:]) > _MOST_LAYERED * layers[0].rows:
        return _anew(state, before.dense(keys, state.length, rows))
    # A layer is written again when as much has come after it, so each row is written a few times at most.
    while len(layers) > 1 and layers[-1].rows <= 2 * rows.height:
        older = pl.read_parquet(folder / layers.pop().name, columns=rows.columns)
        rows = _newest(pl.concat([older, rows], how="vertical_relaxed"))
    return replace(state, layers=(*layers, _written(folder, rows)), bits=before.bits)


def _anew(state: Standing, rows: pl.DataFrame) -> Standing:
    """The state in files of its own; conditions, of which whole columns are seldom asked, as bits."""
    import polars as pl

    folder = state.folder
    folder.mkdir(mode=0o700, exist_ok=True)
    apart = [name for name, of in rows.schema.items() if of == pl.Boolean and name.startswith(CONDITION)]
    bits = write_bits(folder / f"{uuid.uuid4().hex}.bits", rows.select(apart))
    return replace(state, layers=(_written(folder, rows.drop(apart)),), bits=bits)


def _newest(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.unique("subject", keep="last", maintain_order=True).sort("subject")


def covered(found: pl.DataFrame, at: pl.Series, over: pl.DataFrame) -> pl.DataFrame:
    """The frame with the rows at some places replaced."""
    import polars as pl

    if not over.height:
        return found
    if found.height < _NARROW * over.height:
        return _gathered(found, at, over)
    schema = pl.concat([found.head(0), over.head(0)], how="vertical_relaxed").schema
    plain = [name for name, of in schema.items() if of == pl.Boolean or of.is_integer()]
    others = [name for name in found.columns if name not in plain]
    rest = _gathered(found.select(others), at, over.select(others)) if others else found
    columns = [
        found[name].cast(schema[name]).clone().scatter(at, over[name].cast(schema[name]))
        if name in plain
        else rest[name]
        for name in found.columns
    ]
    return pl.DataFrame(columns)


def _gathered(found: pl.DataFrame, at: pl.Series, over: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    both = pl.concat([found, over], how="vertical_relaxed")
    place = pl.int_range(found.height, dtype=pl.Int64, eager=True)
    place = place.scatter(at, pl.int_range(found.height, both.height, dtype=pl.Int64, eager=True))
    return both.select(pl.all().gather(place))


def _written(folder: Path, rows: pl.DataFrame) -> Layer:
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{uuid.uuid4().hex}.parquet"
    # Needed for no truth, so it need not be durable: a file of another size or checksum is left aside.
    rows.write_parquet(path, compression="lz4", statistics=False, row_group_size=262_144)
    return Layer(path.name, rows.height, path.stat().st_size, crc32(path))


def _replaced(state: Standing) -> None:
    """Makes a state the one that counts, and deletes files of others."""
    folder = state.folder
    folder.mkdir(mode=0o700, exist_ok=True)
    text = json.dumps({
        "format": _FORMAT, "inputs": dict(state.inputs), "snapshot": state.snapshot, "as_of": state.as_of,
        "length": state.length, "profiles": state.profiles, "columns": dict(state.columns),
        "bits": [state.bits.name, state.bits.bytes, state.bits.length, state.bits.planes, state.bits.crc32],
        "layers": [[layer.name, layer.rows, layer.bytes, layer.crc32] for layer in state.layers],
    })  # fmt: skip
    fresh = folder / f"{uuid.uuid4().hex}.json"
    fresh.write_text(text)
    os.replace(fresh, folder / _MANIFEST)
    _delete(folder, {_MANIFEST, state.bits.name, *(layer.name for layer in state.layers)})


def _delete(folder: Path, keep: Iterable[str]) -> None:
    for path in folder.iterdir():
        if path.name not in set(keep):
            path.unlink(missing_ok=True)

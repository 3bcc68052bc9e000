"""`segctl validate infer`: a contract proposed from a file, checked against every row of it before it is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.errors import UsageError
from segctl.model.sources import Source
from segctl.operations.progress import Progress, Silent

if TYPE_CHECKING:
    import polars as pl

    from segctl.connectors.files import Detected, RawBatch
    from segctl.model.project import Project
    from segctl.quality.infer import ColumnGuess

SAMPLE_ROWS = 200_000
SEED = 20_261_122
_ROWS_OF_BATCH = 20_000
_MOST_UNIQUE = 20_000_000
_MOST_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class InferredContract:
    """A proposal.

    Attributes:
        schema: The contract; every row of the data keeps it.
        checks: As they stand in a declaration.
        columns: What was guessed of each column.
        rows: Rows in the data, all of them checked.
        sampled: Rows that the guesses were made from.
        taken_back: Guesses from the sample that other rows did not keep, as column and keyword.
        why: What was detected of the file.
    """

    schema: dict[str, Any]
    checks: list[dict[str, Any]]
    columns: tuple[ColumnGuess, ...]
    rows: int
    sampled: int
    taken_back: tuple[tuple[str, str], ...]
    why: tuple[str, ...] = ()


def infer(
    project: Project, path: str, source: Source | None = None, *, progress: Progress | None = None
) -> InferredContract:
    """Propose a contract for the rows of a path.

    Args:
        project: Paths are relative to it when a source brings them.
        path: File, folder or pattern.
        source: Says how the files are to be read; None: as they show.
        progress: Who is told.

    Raises:
        UsageError: There are no rows, or the source is not read from files.
    """
    reading = _Reading(project, path, source, progress or Silent())
    sample, total, unique = reading.sampled()
    guessed = reading.guesses(sample)
    required = [guess.name for guess in guessed if not guess.missing]
    properties = {guess.name: guess.schema for guess in guessed if guess.schema}
    schema: dict[str, Any] = {"type": "object", "required": required, "properties": properties}
    schema, taken_back = reading.held(schema)
    checks = _checks(guessed, schema, unique)
    return InferredContract(schema, checks, tuple(guessed), total, sample.height, taken_back, reading.detected.why)


def _checks(guessed: list[ColumnGuess], schema: dict[str, Any], unique: set[str]) -> list[dict[str, Any]]:
    from segctl.quality.infer import is_key_like

    keys = [g.name for g in guessed if g.name in unique and is_key_like(g.name)]
    found: list[dict[str, Any]] = [{"unique": [name]} for name in keys[:2]]
    found += [
        {"nulls": {"column": guess.name, "at_most": f"{_headroom(guess.missing)} %"}, "severity": "warn"}
        for guess in guessed
        if guess.name not in schema["required"] and guess.missing < _MOSTLY_EMPTY
    ]
    found.append({"rows": {"change": "50 %"}, "severity": "warn"})
    return found


_MOSTLY_EMPTY = 0.9


def _headroom(share: float) -> int:
    """Percent of missing values that are no surprise.

    >>> _headroom(0.002), _headroom(0.3), _headroom(0.85)
    (2, 46, 100)
    """
    return min(100, int(share * 150) + 1 + (share > 0))


@dataclass(slots=True)
class _Reading:
    project: Project
    path: str
    source: Source | None
    progress: Progress
    detected: Any = None
    _doubtful: frozenset[str] = frozenset()

    def _batches(self) -> Iterator[tuple[Detected, RawBatch]]:
        from segctl.connectors.files import detect, expand, read
        from segctl.operations.ingest.source import existing, read_options

        options = None if self.source is None else read_options(self.source)
        root = Path(self.project.root) if self.source is not None else Path()
        paths = self.source.paths if self.source is not None and self.path == self.source.name else (self.path,)
        for found in expand(root, paths):
            file = existing(found)
            detected = detect(file, options)
            self.progress.start(f"read {found.name}", total=detected.bytes, unit="bytes")
            done = 0
            for batch in read(file, options, detected):
                yield detected, batch
                self.progress.advance(batch.bytes_done - done)
                done = batch.bytes_done
            self.progress.finish()

    def sampled(self) -> tuple[pl.DataFrame, int, set[str]]:
        """Rows to learn from, how many there are in all, and columns in which no value comes twice."""
        import polars as pl

        parts: list[pl.DataFrame] = []
        seen: dict[str, list[pl.Series]] = {}
        total = 0
        doubtful: set[str] = set()
        for detected, batch in self._batches():
            self.detected = self.detected or detected
            frame = batch.frame
            doubtful |= batch.doubtful
            _follow(seen, frame, is_first=not total, total=total)
            total += frame.height
            room = frame.height if total <= SAMPLE_ROWS else min(_ROWS_OF_BATCH, frame.height)
            parts.append(frame if room == frame.height else _part(frame, room))
        if not total:
            raise UsageError("SEG620", f"`{self.path}` has no rows to learn from", hint="name a file with rows")
        mixed = _mixed(parts)
        self._doubtful = frozenset(doubtful | mixed)
        texts = [part.with_columns(pl.col(name).cast(pl.String, strict=False) for name in mixed & set(part.columns)
                 if not part[name].dtype.is_nested()) for part in parts]  # fmt: skip
        unique = {name for name, hashes in seen.items() if pl.concat(hashes).n_unique() == total}
        return pl.concat(texts, how="diagonal_relaxed"), total, unique

    def guesses(self, sample: pl.DataFrame) -> list[ColumnGuess]:
        """Columns of the sample, each with its part of a contract."""
        from segctl.quality.infer import guesses

        is_text = self.detected.format in ("csv", "xlsx")
        is_json = self.detected.format in ("json", "ndjson")
        return guesses(sample, _text_form(self.detected, self.source) if is_text else None,
                       doubtful=self._doubtful, is_json=is_json)  # fmt: skip

    def held(self, schema: dict[str, Any]) -> tuple[dict[str, Any], tuple[tuple[str, str], ...]]:
        """The contract that every row keeps, and what had to be taken back for it."""
        from segctl.quality.infer import loosened

        taken: list[tuple[str, str]] = []
        for _ in range(_MOST_ROUNDS):
            broken = self._broken(schema)
            if not broken:
                return schema, tuple(taken)
            taken += [(place[1:], keyword) for place, keyword in broken]
            schema = loosened(schema, broken)
        return {"type": "object"}, tuple(taken)

    def _broken(self, schema: dict[str, Any]) -> list[tuple[str, str]]:
        from segctl.model.contracts import ContractDeclaration
        from segctl.operations.contracts import compiled, judge

        declared = ContractDeclaration(json.dumps(schema))
        contract = compiled(declared)
        source = replace(self.source or Source("", ()), contract=declared)
        found: dict[tuple[str, str], None] = {}
        for detected, batch in self._batches():
            if batch.frame.height:
                reasons = judge(contract, source, detected, batch).reasons
                found.update(dict.fromkeys(reasons.select("pointer", "keyword").unique().sort("pointer").rows()))
        return list(found)


def _text_form(detected: Detected, source: Source | None) -> Any:  # noqa: ANN401 - of a floor that is loaded late
    from segctl.quality.contract import TextForm

    missing = () if source is None else source.missing_values
    return TextForm(detected.decimal or ".", detected.thousands or None, missing)


def _part(frame: pl.DataFrame, rows: int) -> pl.DataFrame:
    """So many rows by chance, and those with the extremes of each column."""
    import polars as pl

    found: set[int] = set()
    for column in frame.get_columns():
        values = column.str.len_chars() if column.dtype == pl.String else column
        if values.dtype.is_numeric() and values.null_count() < len(values):
            found |= {at for at in (values.arg_min(), values.arg_max()) if at is not None}
    return pl.concat([frame.sample(rows, seed=SEED), frame[sorted(found)]])


def _follow(seen: dict[str, list[pl.Series]], frame: pl.DataFrame, *, is_first: bool, total: int) -> None:
    """Hashes of columns that may be keys; one that has a value twice in a batch is followed no more."""
    if total + frame.height > _MOST_UNIQUE:
        seen.clear()
        return
    for name in frame.columns if is_first else list(seen):
        column = frame[name] if name in frame.columns else None
        is_flat = column is not None and not column.dtype.is_nested()
        if column is None or not is_flat or column.null_count() or column.n_unique() < len(column):
            seen.pop(name, None)
        else:
            seen.setdefault(name, []).append(column.hash(seed=1))


def _mixed(parts: list[pl.DataFrame]) -> set[str]:
    """Columns whose type changes from batch to batch."""
    import polars as pl

    types: dict[str, set[Any]] = {}
    for part in parts:
        for name, dtype in part.schema.items():
            if dtype != pl.Null:
                types.setdefault(name, set()).add(dtype)
    numeric = {name for name, found in types.items() if all(dtype.is_numeric() for dtype in found)}
    return {name for name, found in types.items() if len(found) > 1} - numeric

"""Event files and small frames as DuckDB relations."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Self

import duckdb
import narwhals.stable.v2 as nw
import polars as pl

from segctl.engines.dialects import Dialect, SqlDialect
from segctl.engines.frames import Frame, polars_of
from segctl.engines.physical import has_moments, working_dtype
from segctl.engines.polars_reader import PolarsReader
from segctl.engines.reading import PartGroup, Rows, Scan, Subjects, empty_frame, part_groups
from segctl.model.types import Kind, ValueType, stored_column

if TYPE_CHECKING:
    from types import TracebackType

    from segctl.engines.base import EngineInput


class DuckDBReader:
    """A connection of its own for one evaluation; use as a context."""

    dialect: Dialect = SqlDialect()
    is_polars = False

    def __init__(self, data: EngineInput) -> None:
        self._data = data
        self._connection = duckdb.connect()
        self._connection.execute("SET preserve_insertion_order = false")
        # Where no script is named (`python -c`), DuckDB takes the process for a person's and draws on stdout.
        self._connection.execute("SET enable_progress_bar = false")
        self._numbers = itertools.count()
        if data.canonical is not None:
            subjects = pl.DataFrame({"own": pl.int_range(len(data.canonical), dtype=pl.Int32, eager=True)})
            self._save("canonical", subjects.with_columns(data.canonical.alias("canonical")))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def scan(self, wish: Scan) -> Rows:
        """Event rows; only columns and rows that are asked for are read."""
        if wish.is_held:
            native = polars_of(PolarsReader(self._data).scan(wish).frame)
            return Rows(self.table(native.collect()))
        groups = part_groups(wish, self._data)
        if not groups:
            return Rows(self.table(empty_frame(wish)))
        query = " UNION ALL ".join(self._select(wish, group) for group in groups)
        return Rows(nw.from_native(self._connection.sql(query)))

    def table(self, frame: pl.DataFrame) -> Frame:
        """A small frame as one of the engine's own."""
        name = f"given_{next(self._numbers)}"
        self._save(name, frame)
        return nw.from_native(self._connection.table(name))

    def numbered(self, frame: Frame, column: str) -> Frame:
        """The frame, fixed for this evaluation, with a row number that is unique."""
        name = f"numbered_{next(self._numbers)}"
        relation: Any = nw.to_native(frame)
        relation.project(f"row_number() OVER () AS {_name(column)}, *").to_table(name)
        return nw.from_native(self._connection.table(name))

    def collect(self, frame: Frame) -> pl.DataFrame:
        """The rows of a frame, in any order; wide sums come as 128-bit integers, others as 64-bit."""
        relation: Any = nw.to_native(frame)
        found: pl.DataFrame = relation.pl()
        wide = [name for name, dtype in found.schema.items() if isinstance(dtype, pl.Decimal)]
        return found.with_columns(pl.col(wide).cast(pl.Int128)) if wide else found

    def _save(self, name: str, frame: pl.DataFrame) -> None:
        # Arrow knows no 128-bit integers; decimals of 38 digits carry them over.
        wide = [column for column, dtype in frame.schema.items() if dtype == pl.Int128]
        carried = frame.with_columns(pl.col(wide).cast(pl.Decimal(38, 0))) if wide else frame
        back = "".join(f", CAST({_name(column)} AS HUGEINT) AS {_name(column)}" for column in wide)
        columns = f"* REPLACE ({back[2:]})" if wide else "*"
        self._connection.register("handed_over", carried.to_arrow())
        self._connection.execute(f"CREATE TEMP TABLE {_name(name)} AS SELECT {columns} FROM handed_over")
        self._connection.unregister("handed_over")

    def _select(self, wish: Scan, group: PartGroup) -> str:
        kinds = ", ".join(map(_text, wish.kinds))
        subject = "subject" if self._data.canonical is None else "canonical.canonical"
        files = f"read_parquet([{', '.join(map(_text, group.paths))}], union_by_name = true) AS event"
        tables = files if self._data.canonical is None else f"{files} JOIN canonical ON canonical.own = event.subject"
        tests = [_wanted(subject, wish.subjects)]
        tests += [] if wish.lo is None else [f"ts >= make_timestamptz({wish.lo})"]
        tests += [f"ts <= make_timestamptz({wish.hi})"] if group.may_exceed(wish.hi) else []
        tests += [f"kind IN ({kinds})"] if group.mixed else []
        columns = [f"{subject} AS subject", "epoch_us(ts) AS ts"]
        columns += ["source", "event_id"] if wish.order else []
        if wish.kind:
            columns.append("kind" if "kind" in group.parts[0].columns else f"{_text(group.parts[0].kinds[0])} AS kind")
        columns += [_property(stored_column(name, of), of, group) for name, of in wish.properties]
        return f"SELECT {', '.join(columns)} FROM {tables} WHERE {' AND '.join(tests)}"


def _wanted(subject: str, subjects: Subjects) -> str:
    between = f"{subject} BETWEEN {subjects.first} AND {subjects.last}"
    if subjects.listed is None:
        return between
    return f"{between} AND {subject} IN ({', '.join(map(str, subjects.listed)) or 'NULL'})"


def _property(column: str, of: ValueType, group: PartGroup) -> str:
    if column not in group.present:
        return f"CAST(NULL AS {_sql_type(of)}) AS {_name(column)}"
    return f"{_worked(_name(column), of, depth=0)} AS {_name(column)}"


def _worked(value: str, of: ValueType, *, depth: int) -> str:
    """A stored value in working form, inside lists and structs too."""
    if not has_moments(of):
        return value
    if of.kind is Kind.DATE:
        return f"CAST({value} - DATE '1970-01-01' AS BIGINT)"
    if of.kind is Kind.TIME:
        return f"epoch_us({value})"
    if of.kind is Kind.LIST and of.element is not None:
        inner = f"element_{depth}"
        return f"list_transform({value}, lambda {inner}: {_worked(inner, of.element, depth=depth + 1)})"
    fields = (f"{_name(name)} := {_worked(f'{value}.{_name(name)}', to, depth=depth)}" for name, to in of.fields)
    return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({', '.join(fields)}) END"


def _sql_type(of: ValueType) -> str:
    names: dict[Any, str] = {pl.String(): "VARCHAR", pl.Boolean(): "BOOLEAN", pl.Float64(): "DOUBLE"}
    if of.kind is Kind.LIST and of.element is not None:
        return f"{_sql_type(of.element)}[]"
    if of.kind is Kind.STRUCT:
        return f"STRUCT({', '.join(f'{_name(name)} {_sql_type(to)}' for name, to in of.fields)})"
    return names.get(working_dtype(of), "BIGINT")


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

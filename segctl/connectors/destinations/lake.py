"""A lakehouse: members as a Delta table, each batch one commit, or as a Parquet dataset with a folder for each segment.

Columns are `segment`, `member_key`, identifiers, fields, `entered_at`, `updated_at` and `push`; the first partitions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.connectors.destinations.base import (
    Abilities,
    Around,
    Batch,
    BatchRefusedError,
    Member,
    NotNowError,
    Recorded,
    Remote,
    Row,
    Sent,
)
from segctl.connectors.destinations.file_manifest import folder_name, write_file
from segctl.connectors.destinations.sql_text import ENTERED, KEY, PUSH, SEGMENT, UPDATED, kind_of
from segctl.connectors.http.reasons import without_people
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option
from segctl.model.errors import SegctlError, UsageError
from segctl.model.secrets import Secret, masked

if TYPE_CHECKING:
    import polars as pl
    from deltalake import DeltaTable

ABILITIES = Abilities(
    identifiers=("email", "phone", "external_id"),
    channel="email",
    batch_rows=50_000,
    recipient="warehouse",
    reads_back=True,
)
OPTIONS = (
    Option("path", "text", "folder relative to the project, or such as `s3://bucket/members` for Delta", required=True),
    Option("format", "choice", "a Delta table, or Parquet files in folders `segment=NAME`", default="delta",
           choices=("delta", "parquet")),
    Option("storage", "mapping", "settings of the storage for Delta, such as {AWS_REGION: eu-central-1}; "
           "secrets by reference"),
)  # fmt: skip
RESERVED = frozenset({SEGMENT, KEY, ENTERED, UPDATED, PUSH})
_FILE = "members.parquet"


def abilities(destination: Destination) -> Abilities:
    """Every identifier that the declaration names is a column."""
    names = tuple(name for name, _ in destination.identify)
    return replace(ABILITIES, identifiers=names or ABILITIES.identifiers)


def connect(destination: Destination, around: Around) -> Lake:
    """Its connector."""
    return Lake(destination, around)


class Lake:
    """One table or dataset."""

    def __init__(self, destination: Destination, around: Around) -> None:
        self.destination, self.around, self.options = destination, around, destination.options
        path = str(self.options["path"])
        self.place = path if "://" in path else str(around.root / Path(path).expanduser())
        self.is_delta = self.options.get("format", "delta") == "delta"

    def check(self) -> tuple[Probe, ...]:
        """Opens the table, or looks where it would be made."""
        try:
            table = self._table() if self.is_delta else None
        except (SegctlError, NotNowError) as error:
            return (Probe("reachable", "problem", masked(str(error)), getattr(error, "hint", None)),)
        if table is not None:
            return (Probe("reachable", "ok", f"a Delta table at version {table.version()}"),)
        return (Probe("reachable", "ok", f"`{self.options['path']}` is made with the first push, or has been"),)

    def audience(self, segment: str, name: str) -> str:  # noqa: ARG002 - what every connector is asked
        """The name itself, which stands in the column `segment`.

        Raises:
            UsageError: A package is not installed: told before anything is written down as on its way.
        """
        if self.is_delta:
            _delta_table()
        return name

    def send(self, batch: Batch) -> Sent:
        """One commit, or the segment's file written anew."""
        frame = self._frame(batch)
        if self.around.record is not None:
            what = f"{'merge into' if self.is_delta else 'write'} {self.options['path']} ({batch.action})"
            self.around.record(Recorded(what, frame.write_ndjson(), len(batch.rows)))
        elif self.is_delta:
            self._merge(frame, batch)
        else:
            self._write(frame, batch)
        return Sent()

    def poll(self, job: str) -> Sent:  # noqa: ARG002 - what every connector is asked
        """Nothing goes on there."""
        return Sent()

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """As they are."""
        names = abilities(self.destination).identifiers
        return {name: row.identifiers[name] for name in names if name in row.identifiers}

    def members(self, audience: str) -> Iterator[Member]:
        """The rows of a segment."""
        frame = self._members(audience)
        names = [name for name in abilities(self.destination).identifiers if name in frame.columns]
        for values in frame.select(names).iter_rows():
            yield Member({name: value for name, value in zip(names, values, strict=True) if value is not None})

    def audiences(self) -> Iterator[Remote]:
        """Segments that are there, by name."""
        import polars as pl

        if not self.is_delta:
            for file in sorted(Path(self.place).glob(f"{SEGMENT}=*/{_FILE}")):
                frame = pl.read_parquet(file, columns=[KEY])
                name = _plain(file.parent.name.partition("=")[2])
                yield Remote(name, name, len(frame))
            return
        if self._table() is not None:
            sizes = self._scan().group_by(SEGMENT).len().sort(SEGMENT).collect()
            for name, size in sizes.iter_rows():
                yield Remote(name, name, size)

    def close(self) -> None:
        """Nothing is open."""

    # --- Frames ------------------------------------------------------------------------------------------------
    def _frame(self, batch: Batch) -> pl.DataFrame:
        """One row per person, with the types of the values."""
        import polars as pl

        identifiers = abilities(self.destination).identifiers
        fields = [name for name, _ in self.destination.fields] or sorted({n for row in batch.rows for n in row.fields})
        names = [*identifiers, *(name for name in fields if name not in identifiers)]
        taken = sorted(RESERVED & set(names))
        if taken:
            hint = f"choose another name for `{taken[0]}` under `fields` or `identify`"
            raise UsageError("SEG906", f"`{self.destination.name}`: a column is called `{taken[0]}` already", hint=hint)
        rows = list({row.key: row for row in batch.rows}.values())
        columns = [pl.Series(SEGMENT, [batch.audience] * len(rows), dtype=pl.String)]
        columns.append(pl.Series(KEY, [row.key for row in rows], dtype=pl.String))
        for name in names:
            values = [row.identifiers.get(name, row.fields.get(name)) for row in rows]
            columns.append(pl.Series(name, values, dtype=_types()[kind_of(values)], strict=False))
        at = batch.at.astimezone(UTC)
        columns += [_instants(name, at, len(rows)) for name in (ENTERED, UPDATED)]
        columns.append(pl.Series(PUSH, [batch.context.get("push", batch.id)] * len(rows), dtype=pl.String))
        return pl.DataFrame(columns)

    def _members(self, audience: str) -> pl.DataFrame:
        import polars as pl

        if self.is_delta:
            return (
                pl.DataFrame() if self._table() is None else self._scan().filter(pl.col(SEGMENT) == audience).collect()
            )
        path = self._file(audience)
        return pl.read_parquet(path) if path.exists() else pl.DataFrame()

    def _file(self, audience: str) -> Path:
        return Path(self.place, f"{SEGMENT}={folder_name(audience)}", _FILE)

    def _write(self, frame: pl.DataFrame, batch: Batch) -> None:
        """The segment's file with the batch in it; the folder says the segment, so no column does."""
        import io

        import polars as pl

        before = self._members(batch.audience)
        frame = frame.drop(SEGMENT)
        if before.width:
            frame = self._fitted(frame, dict(before.schema), batch)
            entered = before.select(KEY, ENTERED)
            frame = frame.join(entered, on=KEY, how="left", suffix="_before").with_columns(
                pl.coalesce(f"{ENTERED}_before", ENTERED).alias(ENTERED)
            )
            frame = frame.drop(f"{ENTERED}_before")
        else:
            before = frame.clear()
        others = before.join(frame, on=KEY, how="anti")
        if batch.action == "update":
            frame = frame.join(before, on=KEY, how="semi")
        found = others if batch.action == "remove" else pl.concat([others, frame], how="diagonal")
        stream = io.BytesIO()
        found.sort(KEY).write_parquet(stream, compression="zstd")
        write_file(self._file(batch.audience), stream.getvalue())

    def _fitted(self, frame: pl.DataFrame, types: Mapping[str, Any], batch: Batch) -> pl.DataFrame:
        """The frame in the types that are there already."""
        import polars as pl

        try:
            return frame.with_columns(
                pl.col(name).cast(types[name]) for name in frame.columns if name in types and name != SEGMENT
            )
        except pl.exceptions.PolarsError as error:
            reason = without_people(str(error).partition("\n")[0], batch.rows)
            raise BatchRefusedError(f"a value does not fit its column: {reason}", code="type") from None

    # --- Delta -------------------------------------------------------------------------------------------------
    def _merge(self, frame: pl.DataFrame, batch: Batch) -> None:
        table = self._table()
        if table is None:
            if batch.action != "add":
                return
            table = _delta_table().create(
                self.place,
                schema=_schema(frame),
                partition_by=[SEGMENT],
                storage_options=self._storage(),
            )
        types = dict(self._scan().collect_schema())
        missing = [name for name in frame.columns if name not in types]
        if missing:
            hint = f"add the column `{missing[0]}` to the table, or take it out of `fields`"
            message = f"`{self.destination.name}`: the table has no column `{missing[0]}`"
            raise UsageError("SEG906", message, hint=hint)
        frame = self._fitted(frame, types, batch)
        merging = table.merge(
            source=frame,
            predicate=f"t.{SEGMENT} = s.{SEGMENT} AND t.{KEY} = s.{KEY}",
            source_alias="s",
            target_alias="t",
        )
        changes = {name: f's."{name}"' for name in frame.columns if name not in (SEGMENT, KEY, ENTERED)}
        changes = {f'"{name}"': value for name, value in changes.items()}
        if batch.action == "remove":
            merging = merging.when_matched_delete()
        else:
            merging = merging.when_matched_update(updates=changes)
        if batch.action == "add":
            merging = merging.when_not_matched_insert_all()
        with _asking():
            merging.execute()

    def _table(self) -> DeltaTable | None:
        table = _delta_table()
        with _asking():
            if not table.is_deltatable(self.place, self._storage()):
                return None
            return table(self.place, storage_options=self._storage())

    def _scan(self) -> pl.LazyFrame:
        import polars as pl

        return pl.scan_delta(self.place, storage_options=self._storage())

    def _storage(self) -> dict[str, str] | None:
        from segctl.connectors.http.secrets import revealed

        given: Mapping[str, Any] = self.options.get("storage") or {}
        root = self.around.root
        return {
            name: revealed(value, root) if isinstance(value, Secret) else str(value) for name, value in given.items()
        } or None


def _delta_table() -> type[DeltaTable]:
    try:
        from deltalake import DeltaTable
    except ImportError:
        message = "destinations of the kind `lake` need Delta Lake"
        raise UsageError("SEG907", message, hint="install it with `pip install 'segctl[lake]'`") from None
    return DeltaTable


@contextmanager
def _asking() -> Iterator[None]:
    """Whatever the library raises means that nothing was committed."""
    from deltalake.exceptions import DeltaError

    try:
        yield
    except (DeltaError, OSError) as error:
        raise NotNowError(masked(str(error).partition("\n")[0][:200])) from None


def _types() -> dict[str, Any]:
    """Kind of value → type of column."""
    import polars as pl

    return {
        "text": pl.String,
        "integer": pl.Int64,
        "number": pl.Float64,
        "decimal": pl.Decimal(38, 9),
        "boolean": pl.Boolean,
        "date": pl.Date,
        "time": pl.Datetime("us", "UTC"),
    }


def _instants(name: str, at: datetime, count: int) -> pl.Series:
    import polars as pl

    return pl.Series(name, [at] * count, dtype=pl.Datetime("us", "UTC"))


def _schema(frame: pl.DataFrame) -> Any:  # noqa: ANN401 - of an optional package
    """The columns of a frame as Delta has them."""
    import polars as pl
    from deltalake import Field, Schema
    from deltalake.schema import PrimitiveType

    names = {
        pl.String: "string", pl.Int64: "long", pl.Float64: "double", pl.Boolean: "boolean", pl.Date: "date",
        pl.Datetime: "timestamp", pl.Decimal: "decimal(38,9)",
    }  # fmt: skip
    return Schema(
        [
            Field(name, PrimitiveType(names[of.base_type()]), nullable=name not in (SEGMENT, KEY))
            for name, of in frame.schema.items()
        ]
    )


def _plain(name: str) -> str:
    from urllib.parse import unquote

    return unquote(name)

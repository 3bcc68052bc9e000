"""How an emitter asks an engine for event rows, and what an engine must be able to do beside the portable layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from segctl.compile.plan import HISTORY
from segctl.compile.zones import to_us
from segctl.engines.frames import Frame
from segctl.engines.physical import stored_dtype, working_dtype
from segctl.model.dataclass import dataclass
from segctl.model.project import RELATED
from segctl.model.types import ValueType, stored_column

if TYPE_CHECKING:
    import polars as pl

    from segctl.engines.base import EngineInput, EventPart
    from segctl.engines.dialects import Dialect


@dataclass(frozen=True, slots=True)
class Subjects:
    """Which subjects are read: all from `first` to `last`, or only those listed between.

    Attributes:
        first: Smallest subject, included.
        last: Largest subject, included.
        listed: Ascending; None means every one between.
    """

    first: int
    last: int
    listed: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """A wish for event rows.

    Attributes:
        kinds: Event kinds, or one pseudo kind ``trait:NAME`` or ``related:NAME``.
        properties: Name and type of each property needed; its column is called by `stored_column`.
        subjects: Whose events.
        lo: Earliest instant in microseconds, included; None is open.
        hi: Latest instant in microseconds, included.
        order: Also `source` and `event_id`, which break ties in time.
        kind: Also `kind`.
    """

    kinds: tuple[str, ...]
    properties: tuple[tuple[str, ValueType], ...]
    subjects: Subjects
    lo: int | None
    hi: int
    order: bool = False
    kind: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the answer, in order."""
        named = tuple(stored_column(name, of) for name, of in self.properties)
        return (
            "subject",
            "ts",
            *(("source", "event_id") if self.order else ()),
            *(("kind",) if self.kind else ()),
            *named,
        )

    @property
    def is_held(self) -> bool:
        """The rows stand in the input itself: a trait's changes, or the rows of a related table."""
        return self.kinds[0].startswith((HISTORY, RELATED))


@dataclass(frozen=True, slots=True)
class Rows:
    """Event rows in working form, one per event.

    Attributes:
        frame: Columns of the scan; `subject` is the profile's.
        in_order: The rows of a subject stand in event order, and the engine keeps that order while grouping.
    """

    frame: Frame
    in_order: bool = False


class Reader(Protocol):
    """An engine at the border of the portable layer.

    Attributes:
        dialect: Its spelling of some arithmetic.
        is_polars: Polars has quicker ways for some nodes, behind the same answers.
    """

    dialect: Dialect
    is_polars: bool

    def scan(self, wish: Scan) -> Rows:
        """Event rows; only columns and rows that are asked for are read."""
        ...

    def table(self, frame: pl.DataFrame) -> Frame:
        """A small frame as one of the engine's own."""
        ...

    def numbered(self, frame: Frame, column: str) -> Frame:
        """The frame, fixed for this evaluation, with a row number that is unique."""
        ...

    def collect(self, frame: Frame) -> pl.DataFrame:
        """The rows of a frame, in any order."""
        ...


@dataclass(frozen=True, slots=True)
class PartGroup:
    """Files that hold the same of the wanted columns, so one reader call serves them all.

    Attributes:
        present: Which of the wanted properties have a column in them.
        mixed: True if the files hold further kinds, so `kind` must be tested.
    """

    parts: tuple[EventPart, ...]
    present: frozenset[str]
    mixed: bool

    @property
    def paths(self) -> list[str]:
        """Paths of the files."""
        return [part.path for part in self.parts]

    def may_exceed(self, hi: int) -> bool:
        """True unless the files' statistics prove that no event is later than `hi`."""
        return any(part.max_ts is None or to_us(part.max_ts) > hi for part in self.parts)


def part_groups(wish: Scan, data: EngineInput) -> list[PartGroup]:
    """The files that can hold wanted rows, by what they have in common."""
    wanted = {stored_column(name, of) for name, of in wish.properties}
    kinds = set(wish.kinds)
    groups: dict[tuple[frozenset[str], bool, str, bool], list[EventPart]] = {}
    for part in data.events:
        if not part.rows or kinds.isdisjoint(part.kinds):
            continue
        too_early = wish.lo is not None and part.max_ts is not None and to_us(part.max_ts) < wish.lo
        if too_early or (part.min_ts is not None and to_us(part.min_ts) > wish.hi):
            continue
        mixed = not kinds.issuperset(part.kinds)
        # A file of one kind need not have the column `kind`, so such files are read kind by kind where it is asked.
        kind = part.kinds[0] if wish.kind and "kind" not in part.columns else ""
        key = (frozenset(wanted & set(part.columns)), mixed, kind, part.held is None)
        groups.setdefault(key, []).append(part)
    return [PartGroup(tuple(parts), present, mixed) for (present, mixed, *_), parts in groups.items()]


def is_in_order(wish: Scan, data: EngineInput, groups: Sequence[PartGroup]) -> bool:
    """True if file order is event order for every subject."""
    parts = [part for group in groups for part in group.parts]
    return data.canonical is None and len(parts) == 1 and parts[0].is_sorted and not wish.is_held


def held_rows(wish: Scan, data: EngineInput) -> pl.DataFrame:
    """The frame of the input that a scan of its rows reads."""
    kind = wish.kinds[0]
    if kind.startswith(RELATED):
        # Whoever evaluates without data of a table, as tests of segments may, has no rows of it.
        return data.related.get(kind.removeprefix(RELATED), _no_rows(wish))
    return data.changes[kind.removeprefix(HISTORY)]


def _no_rows(wish: Scan) -> pl.DataFrame:
    import polars as pl

    base = {"subject": pl.Int32(), "ts": pl.Datetime("us", "UTC"), "source": pl.String(), "event_id": pl.String()}
    return pl.DataFrame(schema={**base, **{name: stored_dtype(of) for name, of in wish.properties}})


def empty_frame(wish: Scan) -> pl.DataFrame:
    """No rows, in the shape of the scan."""
    import polars as pl

    types: Mapping[str, ValueType] = {stored_column(name, of): of for name, of in wish.properties}
    base: dict[str, pl.DataType] = {
        "subject": pl.Int32(),
        "ts": pl.Int64(),
        "source": pl.String(),
        "event_id": pl.String(),
        "kind": pl.String(),
    }
    return pl.DataFrame(schema={name: base.get(name) or working_dtype(types[name]) for name in wish.columns})

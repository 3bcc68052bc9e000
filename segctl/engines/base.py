"""What an engine is given and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    import polars as pl

    from segctl.compile.plan import Plan


@dataclass(frozen=True, slots=True)
class EventPart:
    """One immutable Parquet file of events.

    Columns: ``subject`` Int32, ``ts`` Datetime(us, UTC), ``source`` String, ``event_id`` String, ``kind``
    String in tail files that hold several kinds, and one column per property named by
    `model.types.stored_column` (``value:n2``). A property nobody delivered has no column: it is null.

    Attributes:
        path: Absolute path.
        rows: Number of rows.
        kinds: Kinds inside; a file with one kind needs no filter on ``kind``.
        columns: Names of the columns present.
        is_sorted: By (subject, ts, source, event_id).
        unique_ts: No two rows share (subject, ts), so order needs no tie-break inside this file.
        min_ts: Earliest event, None when empty.
        max_ts: Latest event, None when empty.
        max_abs: Largest absolute value of each integer column, to prove that sums cannot wrap.
        held: The rows themselves, where there is no file; Polars reads such parts, other engines do not.
        hot: Path of a copy to be mapped into memory, see `hot_file`; it may be gone or torn, and only Polars looks.
    """

    path: str
    rows: int
    kinds: tuple[str, ...]
    columns: tuple[str, ...]
    is_sorted: bool = False
    unique_ts: bool = False
    min_ts: datetime | None = None
    max_ts: datetime | None = None
    max_abs: dict[str, int] = field(default_factory=dict)
    held: pl.DataFrame | None = field(default=None, repr=False, compare=False)
    hot: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class EngineInput:
    """Everything an evaluation reads.

    Attributes:
        profiles: One row per profile of the population at as_of, sorted by ``subject`` (Int32, the profile's
            dense id), unique. Further columns: ``profile_id`` (String); one per stored trait that the plan
            names, by trait name, in physical form; ``sample:SALT`` (Int64, first 63 bits of the hash);
            ``list:NAME:COLUMN:IDENTIFIER`` (Boolean).
        events: All parts of the snapshot.
        canonical: Subject → subject of the profile it belongs to (Int32, position = subject); None when
            every subject is its own profile.
        changes: For each trait whose history is asked: one row per change, columns ``subject``, ``ts``,
            ``source``, ``event_id``, ``old``, ``new``.
        related: For each related table that is asked: one row per row valid at as_of, columns ``subject`` (of the
            profile), ``ts`` (any one instant up to as_of), ``source``, ``event_id`` (the row's key) and its
            properties by name.
        later: Asked where next changes are: when something of a profile that is no event is another one if nothing
            happens, columns ``subject`` (Int32, of the profile) and ``due`` (Int64, microseconds after as_of).
    """

    profiles: pl.DataFrame
    events: tuple[EventPart, ...]
    canonical: pl.Series | None = None
    changes: dict[str, pl.DataFrame] = field(default_factory=dict)
    related: dict[str, pl.DataFrame] = field(default_factory=dict)
    later: Callable[[], pl.DataFrame] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an engine found.

    Attributes:
        answers: One row per profile (or per profile of `only`), sorted by ``subject``: ``subject`` Int32 and
            one column per output of the plan, named by the output. Predicates are Boolean with null for
            unknown; segments are Boolean without nulls; values have their physical form (a sum beyond 64 bits
            makes its column Int128). A failed segment has no column; outputs that refer to it are null. Where it was
            asked for also ``due`` Int64: microseconds since 1970, after as_of, before which time alone changes none
            of the row's own answers; 2**63 - 1 is never. Who else moves (`keep`, scores, colleagues) is not in it.
        failed: Segments that could not be decided (``missing: error``), with the reason.
    """

    answers: pl.DataFrame
    failed: dict[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """An engine evaluates one plan over one input."""

    name: str

    def evaluate(
        self,
        plan: Plan,
        data: EngineInput,
        *,
        as_of: datetime,
        zone: str,
        only: Sequence[int] | None = None,
        due: bool = False,
    ) -> Evaluation:
        """Answers of every output of the plan; `only` restricts the rows given back, never the population of `keep`."""
        ...

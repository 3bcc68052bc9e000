"""A plan for few profiles at a time: most of it built once, the rest evaluated the ordinary way beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from segctl.compile import ir
from segctl.compile.plan import Output, Plan, plan, references, walk
from segctl.compile.zones import to_us
from segctl.engines.scope import segment_column
from segctl.model.types import Kind
from segctl.operations.evaluation import without_expired
from segctl.operations.expiry import expired

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.engines.array_plan import ArrayPlan
    from segctl.engines.arrays import Truth
    from segctl.engines.base import EngineInput
    from segctl.engines.prepared_rows import FewRows
    from segctl.operations.live.events import LiveEvents
    from segctl.operations.live.profiles import Rows
    from segctl.operations.session import Session

_AHEAD_US = 400 * 86_400_000_000
_LONG_AGO = timedelta(days=36_525)
_MORE_ROWS = 2**28
"""Events that may come before sums are proven to fit anew."""


class LivePlan:
    """Segments and further outputs, none of which needs everybody."""

    def __init__(self, session: Session, segments: Sequence[ir.LoweredSegment], outputs: Sequence[Output]) -> None:
        self._session = session
        self._segments = segments
        self._outputs = outputs
        self._times = _time_traits(segments, outputs)
        known = session.definitions.segments
        self._ending = [one.name for one in segments if one.name in known and known[one.name].expires is not None]
        self._columns: list[pl.Expr] = []
        self._names: dict[str, str] = {}
        self._whole: list[pl.Expr] = []
        self._fast: ArrayPlan | None = None
        self._slow: Plan | None = None
        self._slow_names: frozenset[str] = frozenset()
        self._ended: frozenset[str] = frozenset()
        self._reach = (0, 0)
        self._safe: dict[tuple[tuple[str, ...], str], bool] = {}

    def answers(
        self,
        who: Rows,
        data: EngineInput,
        events: LiveEvents,
        few: FewRows,
        own: NDArray[np.int32],
        as_of: datetime,
        asked: Collection[str] | None = None,
    ) -> pl.DataFrame:
        """``subject``, segments by name, outputs, and ``due`` of what windows and events tell.

        Args:
            who: Profiles that are there.
            data: What else the ordinary way reads; its profiles are not looked at.
            events: What is known of all events.
            few: Where those of a few profiles are found.
            own: The profiles' subjects as they stand in event files, ascending.
            as_of: Valid time.
            asked: Only these segments need be answered, and only their ``due``, and no outputs; None for all.
        """
        import polars as pl

        from segctl.engines.prepared import TooLarge

        fast = self._prepared(who, data, events, as_of)
        # Who has no answer is known of all together.
        asked = None if self._whole else asked
        try:
            found = self._answers(fast, who, few, own, as_of, asked)
        except TooLarge:
            return self._ordinarily(self._asking(as_of), who, data, events, as_of)
        found.columns = [self._names.get(name, name) for name in found.columns]
        found = found.select(self._whole) if self._whole else found
        if self._slow is None or (asked is not None and self._slow_names.isdisjoint(asked)):
            return found
        other = self._ordinarily(self._slow, who, data, events, as_of)
        due = found.select(pl.min_horizontal("due", other.get_column("due").alias("other"))).to_series()
        names = [name for name in other.columns if name not in found.columns]
        return found.drop("due").hstack([*(other.get_column(name) for name in names), due.alias("due")])

    def trial(
        self,
        who: Rows,
        data: EngineInput,
        events: LiveEvents,
        few: FewRows,
        own: NDArray[np.int32],
        as_of: datetime,
        asked: Collection[str],
    ) -> pl.DataFrame | None:
        """``subject`` and segments that a plan has room for; None where sums have none. As `answers`."""
        from segctl.engines.prepared import TooLarge

        fast = self._prepared(who, data, events, as_of)
        try:
            found = self._answers(fast, who, few, own, as_of, asked, ends=False)
        except TooLarge:
            return None
        found.columns = [self._names.get(name, name) for name in found.columns]
        return found

    def _answers(
        self,
        fast: ArrayPlan,
        who: Rows,
        few: FewRows,
        own: NDArray[np.int32],
        as_of: datetime,
        asked: Collection[str] | None,
        *,
        ends: bool = True,
    ) -> pl.DataFrame:
        def profiles() -> pl.DataFrame:
            return who.frame().select(*self._columns)

        def still() -> Mapping[int, Truth]:
            return who.noted(fast, lambda frame: fast.still(frame.select(*self._columns), as_of))

        return fast.answers(who.subjects, profiles, still, few, own, as_of, asked, ends=ends)

    def goes_on(self, as_of: datetime) -> bool:
        """True if the same segments have ended as when somebody was asked the last time."""
        return self._fast is not None and self._ended_at(as_of) == self._ended

    def _ended_at(self, as_of: datetime) -> frozenset[str]:
        if not self._ending:
            return frozenset()
        known, zone = self._session.definitions.segments, self._session.project.timezone
        return frozenset(expired(known, self._ending, as_of, zone))

    def _asking(self, as_of: datetime) -> Plan:
        return plan(without_expired(self._session, self._segments, as_of), self._outputs)

    def _prepared(self, who: Rows, data: EngineInput, events: LiveEvents, as_of: datetime) -> ArrayPlan:
        ended = self._ended_at(as_of)
        if self._fast is None or ended != self._ended or not self._holds(self._fast, who, data, events, as_of):
            self._ended = ended
            self._fast = self._build(self._asking(as_of), who, data, events, as_of)
        return self._fast

    def _holds(self, fast: ArrayPlan, who: Rows, data: EngineInput, events: LiveEvents, as_of: datetime) -> bool:
        inside = not fast.has_reach or all(
            self._reach[0] <= us <= self._reach[1] for us in (*events.span, *self._instants(who, data))
        )
        safe = all(_is_safe(events, *asked) == was for asked, was in self._safe.items())
        return inside and safe and fast.holds(as_of)

    def _build(self, asking: Plan, who: Rows, data: EngineInput, events: LiveEvents, as_of: datetime) -> ArrayPlan:
        from segctl.engines.array_plan import ArrayPlan
        from segctl.engines.evaluation import working_columns
        from segctl.engines.next_change import DUE
        from segctl.engines.prepared import preparable

        segments, outputs = preparable(asking)
        quick = plan(
            [one for one in asking.segments if one.name in segments],
            [one for one in asking.outputs if one.name in outputs],
        )
        self._slow = _rest(asking, segments, outputs)
        self._slow_names = frozenset() if self._slow is None else frozenset(one.name for one in self._slow.segments)
        instants = [to_us(as_of), *events.span, *self._instants(who, data)]
        self._reach = (min(instants) - _AHEAD_US, max(instants) + _AHEAD_US)
        self._safe = {}

        def sum_is_safe(kinds: tuple[str, ...], column: str) -> bool:
            self._safe[kinds, column] = _is_safe(events, kinds, column)
            return self._safe[kinds, column]

        self._columns = working_columns(quick, data.profiles.columns)
        schema = data.profiles.clear().select(*self._columns).schema
        zone = self._session.project.timezone
        fast = ArrayPlan(quick, schema, as_of=as_of, zone=zone, reach=self._reach, sum_is_safe=sum_is_safe)
        self._names = {DUE: "due"} | {segment_column(one.name): one.name for one in quick.segments}
        self._whole = _where_nothing_is_missing(fast)
        return fast

    def _instants(self, who: Rows, data: EngineInput) -> list[int]:
        """The earliest and latest instants of what is no event."""
        rows = who.frame() if self._times else data.profiles.clear()
        columns = [rows.get_column(name).to_physical() for name in self._times if name in rows.columns]
        columns += [frame.get_column("ts").to_physical() for frame in data.changes.values()]
        found = [us for column in columns for us in (column.min(), column.max())]
        return [int(us) for us in found if isinstance(us, int)]

    def _ordinarily(
        self, asking: Plan, who: Rows, data: EngineInput, events: LiveEvents, as_of: datetime
    ) -> pl.DataFrame:
        """The answers as everybody gets them; a segment that failed is null."""
        import polars as pl

        from segctl.operations.evaluation import load_engine

        subjects = who.subjects.tolist()
        whole = replace(data, profiles=who.frame(), events=(*events.parts, *events.tail_parts()))
        zone = self._session.project.timezone
        found = load_engine("polars").evaluate(asking, whole, as_of=as_of, zone=zone, only=subjects, due=True)
        nothing = [pl.lit(None, pl.Boolean).alias(name) for name in found.failed]
        names = {segment_column(one.name): one.name for one in asking.segments if one.name not in found.failed}
        return found.answers.rename(names).with_columns(*nothing)


def _rest(asking: Plan, segments: frozenset[str], outputs: frozenset[str]) -> Plan | None:
    """What a prepared plan has no room for, with all it refers to."""
    left = [one for one in asking.outputs if one.name not in outputs]
    needed = {one.name for one in asking.segments if one.name not in segments}
    needed |= {node.segment for one in left for node in walk(one.ask) if isinstance(node, ir.IsMember)}
    if not needed and not left:
        return None
    for one in reversed(asking.segments):
        if one.name in needed:
            needed.update(references(one))
    return plan([one for one in asking.segments if one.name in needed], left)


def _where_nothing_is_missing(fast: ArrayPlan) -> list[pl.Expr]:
    """The answers, null where a value that must not be missing is; nothing where all may be."""
    import polars as pl

    staged, failed = fast.staged, dict[str, pl.Expr]()
    for one in fast.plan.segments:
        tests = [pl.col(staged.strict[test]) for test in staged.strict_of[one.name]]
        tests += [failed[name] for name in references(one) if name in failed]
        if tests:
            failed[one.name] = pl.any_horizontal(tests)
    if not failed:
        return []
    names = [one.name for one in fast.plan.segments]
    members = [
        pl.when(~failed[name]).then(pl.col(name)).alias(name) if name in failed else pl.col(name) for name in names
    ]
    return [pl.col("subject"), *members, *(pl.col(one.name) for one in fast.plan.outputs), pl.col("due")]


def _is_safe(events: LiveEvents, kinds: tuple[str, ...], column: str) -> bool:
    """True if the sum of a property over these kinds is proven to fit 64 bits, some time into the future."""
    parts = [part for part in events.parts if not set(kinds).isdisjoint(part.kinds) and column in part.columns]
    if any(column not in part.max_abs for part in parts):
        return False
    most = max([events.max_abs.get(column, 0), *(part.max_abs[column] for part in parts)])
    return (sum(part.rows for part in parts) + _MORE_ROWS) * most < 2**63


def _time_traits(segments: Sequence[ir.LoweredSegment], outputs: Sequence[Output]) -> list[str]:
    asked = [one.where for one in segments] + [one.ask for one in outputs]
    nodes = (node for root in asked for node in walk(root))
    return sorted({node.name for node in nodes if isinstance(node, ir.StoredTrait) and node.type.kind is Kind.TIME})

"""Answers of few profiles, asked again and again while events arrive: what a running stream evaluates with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.compile import ir
from segctl.compile.plan import Output, Plan, plan, references, roots, walk
from segctl.engines.scope import segment_column
from segctl.operations.evaluation import (
    StoredRows,
    event_part,
    lowered_segments,
    without_expired,
)

if TYPE_CHECKING:
    import polars as pl

    from segctl.engines.base import EventPart
    from segctl.operations.session import Session

NEVER = 2**63 - 1
"""`due` of a profile that time alone does not change."""


class LiveEvaluator:
    """Evaluates a set of segments for a few profiles at a time, over a snapshot and the events that came since.

    Attributes:
        late: Segments that need everybody (`keep`, colleagues, scores), and those that refer to such; they have no
            column in the answers. In order of reference.
    """

    def __init__(self, session: Session, names: Sequence[str], snapshot: int, *, leaves: bool = False) -> None:
        """Prepares the evaluation.

        Args:
            session: Open project and workspace; it stays open as long as the evaluator is used.
            names: Segments asked for; what they refer to is evaluated as well.
            snapshot: Which files are seen.
            leaves: Also answer every leaf of the asked segments, in columns ``leaf:SEGMENT:NUMBER``.

        Raises:
            DataError: A list file cannot be read.
        """
        self._session = session
        self._snapshot = snapshot
        lowered = plan(lowered_segments(session, names)).segments
        self.late = late_segments(lowered)
        self._segments = [one for one in lowered if one.name not in self.late]
        asked = set(names)
        self._outputs = [
            Output(f"leaf:{one.name}:{number}", leaf.predicate)
            for one in self._segments
            if leaves and one.name in asked
            for number, leaf in enumerate(one.leaves)
        ]
        self._tails: dict[str, list[pl.DataFrame]] = {}

    def add_events(self, kind: str, rows: pl.DataFrame) -> None:
        """Takes events of one kind in that no file of the snapshot holds.

        Args:
            kind: Event kind.
            rows: Columns as in a stored event file: ``subject`` Int32, ``ts`` Datetime(us, UTC), ``source``,
                ``event_id``, and the properties named by `model.types.stored_column`, in stored form. Nothing is
                deduplicated.
        """
        if rows.height:
            self._tails.setdefault(kind, []).append(rows)

    def refresh(self, snapshot: int, touched: Sequence[int], *, events_written: bool = False) -> None:  # noqa: ARG002 - a snapshot is read anew here
        """Sees another snapshot.

        Args:
            snapshot: Which files are seen from now on.
            touched: Subjects whose records, identity or consent changed; new ones count.
            events_written: Its event files hold all events that were added so far, so these are forgotten.
        """
        self._snapshot = snapshot
        if events_written:
            self._tails.clear()

    def answers(self, subjects: Sequence[int], as_of: datetime) -> pl.DataFrame:
        """One row per asked profile that is part of the population at as_of, sorted by ``subject``.

        Args:
            subjects: Of profiles.
            as_of: Valid time; events after it do not exist yet.

        Returns:
            ``subject`` Int32, a Boolean without nulls per segment by name (that is not late), leaves where they were
            asked for, and ``due`` Int64: microseconds since 1970 before which time alone changes no answer.
        """
        from segctl.operations.evaluation import load_engine, load_input

        asking = self._plan(as_of)
        files = [event_part(file) for file in self._session.workspace.files("events", self._snapshot)]
        given = StoredRows(events=(*files, *self._tail_parts()))
        data = load_input(self._session, asking, as_of=as_of, snapshot=self._snapshot, stored=given)
        zone = self._session.project.timezone
        found = load_engine("polars").evaluate(asking, data, as_of=as_of, zone=zone, only=subjects, due=True).answers
        names = {segment_column(one.name): one.name for one in self._segments}
        return found.rename(names, strict=False)

    def _plan(self, as_of: datetime) -> Plan:
        return plan(without_expired(self._session, self._segments, as_of), self._outputs)

    def _tail_parts(self) -> list[EventPart]:
        from segctl.engines.base import EventPart

        return [
            EventPart("", rows.height, (kind,), tuple(rows.columns), held=rows)
            for kind, frames in self._tails.items()
            for rows in frames
        ]


def late_segments(lowered: Iterable[ir.LoweredSegment]) -> tuple[str, ...]:
    """Names of the segments that need everybody, and of those that refer to such; segments come by reference."""
    late: dict[str, None] = {}
    for one in lowered:
        asks_all = one.keep is not None or any(
            isinstance(node, ir.Colleagues | ir.Score) for root in roots(one) for node in walk(root)
        )
        if asks_all or any(name in late for name in references(one)):
            late[one.name] = None
    return tuple(late)

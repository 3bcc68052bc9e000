"""The fixed order in which what happened is taken to be known, until the answer is the new one.

First at the earlier instant: what moves a profile without the clock is its cause, and of several such things the
first in the order. If nothing does, the clock alone: with all that was known at the later instant. If that is not
enough either, the first thing that moves the profile at the later instant, since the clock only had to come to it.

Who is ranked stands beside others. Where others age by the clock alone, as with days since an order, they stand as
they did at the earlier instant first, then as the clock alone made them, then as they are now; elsewhere as now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.operations.causes.replay import Asked, State, ask, flags
from segctl.operations.causes.rows import Part, existing, held_events

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.operations.causes.beside import Beside
    from segctl.operations.causes.ranks import Ranks
    from segctl.operations.causes.replay import Rules
    from segctl.operations.causes.rows import Parts


@dataclass(frozen=True, slots=True)
class Side:
    """What one of the two evaluations knew.

    Attributes:
        owners: Subject → subject of its profile.
        subjects: Whose identifiers count.
        identifiers: Rows of the table of subjects of everybody who is asked about.
        members: Segment → subjects that belonged to it.
        outside: Subjects that nothing is evaluated for, by the ledger of consent.
        beside: Everybody's values beside it, for scores and numbers of colleagues.
    """

    rules: Rules
    owners: pl.Series | None
    as_of: datetime
    snapshot: int
    subjects: pl.Series
    identifiers: pl.DataFrame
    members: Mapping[str, pl.Series]
    outside: pl.Series
    beside: Beside = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Others:
    """How everybody else stands.

    Attributes:
        beside: Values, for scores and numbers of colleagues.
        ranks: Segments that keep the best.
    """

    beside: Beside
    ranks: Mapping[str, Ranks]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that becomes known.

    Attributes:
        kind: Word of the cause.
        known: The state after it, from the state before.
        concerns: Which pairs it can move, as a column of the pairs.
    """

    kind: str
    known: Callable[[State], State]
    concerns: str


@dataclass(frozen=True, slots=True)
class Hit:
    """Pairs that one step moved.

    Attributes:
        pairs: Rows of the pairs.
        before: The state before the step, with what was asked of it; None where nothing was.
        after: The state after it, likewise.
        is_early: At the earlier instant.
    """

    kind: str
    pairs: pl.DataFrame
    before: State
    after: State
    is_early: bool
    asked: Asked | None = field(default=None, compare=False)


class Chain:
    """Replays pairs of profile and segment.

    Args:
        then: What the earlier evaluation knew.
        now: What the later one knew.
        parts: The rows of the profiles.
        others: Everybody else: at the earlier instant, as the clock alone made them, and now.
    """

    def __init__(self, then: Side, now: Side, parts: Parts, others: tuple[Others, Others, Others]) -> None:
        self.then, self.now, self.parts, self.others = then, now, parts, others
        self._there = Part()
        self.old = Part() + parts.kept + parts.dropped_events + parts.dropped_records

    def run(self, pairs: pl.DataFrame, present: pl.Series) -> tuple[list[Hit], pl.DataFrame]:
        """What moved each pair, and the pairs that nothing explains.

        Args:
            pairs: ``segment``, ``subject``, ``entered``, and a Boolean column for what can have moved each.
            present: Subjects of the profiles that are there now.
        """
        self._there = Part(held_events(existing(present, self.then.as_of)))
        base = State(
            self.now.rules, self.then.owners, self.old, self.then.as_of, self.then.snapshot, self.now.snapshot,
            self.then.subjects, self.now.identifiers, self.then.members, self.then.snapshot, self.then.outside,
            self.others[0].beside, self.others[0].ranks,
        )  # fmt: skip
        hits, left = self._walk(base, pairs, self._steps(is_early=True), is_early=True)
        if not left.height or self.now.as_of == self.then.as_of:
            return hits, left
        aged = self.others[1]
        base = replace(base, rules=self.then.rules, as_of=self.now.as_of, beside=aged.beside, ranks=aged.ranks)
        clock = Step("time_passed", lambda state: state, "any")
        rules = Step("definition_changed", lambda state: replace(state, rules=self.now.rules), "definition")
        more, left = self._walk(base, left, [clock, rules, *self._steps(is_early=False)], is_early=False)
        return hits + more, left

    def _walk(
        self, state: State, pairs: pl.DataFrame, steps: list[Step], *, is_early: bool
    ) -> tuple[list[Hit], pl.DataFrame]:
        import polars as pl

        hits = []
        for step in steps:
            before, state = state, step.known(state)
            concerned = pairs if step.concerns == "any" else pairs.filter(step.concerns)
            if not concerned.height:
                continue
            asked = ask(state, concerned["segment"].unique().sort().to_list())
            moved = flags(asked, concerned, state.ranks) == concerned["entered"]
            if moved.any():
                found = concerned.filter(moved)
                hits.append(Hit(step.kind, found, before, state, is_early, asked))
                pairs = pairs.join(found, on=["segment", "subject"], how="anti", maintain_order="left")
                if not pairs.height:
                    break
        return hits, pairs.select(pl.all())

    def _steps(self, *, is_early: bool) -> list[Step]:
        parts, now = self.parts, self.now
        gone = parts.gone_early if is_early else parts.gone
        values = parts.values_early if is_early else parts.values
        fresh = parts.fresh_early if is_early else parts.fresh
        others = self.others[0] if is_early else self.others[2]
        return [
            Step("others_moved", lambda s: replace(s, beside=others.beside, ranks=others.ranks), "ranked"),
            Step("identity", lambda s: replace(s, owners=now.owners), "identity"),
            Step("consent", lambda s: replace(s, ledger=now.snapshot, outside=now.outside), "consent"),
            Step("profile_new", lambda s: replace(s, rows=s.rows + self._there, subjects=now.subjects), "appeared"),
            Step("row_gone", lambda s: replace(s, rows=s.rows + gone), "row_gone"),
            Step("event_removed", lambda s: replace(s, rows=_mended(s.rows, parts)), "mended"),
            Step("late_event", lambda s: replace(s, rows=s.rows + parts.late), "late"),
            Step("trait_changed", lambda s: replace(s, rows=_valued(s.rows, parts, values), tables=now.snapshot),
                 "values"),
            Step("event_arrived", lambda s: replace(s, rows=s.rows + fresh), "fresh"),
            Step("segment_changed", lambda s: replace(s, members=now.members), "referred"),
        ]  # fmt: skip


def _mended(rows: Part, parts: Parts) -> Part:
    """Without the events that went, with those that came in their place."""
    gone = {id(part) for part in parts.dropped_events.events}
    return Part((*(e for e in rows.events if id(e) not in gone), *parts.mended.events), rows.records)


def _valued(rows: Part, parts: Parts, values: Part) -> Part:
    """Without the record versions that went, with those that came."""
    gone = {id(part) for part in parts.dropped_records.records}
    return Part(rows.events, (*(r for r in rows.records if id(r) not in gone), *values.records))

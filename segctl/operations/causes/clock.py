"""Which window passed over a profile, and at which instant.

The condition is the one whose answer is another one at the two instants. When it changed is found by `instants`, and
where its windows have no exact lengths by the row evaluator of `explain`, for as many profiles as there is time for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from segctl.compile import ir
from segctl.compile.consents import is_consent
from segctl.compile.plan import Output, plan, walk
from segctl.compile.trace_rows import EventRow, ProfileRow
from segctl.compile.trace_times import next_change
from segctl.engines.scope import list_column
from segctl.operations.causes.consents import consent_instants
from segctl.operations.causes.details import lines
from segctl.operations.causes.instants import CLOCKED, instants
from segctl.operations.causes.replay import State
from segctl.operations.causes.rows import PLAIN, Part, cause_schema, held_events, held_records
from segctl.operations.causes.words import cause

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.causes.chain import Side
    from segctl.operations.causes.rows import Rows

MOST_ASKED = 5_000
"""For so many profiles the condition is looked for where several could be it."""
MOST_TIMED = 5_000
"""For so many of them the instant is looked for too; several rounds of trials cost more than one question."""
MOST_TRACED = 200
"""Pairs with so many events together are traced row by row, where windows have no exact lengths."""
_MOST_FLIPS = 20


def clocked(
    pairs: pl.DataFrame,
    rows: Rows,
    then: Side,
    now: Side,
    raw: Callable[[pl.Series], pl.Series],
    details: pl.DataFrame,
) -> pl.DataFrame:
    """``segment``, ``subject``, ``cause``, ``effective`` of pairs that the clock moved.

    Args:
        pairs: ``segment``, ``subject``, ``entered``.
        rows: Of the first profiles.
        then: What the earlier evaluation knew.
        now: What the later one knew.
        raw: Identifiers of profiles.
        details: `Answers.details` of the later evaluation.
    """
    import polars as pl

    lowered = {str(name): now.rules.lowered(str(name)) for name in pairs["segment"].unique().sort()}
    clocks = {name: tuple(clock_leaves(one)) for name, one in lowered.items() if one is not None}
    segments = {name: one for name, one in lowered.items() if one is not None and clocks[name]}
    few = pairs["subject"].unique().sort().head(MOST_ASKED)
    asked = pairs.filter(pl.col("subject").is_in(few.implode()) & pl.col("segment").is_in(list(segments)))
    # Where the best are kept, a condition that the clock can change need not be what did.
    single = {name: of for name, of in clocks.items() if len(of) == 1 and segments[name].keep is None}
    leaves: dict[tuple[str, int], tuple[ir.Leaf, ...]] = {
        (name, subject): single[name] for name, subject, _ in _rows(asked) if name in single
    }
    at: dict[tuple[str, int], datetime] = {}
    if asked.height:
        subjects = raw(few)
        events, records = rows.of(subjects)
        part = Part(held_events(events), held_records(records))
        finals = _finals(segments, details.filter(pl.col("subject").is_in(few.implode())))
        states = [
            State(
                now.rules, now.owners, part, side.as_of, side.snapshot, now.snapshot, subjects, now.identifiers,
                side.members, now.snapshot, now.outside, side.beside,
            )
            for side in (then, now)
        ]  # fmt: skip
        unknown = {name: one for name, one in segments.items() if name not in single}
        leaves |= flipped(asked, unknown, states[0], finals) if unknown else {}
        if now.owners is not None:
            events = events.with_columns(now.owners.gather(events["subject"]).alias("subject"))
        first = set(few.head(MOST_TIMED))
        certain = {pair: of[0] for pair, of in leaves.items() if len(of) == 1 and pair[1] in first}
        at = instants(certain, events, then.as_of, states[1], finals)
        at |= consent_instants(
            {pair: leaf for pair, leaf in certain.items() if pair not in at}, states[0], states[1], finals
        )
        at |= _traced(asked, segments, at, events, states)
    made = [
        (name, subject, _line(leaves.get((name, subject), ())), at.get((name, subject), now.as_of))
        for name, subject, _ in _rows(asked)
    ]
    alone = {name: _line(single.get(name, ())) for name in lowered}
    others = pairs.join(asked.select("segment", "subject"), on=["segment", "subject"], how="anti")
    said = pl.col("segment").replace_strict(alone, return_dtype=pl.String)
    return pl.concat([pl.DataFrame(made, schema=cause_schema(), orient="row"), lines(others, said, now.as_of)])


def _line(leaves: Sequence[ir.Leaf]) -> str:
    """The cause, where the clock changed some conditions."""
    return cause("time_passed", "; ".join(leaf.text for leaf in leaves)) if leaves else cause("time_passed")


def _rows(pairs: pl.DataFrame) -> Iterator[tuple[str, int, bool]]:
    return pairs.select("segment", "subject", "entered").iter_rows()


def _traced(
    pairs: pl.DataFrame,
    segments: Mapping[str, ir.LoweredSegment],
    known: Mapping[tuple[str, int], datetime],
    events: pl.DataFrame,
    states: Sequence[State],
) -> dict[tuple[str, int], datetime]:
    """The instants that the row evaluator finds, for the first pairs that have none yet."""
    import polars as pl

    left = [row for row in _rows(pairs) if row[:2] not in known and _is_traceable(segments[row[0]])]
    sizes = dict(events.group_by("subject").len().iter_rows())
    total = accumulate(sizes.get(subject, 0) + 1 for _, subject, _ in left)
    left = [row for row, rows in zip(left, total, strict=True) if rows <= MOST_TRACED]
    if not left:
        return {}
    then, now = states
    outputs = [Output(f"where:{name}", segments[name].where) for name in sorted({name for name, _, _ in left})]
    profiles = then.read(plan((), outputs)).profiles
    subjects = sorted({subject for _, subject, _ in left})
    rows = _event_rows(events.filter(pl.col("subject").is_in(subjects)))
    people = {row["subject"]: row for row in profiles.filter(pl.col("subject").is_in(subjects)).iter_rows(named=True)}
    found = {}
    for name, subject, entered in left:
        if subject in people:
            at = _flip(segments[name], people[subject], rows.get(subject, []), entered, then, now)
            if at is not None:
                found[name, subject] = at
    return found


def _is_traceable(segment: ir.LoweredSegment) -> bool:
    nodes = list(walk(segment.where))
    kinds = [kind for node in nodes if isinstance(node, ir.Metric | ir.Step) for kind in node.kinds]
    return not any(isinstance(n, ir.IsMember | ir.Colleagues | ir.Score) or is_consent(n) for n in nodes) and not any(
        ":" in kind for kind in kinds
    )


def _flip(
    segment: ir.LoweredSegment,
    person: Mapping[str, Any],
    events: Sequence[EventRow],
    entered: bool,
    then: State,
    now: State,
) -> datetime | None:
    """The last instant at which the answer became the new one."""
    lists = [node for node in walk(segment.where) if isinstance(node, ir.InList)]
    traits = {name: value for name, value in person.items() if value is not None and ":" not in name}
    row = ProfileRow(person["profile_id"], traits, {node: bool(person[list_column(node)]) for node in lists})
    zone, since, found = now.rules.session.project.timezone, then.as_of, None
    for _ in range(_MOST_FLIPS):
        change = next_change(segment, row, events, as_of=since, zone=zone, members={}, until=now.as_of)
        if change is None or not change.is_exact:
            return found if change is None else None
        since = change.at
        found = change.at if (change.answer is True) == entered else found
    return None


def _event_rows(events: pl.DataFrame) -> dict[int, list[EventRow]]:
    found: dict[int, list[EventRow]] = {}
    for row in events.iter_rows(named=True):
        values = {name: value for name, value in row.items() if name not in PLAIN and value is not None}
        event = EventRow(row["kind"], row["ts"], row["source"], row["event_id"], values)
        found.setdefault(row["subject"], []).append(event)
    return found


def _finals(segments: Mapping[str, ir.LoweredSegment], details: pl.DataFrame) -> dict[int, pl.DataFrame]:
    """The answers of the conditions that the clock can change, by their `id`: ``subject``, ``final``."""
    return {
        id(leaf): details.select("subject", final=column)
        for name, segment in segments.items()
        for at, leaf in enumerate(segment.leaves)
        if (column := f"leaf:{name}:{at}") in details.columns
    }


def moves_with_time(node: object) -> bool:
    """The node's answer can change while nothing happens."""
    if isinstance(node, ir.Metric | ir.Step):
        return node.window is not None or (isinstance(node, ir.Step) and node.negative)
    # A consent runs out without a word.
    return is_consent(node) or isinstance(node, CLOCKED)


def clock_leaves(segment: ir.LoweredSegment) -> list[ir.Leaf]:
    """The conditions of a segment that the clock can change."""
    return [leaf for leaf in segment.leaves if any(moves_with_time(node) for node in walk(leaf.predicate))]


def flipped(
    pairs: pl.DataFrame,
    segments: Mapping[str, ir.LoweredSegment],
    then: State,
    finals: Mapping[int, pl.DataFrame],
) -> dict[tuple[str, int], tuple[ir.Leaf, ...]]:
    """(segment, subject) → the conditions that the clock changed; pairs where none is found are left out."""
    import polars as pl

    outputs = [
        Output(f"leaf:{name}:{at}", leaf.predicate)
        for name, segment in segments.items()
        for at, leaf in enumerate(clock_leaves(segment))
    ]
    asking = plan((), outputs)
    before = then.ask_again(asking, then.read(asking)).frame
    found: dict[tuple[str, int], tuple[ir.Leaf, ...]] = {}
    for name, segment in segments.items():
        mine = pairs.filter(pl.col("segment") == name).select("subject")
        for at, leaf in enumerate(clock_leaves(segment)):
            column = f"leaf:{name}:{at}"
            both = mine.join(before.select("subject", then=column), on="subject")
            if id(leaf) not in finals:
                continue
            both = both.join(finals[id(leaf)], on="subject")
            for subject in both.filter(pl.col("then").ne_missing(pl.col("final")))["subject"]:
                found[name, subject] = (*found.get((name, subject), ()), leaf)
    return found

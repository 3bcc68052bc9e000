"""One step of a replay: some segments asked for some profiles, with the rules, people and rows of that step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING

from segctl.compile import ir
from segctl.compile.lower import lower_segment
from segctl.compile.plan import HISTORY, Output, Plan, plan, references, roots, walk
from segctl.compile.selection import with_references
from segctl.model.dataclass import dataclass
from segctl.operations.causes.beside import rewritten, settled, social_nodes, values_today
from segctl.operations.causes.reach import kinds_of
from segctl.operations.evaluation import MEMBERS, StoredRows, load_engine, load_input, rank_outputs

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.engines.base import EngineInput
    from segctl.operations.causes.beside import Beside
    from segctl.operations.causes.chain import Side
    from segctl.operations.causes.ranks import Ranks
    from segctl.operations.causes.rows import Part
    from segctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class Rules:
    """Definitions and lists of one state, with the segments asked for under their names of today.

    Attributes:
        session: Whose definitions.
        names: Name today → name there, of every segment that existed.
        given: Names today of segments whose members are given.
    """

    session: Session
    names: Mapping[str, str]
    given: frozenset[str]
    _lowered: dict[str, ir.LoweredSegment] = field(default_factory=dict, repr=False, compare=False)

    def lowered(self, name: str) -> ir.LoweredSegment | None:
        """A segment by its name of today; memberships that are given are looked up."""
        if name not in self._lowered:
            there = self.names.get(name, name)
            definitions = self.session.definitions
            if there not in definitions.segments:
                return None
            found = lower_segment(definitions.segments[there], definitions, lists=self.session.lists)
            self._lowered[name] = _given(found, {self.names.get(other, other): other for other in self.given})
        return self._lowered[name]


@dataclass(frozen=True, slots=True)
class State:
    """What is known at one step.

    Attributes:
        owners: Subject → subject of its profile.
        rows: Events and record versions.
        as_of: The instant asked about.
        tables: Snapshot of related tables.
        snapshot: Whose identifiers are known.
        subjects: Whose identifiers count.
        identifiers: Rows of the table of subjects, at least of `subjects`.
        members: Segment → subjects that belong to it, of those whose members are given.
        ledger: Snapshot whose consents are known.
        outside: Subjects that nothing is evaluated for.
        beside: Everybody's values, for scores and numbers of colleagues.
        ranks: Segments that keep the best, as everybody else stands.
    """

    rules: Rules
    owners: pl.Series | None
    rows: Part
    as_of: datetime
    tables: int
    snapshot: int
    subjects: pl.Series
    identifiers: pl.DataFrame
    members: Mapping[str, pl.Series]
    ledger: int
    outside: pl.Series
    beside: Beside = field(default_factory=dict, repr=False, compare=False)
    ranks: Mapping[str, Ranks] = field(default_factory=dict, repr=False, compare=False)

    def read(self, asking: Plan) -> EngineInput:
        """What a plan reads of the rows."""
        rows = self.rows
        stored = StoredRows(
            rows.records, rows.events, self.subjects, self.identifiers, self.members, self.tables, self.ledger,
            self.outside,
        )  # fmt: skip
        session = self.rules.session
        return load_input(session, asking, as_of=self.as_of, snapshot=self.snapshot, owners=self.owners, stored=stored)

    def ask_again(self, asking: Plan, data: EngineInput) -> Asked:
        """The same questions about other rows."""
        return Asked(self._answers(*settled(asking, data, self.beside, self._answers)), data, asking)

    def _answers(self, asking: Plan, data: EngineInput) -> pl.DataFrame:
        zone = self.rules.session.project.timezone
        return load_engine("polars").evaluate(asking, data, as_of=self.as_of, zone=zone).answers


@dataclass(frozen=True, slots=True)
class Asked:
    """The answers of one step.

    Attributes:
        frame: ``subject``, and ``where:SEGMENT``, ``by:SEGMENT``, ``per:SEGMENT``, one row per profile.
        data: What was read.
        asking: What was asked.
    """

    frame: pl.DataFrame
    data: EngineInput
    asking: Plan


def ask(state: State, names: Sequence[str]) -> Asked:
    """What decides the segments, of all profiles of a state."""
    asking = asked_plan(state.rules, names)
    return state.ask_again(asking, state.read(asking))


def asked_plan(rules: Rules, names: Sequence[str]) -> Plan:
    """The segments' conditions and ranks as outputs; segments they refer to only where their members are not given."""
    outputs: list[Output] = []
    used: dict[str, ir.LoweredSegment] = {}
    for name in names:
        lowered = rules.lowered(name)
        if lowered is None:
            continue
        outputs += rank_outputs(replace(lowered, name=name)) or [Output(f"where:{name}", lowered.where)]
        used |= _used(rules, lowered)
    return plan(used.values(), outputs)


def flags(asked: Asked, pairs: pl.DataFrame, ranks: Mapping[str, Ranks]) -> pl.Series:
    """Whether each profile belongs to the segment of its row, in the order of the rows."""
    import numpy as np
    import polars as pl

    frame, flag = asked.frame, np.zeros(pairs.height, np.bool_)
    truth = frame.select(pl.col(column).fill_null(value=False) for column in frame.columns if column[:6] == "where:")
    known, own = frame["subject"].to_numpy(), pairs["subject"].to_numpy()
    rows = np.minimum(np.searchsorted(known, own), max(0, frame.height - 1))
    for name, places in pairs.with_row_index("place").group_by("segment").agg("place").iter_rows():
        if f"where:{name}" not in truth.columns or not frame.height:
            continue
        at = np.asarray(places, np.int64)
        there = known[rows[at]] == own[at]
        flag[at] = truth[f"where:{name}"].to_numpy()[rows[at]] & there
        ranked = [c for c in (f"by:{name}", f"per:{name}") if c in frame.columns]
        if name in ranks and ranked:
            values = frame.select("subject", *ranked)
            found = pairs[at].with_columns(pl.Series("flag", flag[at]))
            found = found.join(values, on="subject", how="left", maintain_order="left")
            flag[at] = ranks[name].judged(found)["flag"].to_numpy()
    return pl.Series("flag", flag)


def given_in(segment: ir.LoweredSegment) -> list[str]:
    """Names of the segments whose members are looked up."""
    nodes = [node for root in roots(segment) for node in walk(root)]
    found = (node.column for node in nodes if isinstance(node, ir.InList) and node.name == MEMBERS)
    return list(dict.fromkeys(name for name in found if name is not None))


def ask_everybody(rules: Rules, side: Side, names: Sequence[str], only: Sequence[int]) -> Asked:
    """The segments by some rules, with everything else as one evaluation knew it.

    Args:
        rules: Definitions and lists.
        side: The evaluation.
        names: Segments.
        only: Subjects whose answers are wanted; everybody's come where ranks are asked for.
    """
    asking = asked_plan(rules, names)
    data = load_input(
        rules.session,
        asking,
        as_of=side.as_of,
        snapshot=side.snapshot,
        owners=side.owners,
        stored=StoredRows(members=side.members),
    )
    ranked = any(output.name.startswith("by:") for output in asking.outputs)
    found = load_engine("polars").evaluate(
        asking, data, as_of=side.as_of, zone=rules.session.project.timezone, only=None if ranked else only
    )
    return Asked(found.answers, data, asking)


def beside_at(side: Side, rules: Sequence[Rules], names: Sequence[str], known: Beside) -> Beside:
    """Everybody's values, of all that the segments score or count among people by some rules, and what is known."""
    for one in rules:
        known = _beside(one, side, names, known)
    return known


def ages(node: object) -> bool:
    """The node has a value for everybody that grows with the clock."""
    return any(isinstance(inner, ir.DaysSince | ir.YearsSince) for inner in walk(node))  # type: ignore[arg-type]  # nodes are what `walk` gives


def _beside(rules: Rules, side: Side, names: Sequence[str], known: Beside) -> Beside:
    asking = asked_plan(rules, names)
    nodes = [node for node in social_nodes(asking) if node not in known]
    if not nodes:
        return known

    def answers(outputs: Sequence[Output]) -> pl.DataFrame:
        wanted = plan(asking.segments, outputs)
        data = load_input(
            rules.session,
            wanted,
            as_of=side.as_of,
            snapshot=side.snapshot,
            owners=side.owners,
            stored=StoredRows(members=side.members),
        )
        found = load_engine("polars").evaluate(wanted, data, as_of=side.as_of, zone=rules.session.project.timezone)
        return found.answers.join(data.profiles.select("subject", "profile_id"), on="subject", maintain_order="left")

    return {**known, **values_today(nodes, answers)}


def read_by(asking: Plan, name: str) -> set[object]:
    """All nodes that decide one of the segments asked for."""
    roots = [output.ask for output in asking.outputs if output.name.partition(":")[2] == name]
    found = {node for root in roots for node in walk(root)}
    by_name = {segment.name: segment for segment in asking.segments}
    todo = [node.segment for node in found if isinstance(node, ir.IsMember)]
    while todo:
        segment = by_name.pop(todo.pop(), None)
        if segment is not None:
            more = set(walk(segment.where))
            todo += [node.segment for node in more if isinstance(node, ir.IsMember)]
            found |= more
    return set(found)


def traits_of(nodes: set[object]) -> frozenset[str]:
    """Stored traits whose values or changes nodes read."""
    named = {node.name for node in nodes if isinstance(node, ir.StoredTrait)}
    return frozenset(named | {kind.removeprefix(HISTORY) for kind in kinds_of(nodes) if kind.startswith(HISTORY)})


def _used(rules: Rules, segment: ir.LoweredSegment) -> dict[str, ir.LoweredSegment]:
    there = {old: new for new, old in rules.names.items()}
    known: dict[str, ir.LoweredSegment] = {}

    def lowered(name: str) -> ir.LoweredSegment:
        found = rules.lowered(there.get(name, name))
        assert found is not None, "references resolve"
        return known.setdefault(name, replace(found, name=name))

    return {name: lowered(name) for name in with_references(references(segment), lambda n: references(lowered(n)))}


def _given(segment: ir.LoweredSegment, names: Mapping[str, str]) -> ir.LoweredSegment:
    """The segment with look-ups in place of memberships that are given."""
    return rewritten(segment, {ir.IsMember(there): ir.InList(MEMBERS, today, "") for there, today in names.items()})

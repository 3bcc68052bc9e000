"""What a plan asks of each profile alone, as columns with keys that outlive the plan, and what is made of all of them.

Every condition, leaf and value that a block of profiles can answer is one column, named by what it means. Whether it
was answered a moment ago or a week ago makes no difference as long as nothing about the profile is new; `keep`,
colleagues and what refers to them are made of the columns of everybody, each time anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from segctl.compile import ir
from segctl.compile.fingerprints import Fingerprints
from segctl.compile.plan import Node, Output, Plan, plan, references, walk
from segctl.compile.selection import with_references
from segctl.engines.evaluation import failures, late_answers
from segctl.engines.scope import segment_column
from segctl.engines.staging import Stages, stages

if TYPE_CHECKING:
    import polars as pl

    from segctl.engines.scope import Scope
    from segctl.operations.session import Session
    from segctl.state.standing import Counts


class Columns:
    """The columns of a plan.

    Attributes:
        plan: All that is asked.
        staged: What waits for everybody.
        truth: Segment that a block can decide → key of its members.
        late: Segment or output that waits for everybody → key of its answers.
        asked: Key → predicate or value, of all further early columns.
        names: Output → key of its column.
    """

    def __init__(self, session: Session, asking: Plan) -> None:
        self.plan = asking
        self.staged: Stages = stages(asking)
        for look_up in asking.lists:
            if (look_up.name, look_up.column) not in session.lists and not look_up.name.startswith("\x00"):
                session.lists[look_up.name, look_up.column]
        self._segments = {segment.name: segment for segment in asking.segments}
        keys = Fingerprints(asking.segments, session.lists.digests)
        early = [segment for level in self.staged.levels for segment in level]
        self.truth = {segment.name: f"s{keys.key(segment.where)}" for segment in early}
        self.names = {name: f"q{keys.key(node)}" for name, node in self.staged.columns.items()}
        self.asked: dict[str, Node] = {self.names[name]: node for name, node in self.staged.columns.items()}
        self._strict: dict[ir.Predicate, str] = {test: f"q{keys.key(test)}" for test in self.staged.strict}
        self.asked |= {key: test for test, key in self._strict.items()}
        self.late = {one.name: f"l{keys.key(one.where, one.keep)}" for one in self.staged.late}
        self.late_outputs = {one.name: f"o{keys.key(one.ask)}" for one in self.staged.late_outputs}

    @property
    def early(self) -> list[str]:
        """Keys of the columns that blocks answer, each once."""
        return list(dict.fromkeys((*self.truth.values(), *self.asked)))

    @property
    def every(self) -> list[str]:
        """Keys of all columns."""
        return list(dict.fromkeys((*self.early, *self.late.values(), *self.late_outputs.values())))

    @cached_property
    def social(self) -> frozenset[str]:
        """Keys of early columns with a score among everybody, or with a segment that has one."""
        scored: set[str] = set()
        for name in self.truth:
            if self._is_social(self._segments[name].where, scored):
                scored.add(name)
        keys = {self.truth[name] for name in scored}
        return frozenset(keys | {key for key, node in self.asked.items() if self._is_social(node, scored)})

    def _is_social(self, node: Node, scored: set[str]) -> bool:
        return bool(self.plan.scores) and any(
            isinstance(inner, ir.Score) or (isinstance(inner, ir.IsMember) and inner.segment in scored)
            for inner in walk(node)
        )

    def is_value(self, key: str) -> bool:
        """The column holds values, not truth."""
        return key in self.asked and hasattr(self.asked[key], "type")

    def asking(self, keys: Iterable[str]) -> Plan:
        """A plan for some early columns; further outputs are called by their keys."""
        wanted = set(keys)
        outputs = [Output(key, node) for key, node in self.asked.items() if key in wanted]  # type: ignore[arg-type]  # predicates and expressions
        named = [name for name, key in self.truth.items() if key in wanted]
        named += [node.segment for one in outputs for node in walk(one.ask) if isinstance(node, ir.IsMember)]
        segments = with_references(named, lambda name: references(self._segments[name]))
        return plan((self._segments[name] for name in segments), outputs)

    def keyed(self, frame: pl.DataFrame, keys: Iterable[str]) -> pl.DataFrame:
        """What an engine found early, its columns called by keys: ``subject`` and the columns."""
        import polars as pl

        names = {key: segment_column(name) for name, key in self.truth.items()}
        return frame.select("subject", *(pl.col(names.get(key, key)).alias(key) for key in keys))

    def late_inputs(self) -> dict[str, str]:
        """Column that the late stage reads → key."""
        parts = {name: self.names[name] for name in self.staged.known.values()}
        ranks = [name for pair in self.staged.ranks.values() for name in pair if name is not None]
        return parts | {name: self.names[name] for name in ranks}

    def completed(
        self,
        frame: pl.DataFrame,
        scope: Scope,
        staged: Stages,
        ids: Callable[[pl.Series], pl.Series] | None = None,
    ) -> pl.DataFrame:
        """What waits for everybody, by key.

        Args:
            frame: One row per profile of the population: the columns of `late_inputs`, and ``profile_id`` unless `ids`
                are given.
            scope: Of the instant.
            staged: Which of it.
            ids: As in `engines.keep.kept`.
        """
        import polars as pl

        answers = late_answers(staged, frame, scope, ids)
        columns = {self.late[one.name]: segment_column(one.name) for one in staged.late}
        columns |= {self.late_outputs[one.name]: one.name for one in staged.late_outputs}
        return answers.select(pl.col(name).alias(key) for key, name in columns.items())

    def failed(self, counts: Mapping[str, Counts | None]) -> dict[str, str]:
        """Segments with unknown answers where none may be, and those that refer to them."""
        return failures(self.plan, self.staged, {test: _unknown(counts[key]) for test, key in self._strict.items()})

    def leaf(self, name: str, counts: Mapping[str, Counts | None], failed: Iterable[str], profiles: int) -> Counts:
        """How often an output is true and unknown; what refers to a failed segment is unknown of everybody."""
        node = next(one.ask for one in self.plan.outputs if one.name == name)
        if any(isinstance(inner, ir.IsMember) and inner.segment in failed for inner in walk(node)):
            return 0, profiles
        return counts[self.key_of(name)] or (0, 0)

    @property
    def details(self) -> list[str]:
        """Names of all outputs."""
        return [one.name for one in self.plan.outputs]

    def detailed(self, rows: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
        """``subject`` and outputs in stored form, all or some, of rows by key."""
        import polars as pl

        from segctl.engines.physical import stored

        wanted = set(names)
        asked = [one for one in self.plan.outputs if not wanted or one.name in wanted]
        found = rows.select("subject", *(pl.col(self.key_of(one.name)).alias(one.name) for one in asked))
        types = {one.name: getattr(one.ask, "type", None) for one in asked}
        return found.with_columns(stored(name, of) for name, of in types.items() if of is not None)

    def key_of(self, name: str) -> str:
        """Key of an output."""
        return self.names.get(name) or self.late_outputs[name]

    def members(self) -> Iterator[tuple[str, str]]:
        """Each segment and the key of its members, in order of reference."""
        for segment in self.plan.segments:
            yield segment.name, self.truth.get(segment.name) or self.late[segment.name]


def counted(column: pl.Series) -> Counts:
    """How often a column of truth is true and unknown."""
    return int(column.sum() or 0), column.null_count()


def _unknown(counts: Counts | None) -> int:
    return 0 if counts is None else counts[1]

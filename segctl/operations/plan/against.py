"""What a change of definitions does by itself: those of the working tree beside those of a Git revision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from segctl.compile.meaning import meaning_changes
from segctl.compile.selection import Selection
from segctl.model.dataclass import dataclass
from segctl.model.errors import DataError
from segctl.operations.apply import NOTHING_ALLOWED, Allowed
from segctl.operations.evaluation import evaluate
from segctl.operations.expiry import expired
from segctl.operations.guards import Broken, broken, loosened
from segctl.operations.lists import ProjectLists, list_digest
from segctl.operations.pauses import paused_now
from segctl.operations.plan.plan import EXAMPLES, Change, Plan, SegmentPlan
from segctl.operations.plan.reasons import Reason
from segctl.operations.progress import Progress, Silent
from segctl.operations.provenance import lists_of
from segctl.operations.revisions import past_definitions
from segctl.operations.running import running
from segctl.operations.selection import chosen

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.project import Definitions, Language
    from segctl.operations.evaluation import Answers
    from segctl.operations.freshness import Freshness
    from segctl.operations.revisions import PastDefinitions
    from segctl.operations.running import Running
    from segctl.operations.session import Session

_KINDS: dict[Change, str] = {
    "new": "definition_new",
    "removed": "definition_removed",
    "changed": "definition_changed",
    "renamed": "definition_changed",
    "same": "list_changed",
}


def plan_against(
    session: Session,
    revision: str,
    *,
    has_data: bool,
    as_of: datetime,
    selection: Selection,
    engine: str = "polars",
    allowed: Allowed = NOTHING_ALLOWED,
    examples: int = EXAMPLES,
    with_moves: bool = False,
    language: str | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Both definitions on the same data, as of the same time; no run need be on record.

    Args:
        session: Open project and workspace.
        revision: Branch, tag or commit of the repository that holds the project.
        has_data: There is a workspace; without one definitions are compared and nobody is counted.
        as_of: Valid time of both evaluations.
        selection: Which segments; with none, removed ones as well.
        engine: What evaluates.
        allowed: What guards allow this once.
        examples: Profiles named for each reason.
        with_moves: Also name everybody who moves.
        language: Of definitions in words; the project's by default.
        progress: Hears what is going on.

    Raises:
        UsageError: No Git, no such revision, definitions with errors there, or a selection that fits nothing.
    """
    listener = progress or Silent()
    with ExitStack() as stack:
        past = stack.enter_context(past_definitions(session.project, revision))
        pairs = _pairs(session, past, selection, session.language(language))
        snapshot, both, going = 0, None, None
        if has_data:
            snapshot = session.workspace.snapshot()
            stack.enter_context(session.workspace.lease(snapshot))
            going = running(session, _alive(session, pairs), as_of=as_of, snapshot=snapshot)
            pairs = _not_paused(session, pairs, going)
            listener.start("evaluate", total=len(pairs), unit="segments")
            both = _Both(session, past, pairs, as_of, snapshot, engine, going.fresh)
        segments = tuple(_segment(session, pair, both, allowed) for pair in pairs)
        if has_data:
            listener.advance(len(pairs))
            listener.finish()
        moves = None if both is None else both.moves()
    return Plan(
        as_of=as_of,
        snapshot=snapshot,
        names=tuple(pair.name for pair in pairs if pair.name in session.definitions.segments),
        last=None,
        segments=segments,
        profiles=None if both is None else both.profiles,
        reasons=() if moves is None else _reasons(session, pairs, moves, examples),
        selection=selection,
        allowed=allowed,
        engine=engine,
        moves=_named(session, pairs, moves) if with_moves and moves is not None else None,
        against=(past.name, past.commit),
        paused={} if going is None else going.paused,
        everything=None if going is None else going.everything,
        warnings=() if going is None else going.warnings,
    )


@dataclass(frozen=True, slots=True)
class _Pair:
    """A segment of the working tree and what it was at the revision.

    Attributes:
        former: Its name there; None when it was not there.
    """

    name: str
    former: str | None
    change: Change
    inputs: tuple[str, ...]
    plan: SegmentPlan

    @property
    def differs(self) -> bool:
        """The two may have other members."""
        return self.change in ("new", "removed", "changed") or bool(self.inputs)


def _pairs(session: Session, past: PastDefinitions, selection: Selection, language: Language) -> list[_Pair]:
    after, before = session.definitions, past.definitions
    names = [n for n in chosen(after, selection) if after.segments[n].status != "paused"]
    found = [_pair(session, past, name, language) for name in names]
    if not selection:
        taken = {old for segment in after.segments.values() for old in (segment.name, *segment.formerly)}
        gone = [n for n, s in before.segments.items() if n not in taken and s.status != "draft"]
        found += [_Pair(n, n, "removed", (), _empty(n, "removed")) for n in gone]
    return sorted(found, key=lambda pair: pair.name)


def _alive(session: Session, pairs: Iterable[_Pair]) -> list[str]:
    return [pair.name for pair in pairs if pair.name in session.definitions.segments]


def _not_paused(session: Session, pairs: Iterable[_Pair], going: Running) -> list[_Pair]:
    """Those whose members a run would touch; a paused segment keeps them, even when its file goes."""
    kept = set(paused_now(session.workspace, {pair.name: () for pair in pairs}).segments)
    return [pair for pair in pairs if pair.name not in going.paused and pair.name not in kept]


def _pair(session: Session, past: PastDefinitions, name: str, language: Language) -> _Pair:
    after, before = session.definitions, past.definitions
    segment = after.segments[name]
    former = next((n for n in (name, *segment.formerly) if n in before.segments), None)
    if former is None:
        return _Pair(name, None, "new", (), _empty(name, "new"))
    inputs = tuple(sorted(n for n in lists_of(after, name) if _digest(session, n) != _digest(past, n)))
    change: Change = "same" if former == name else "renamed"
    if segment.digest != before.segments[former].digest:
        change = "changed"
    meaning = meaning_changes(name, before, after, language, former=former)
    return _Pair(name, former, change, inputs, replace(_empty(name, change), inputs=inputs, meaning=meaning))


def _digest(of: Session | PastDefinitions, name: str) -> str | None:
    try:
        return list_digest(of.lists.content(name))
    except DataError:
        return None


def _empty(name: str, change: Change) -> SegmentPlan:
    state = "removed" if change == "removed" else "in_force"
    return SegmentPlan(name, change, (), (), state, None, 0, 0, None)


class _Both:
    """Segments that may differ, evaluated under both definitions on one snapshot."""

    def __init__(
        self,
        session: Session,
        past: PastDefinitions,
        pairs: Sequence[_Pair],
        as_of: datetime,
        snapshot: int,
        engine: str,
        fresh: Freshness,
    ) -> None:
        self.as_of, self.fresh = as_of, fresh
        then = replace(session, definitions=past.definitions, lists=past.lists, warnings=())
        self.pairs = [pair for pair in pairs if pair.differs]
        new = [pair.name for pair in self.pairs if pair.change != "removed"]
        old = [pair.former for pair in self.pairs if pair.former is not None]
        self.after = evaluate(session, new, as_of=as_of, snapshot=snapshot, engine=engine)
        self.before = evaluate(then, old, as_of=as_of, snapshot=snapshot, engine=engine) if old else None
        self.profiles = self.after.frame.height

    def failed(self, pair: _Pair) -> str | None:
        """Why one of the two cannot be decided."""
        reason = self.after.failed.get(pair.name) if pair.change != "removed" else None
        if reason is None and self.before is not None and pair.former is not None:
            reason = self.before.failed.get(pair.former)
        return reason

    def sides(self, pair: _Pair) -> tuple[pl.Series, pl.Series]:
        """Subjects of the members before and after."""
        before = _subjects(self.before, pair.former)
        return before, _subjects(self.after, None if pair.change == "removed" else pair.name)

    def moves(self) -> pl.DataFrame:
        """``segment``, ``change``, ``subject`` of everybody who would move."""
        import polars as pl

        parts = [pl.DataFrame(schema={"segment": pl.String, "change": pl.String, "subject": pl.Int32})]
        for pair in self.pairs:
            before, after = self.sides(pair)
            if self.failed(pair) is not None:
                continue
            for change, these, others in (("entered", after, before), ("left", before, after)):
                moved = these.filter(~these.is_in(others.implode()))
                parts.append(
                    pl.DataFrame({"subject": moved}).select(
                        pl.lit(pair.name).alias("segment"),
                        pl.lit(change).alias("change"),
                        pl.col("subject").cast(pl.Int32),
                    )
                )
        return pl.concat(parts)


def _subjects(answers: Answers | None, name: str | None) -> pl.Series:
    import polars as pl

    if answers is None or name is None or name not in answers.frame.columns:
        return pl.Series("subject", dtype=pl.Int32)
    return answers.frame["subject"].filter(answers.frame[name].fill_null(value=False))


def _segment(session: Session, pair: _Pair, both: _Both | None, allowed: Allowed) -> SegmentPlan:
    if both is None or not pair.differs:
        return pair.plan
    reason = both.failed(pair)
    if reason is not None:
        return replace(pair.plan, state="failed", reason=reason)
    before, after = both.sides(pair)
    entered, left = (
        int((~these.is_in(others.implode())).sum()) for these, others in ((after, before), (before, after))
    )
    size = len(before) if pair.former is not None else None
    found = _broken(session.definitions, pair, allowed, both, (size, entered, left, len(after)))
    return replace(
        pair.plan,
        before=size,
        entered=entered,
        left=left,
        after=len(after),
        broken=found,
        refused="; ".join(one.message for one in found) or None,
    )


def _broken(
    definitions: Definitions, pair: _Pair, allowed: Allowed, both: _Both, sizes: tuple[int | None, int, int, int]
) -> tuple[Broken, ...]:
    segment = definitions.segments.get(pair.name)
    # No guard holds the members of a segment that has ended.
    if segment is None or expired(definitions.segments, [pair.name], both.as_of, definitions.project.timezone):
        return ()
    before, entered, left, after = sizes
    limits = loosened(segment.guards, pair.name, allowed.limits)
    found = broken(pair.name, limits, before=before, entered=entered, left=left, after=after)
    return (*both.fresh.refused.get(pair.name, ()), *found)


def _reasons(session: Session, pairs: Sequence[_Pair], moves: pl.DataFrame, examples: int) -> tuple[Reason, ...]:
    """Whatever moves here moves because of the definition, or of a list."""
    import polars as pl

    from segctl.operations.people import with_profile_ids

    kinds = _kinds(pairs)
    found = []
    for (segment, change), part in moves.group_by("segment", "change", maintain_order=True):
        few = with_profile_ids(session.workspace, part.sort(pl.col("subject")).head(examples))
        names = tuple((who, None) for who in few["profile_id"])
        found.append(Reason(str(segment), str(change), kinds[str(segment)], part.height, names))
    return tuple(found)


def _kinds(pairs: Sequence[_Pair]) -> Mapping[str, str]:
    return {pair.name: _KINDS[pair.change] for pair in pairs}


def _named(session: Session, pairs: Sequence[_Pair], moves: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    from segctl.operations.causes.words import KINDS
    from segctl.operations.people import with_profile_ids

    words = {name: KINDS[kind][0] for name, kind in _kinds(pairs).items()}
    found = with_profile_ids(session.workspace, moves).with_columns(
        pl.col("segment").replace_strict(words, return_dtype=pl.String, default=None).alias("cause")
    )
    return found.select("segment", "profile_id", "change", "cause").sort("segment", "change", "profile_id")


@contextmanager
def open_comparison(start: Path, env: str | None) -> Iterator[tuple[Session, bool]]:
    """The project found upwards from `start`, and whether there are data to count anybody in.

    Raises:
        UsageError: No project, or findings in its files.
    """
    from segctl.operations.session import Session, bound_definitions
    from segctl.state.workspace import DATABASE, Workspace

    definitions, findings = bound_definitions(start, env=env)
    folder = Path(definitions.project.workspace)
    lists = ProjectLists(Path(definitions.project.root))
    with ExitStack() as stack:
        has_data = (folder / DATABASE).is_file()
        if not has_data:
            # In a pipeline there are often definitions only; a workspace without anybody stands in.
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="segctl-"))) / "empty"
        workspace = stack.enter_context(Workspace.open(folder, create=not has_data))
        yield Session(definitions, workspace, lists, findings), has_data

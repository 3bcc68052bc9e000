"""A quick count of one definition, saved or not, condition by condition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.compile.lower import lower_segment
from segctl.compile.plan import Output
from segctl.compile.prune import up_to, without
from segctl.compile.words_trace import TraceWords
from segctl.model.conditions import Condition, SegmentDefinition
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic, has_errors, in_reading_order
from segctl.model.errors import UsageError
from segctl.operations.evaluation import evaluate

if TYPE_CHECKING:
    import polars as pl

    from segctl.compile import ir
    from segctl.compile.selection import Selection
    from segctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class LeafSize:
    """What one condition does; profiles throughout, before any `keep`.

    Attributes:
        alone: Profiles for whom this condition is true; false, where it stands below a `not`.
        unknown: Profiles for whom it cannot be said, because a value is missing.
        left: Profiles left when the definition is read up to and including it.
        without: Members if it were not there.
    """

    condition: str
    line: int | None
    alone: int
    unknown: int
    left: int
    without: int


@dataclass(frozen=True, slots=True)
class Size:
    """How many a definition holds.

    Attributes:
        members: After `keep`.
        matched: For whom `where` is true, before `keep`.
        profiles: Everybody in the population.
    """

    segment: str
    as_of: datetime
    members: int
    matched: int
    profiles: int
    leaves: tuple[LeafSize, ...]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many each of several segments holds.

    Attributes:
        rows: Segment → members after `keep`, and for how many `where` is true; None where it cannot be decided.
        failed: Segment → why not.
        profiles: Everybody in the population.
    """

    rows: dict[str, tuple[int | None, int | None]]
    failed: dict[str, str]
    profiles: int


def sizes(session: Session, selection: Selection, *, as_of: datetime, engine: str = "polars") -> Sizes:
    """Count saved segments in one shared plan.

    Args:
        session: Open project and workspace.
        selection: Which; drafts only when they are named.
        as_of: Valid time.
        engine: What evaluates.

    Raises:
        UsageError: A part of the selection fits nothing.
    """
    from segctl.operations.selection import chosen

    return _counted(session, chosen(session.definitions, selection), as_of, engine)


def sister_sizes(
    session: Session, target: str, *, text: bytes | None = None, as_of: datetime, engine: str = "polars"
) -> Sizes | None:
    """Count the segments of a file with `for_each`; None where the target is no such file.

    Args:
        session: Open project and workspace.
        target: Name of a segment, or a file.
        text: Content of a definition that stands in neither, instead.
        as_of: Valid time.
        engine: What evaluates.

    Raises:
        UsageError: The file has findings, which are all shown.
    """
    from segctl.compile.definitions import bind_sisters_text

    if text is None:
        path = None if target in session.definitions.segments else _file(session, target)
        if path is None:
            return None
        text = path.read_bytes()
    else:
        target = "stdin"
    bound, findings = bind_sisters_text(text, target, session.definitions)
    if bound is None:
        return None
    if not bound:
        raise _unbound(target, findings)
    definitions = replace(session.definitions, segments={**session.definitions.segments, **bound})
    return _counted(replace(session, definitions=definitions), list(bound), as_of, engine)


def _counted(session: Session, names: Sequence[str], as_of: datetime, engine: str) -> Sizes:
    lowered = {
        name: lower_segment(session.definitions.segments[name], session.definitions, lists=session.lists)
        for name in names
    }
    outputs = [Output(f"matched:{name}", one.where) for name, one in lowered.items()]
    snapshot = session.workspace.snapshot()
    found = evaluate(session, names, as_of=as_of, snapshot=snapshot, engine=engine, outputs=outputs)
    failed = {name: reason for name, reason in found.failed.items() if name in names}
    rows: dict[str, tuple[int | None, int | None]] = {
        name: (None, None) if name in failed else (_true(found.frame, name), _true(found.frame, f"matched:{name}"))
        for name in names
    }
    return Sizes(rows, failed, found.frame.height)


def size(
    session: Session,
    target: str,
    *,
    text: bytes | None = None,
    as_of: datetime,
    engine: str = "polars",
    language: str | None = None,
) -> Size:
    """Count a saved segment, or one in a file that need not belong to the project.

    Args:
        session: Open project and workspace.
        target: Name of a segment, or a file.
        text: Content of a definition that stands in neither, instead.
        as_of: Valid time.
        engine: What evaluates.
        language: Of the conditions in words; the project's by default.

    Raises:
        UsageError: Neither a segment nor a file; or the file has findings, which are all shown.
    """
    definition = _bound(session, text, "stdin") if text is not None else _definition(session, target)
    definitions = replace(session.definitions, segments={**session.definitions.segments, definition.name: definition})
    lowered = lower_segment(definition, definitions, lists=session.lists, language=session.language(language))
    # A colon stands in no segment's name, so no column is there twice.
    outputs = [Output("matched:", lowered.where)]
    for number, leaf in enumerate(lowered.leaves):
        read = _predicate(session, definition, up_to(definition.where, number))
        rest = _predicate(session, definition, without(definition.where, number))
        outputs.append(Output(f"alone:{number}", leaf.predicate))
        outputs += [Output(f"left:{number}", read)] if read is not None else []
        outputs += [Output(f"without:{number}", rest)] if rest is not None else []
    found = evaluate(
        replace(session, definitions=definitions),
        [definition.name],
        as_of=as_of,
        snapshot=session.workspace.snapshot(),
        engine=engine,
        outputs=outputs,
    )
    if definition.name in found.failed:
        raise UsageError("SEG507", f"`{definition.name}` cannot be counted: {found.failed[definition.name]}")
    frame, words = found.frame, TraceWords(session.project.timezone, session.language(language))
    return Size(
        segment=definition.name,
        as_of=as_of,
        members=_true(frame, definition.name),
        matched=_true(frame, "matched:"),
        profiles=frame.height,
        leaves=tuple(_leaf_size(frame, leaf, number, words) for number, leaf in enumerate(lowered.leaves)),
    )


def _leaf_size(frame: pl.DataFrame, leaf: ir.Leaf, number: int, words: TraceWords) -> LeafSize:
    rest = f"without:{number}"
    answers = frame[f"alone:{number}"]
    # Read as it counts in the definition: below a `not`, those for whom the condition is false.
    negated = _is_negated(leaf.path)
    return LeafSize(
        condition=f"{words.say('negation')}: {leaf.text}" if negated else leaf.text,
        line=leaf.line,
        alone=int((~answers if negated else answers).fill_null(value=False).sum()),
        unknown=answers.null_count(),
        left=_true(frame, f"left:{number}"),
        without=_true(frame, rest) if rest in frame.columns else frame.height,
    )


def _is_negated(path: str) -> bool:
    return sum(part == "not" or part.startswith("none[") for part in path.split(".")) % 2 == 1


def _true(frame: pl.DataFrame, column: str) -> int:
    return int(frame[column].fill_null(value=False).sum())


def _predicate(session: Session, definition: SegmentDefinition, where: Condition | None) -> ir.Predicate | None:
    if where is None:
        return None
    return lower_segment(replace(definition, where=where, keep=None), session.definitions, lists=session.lists).where


def _definition(session: Session, target: str) -> SegmentDefinition:
    known = session.definitions.segments
    if target in known:
        return known[target]
    path = _file(session, target)
    if path is None:
        from segctl.compile.suggest import nearest

        near = nearest(target, known)
        raise UsageError(
            "SEG508",
            f"`{target}` is neither a segment nor a file",
            hint=f"did you mean `{near}`?" if near else "`segctl ls segments` lists them all",
        )
    return _bound(session, path.read_bytes(), target)


def _file(session: Session, target: str) -> Path | None:
    """The file of definitions that is meant, from here or from the project's folder."""
    paths = (Path(target), session.root / target)
    return next((path for path in paths if path.suffix in (".yaml", ".yml") and path.is_file()), None)


def _bound(session: Session, text: bytes, file: str) -> SegmentDefinition:
    from segctl.compile.definitions import bind_segment_text

    definition, findings = bind_segment_text(text, file, session.definitions)
    if definition is None or has_errors(findings):
        raise _unbound(file, findings)
    return definition


def _unbound(file: str, findings: Iterable[Diagnostic]) -> UsageError:
    message = f"`{file}` does not bind; nothing was counted"
    return UsageError("SEG509", message, diagnostics=in_reading_order(findings))

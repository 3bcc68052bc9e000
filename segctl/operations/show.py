"""One segment in words, with its size, its last change and its members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segctl.compile.lower import lower_trait
from segctl.compile.plan import Output
from segctl.compile.words import describe_segment
from segctl.model.conditions import SegmentDefinition
from segctl.model.errors import Refused
from segctl.model.types import ValueType
from segctl.operations.evaluation import evaluate
from segctl.operations.people import with_profile_ids
from segctl.operations.provenance import origin_of
from segctl.operations.things import find_trait, unknown_thing

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.session import Session
    from segctl.state.runs import RunSegment


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """A segment as people ask for it.

    Attributes:
        words: Indentation and text of each line of the definition in words.
        newest: What the newest run in force meant for it; None before the first.
        changed_since: The definition's meaning differs from what that run evaluated.
    """

    definition: SegmentDefinition
    words: tuple[tuple[int, str], ...]
    newest: RunSegment | None
    changed_since: bool


@dataclass(frozen=True, slots=True)
class Members:
    """Members of a segment after a run.

    Attributes:
        frame: One row per member, sorted by ``profile_id``; further columns as asked for.
        types: Type of each further column.
    """

    frame: pl.DataFrame
    types: tuple[tuple[str, ValueType], ...]


def segment_facts(session: Session, name: str, *, language: str | None = None) -> SegmentFacts:
    """The definition in words, of the project's language without another, and where it stands.

    Raises:
        UsageError: No such segment.
    """
    from segctl.state.memberships import history, in_force
    from segctl.state.runs import find_run, runs

    definition = session.definitions.segments.get(name)
    if definition is None:
        raise unknown_thing("segment", name, list(session.definitions.segments))
    run_id = in_force(session.workspace, name)
    newest = None
    changed = False
    if run_id is not None:
        newest = next((r for r in reversed(history(session.workspace, name)) if r.run == run_id), None)
        origin = origin_of(find_run(session.workspace, run_id), name, session.definitions, runs(session.workspace))
        changed = origin.definition != definition.digest
    words = tuple(describe_segment(definition, session.language(language)))
    return SegmentFacts(definition, words, newest, changed)


def members(
    session: Session, name: str, *, columns: Sequence[str] = (), show_personal: bool = False, run: str | None = None
) -> Members:
    """Who is in the segment, in force or after a run, with the trait values of that run's as_of.

    Raises:
        UsageError: No such segment, run or trait; no run has evaluated the segment yet.
        Refused: A column is personal data and `show_personal` is not set.
    """
    from segctl.state.memberships import in_force
    from segctl.state.memberships import members as recorded
    from segctl.state.runs import find_run

    if name not in session.definitions.segments:
        raise unknown_thing("segment", name, list(session.definitions.segments))
    columns = [column for column in columns if column != "profile_id"]  # which stands first in any case
    types = tuple((column, _column_type(session, column, show_personal=show_personal)) for column in columns)
    subjects = recorded(session.workspace, name, None if run is None else find_run(session.workspace, run))
    frame = with_profile_ids(session.workspace, subjects.to_frame())
    if columns:
        run_id = run or in_force(session.workspace, name) or "last"
        found = evaluate(
            session,
            [],
            as_of=find_run(session.workspace, run_id).as_of,
            snapshot=session.workspace.snapshot(),
            outputs=[Output(c, lower_trait(c, session.definitions, lists=session.lists)) for c in columns],
            only=subjects.to_list(),
        )
        frame = frame.join(found.frame, on="subject", how="left", maintain_order="left")
    return Members(frame.drop("subject").select("profile_id", *columns).sort("profile_id"), types)


def _column_type(session: Session, column: str, *, show_personal: bool) -> ValueType:
    trait = find_trait(session.definitions, column)
    if trait.is_private and not show_personal:
        raise Refused(
            "SEG414",
            f"`{column}` is personal data; nothing was shown",
            hint="`--show-personal` shows it",
        )
    return trait.type

"""Questions of workflows answered by the engine that evaluates segments: each is a segment or a trait for a moment."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from segctl.compile.lower import lower_trait
from segctl.compile.plan import Output
from segctl.compile.zones import from_us
from segctl.model.conditions import Condition, EdgeTime, EventSelection
from segctl.model.conditions.computed import ComputedTrait
from segctl.model.conditions.segments import SegmentDefinition
from segctl.model.types import TIME
from segctl.operations.evaluation import evaluate
from segctl.operations.workflow.world import Known, Question

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.engines.base import EventPart
    from segctl.operations.session import Session

_EVENT, _ZONE = "workflow event {}", "workflow zone {}"
_SEGMENT = "workflow {}"


def ask(
    session: Session,
    questions: Mapping[Question, Condition | EventSelection],
    zones: Collection[str],
    roots: Sequence[int],
    *,
    now: int,
    snapshot: int,
) -> Known:
    """What holds for some profiles at an instant (microseconds since 1970); unknown is no."""
    conditions = {one: asked for one, asked in questions.items() if not isinstance(asked, EventSelection)}
    events = {one: asked for one, asked in questions.items() if isinstance(asked, EventSelection)}
    asking = with_questions(session, list(conditions.values()), list(events.values()))
    names = {one: _SEGMENT.format(number) for number, one in enumerate(conditions)}
    times = {one: _EVENT.format(number) for number, one in enumerate(events)}
    outputs = [_output(asking, name) for name in times.values()]
    outputs += [_output(asking, zone, _ZONE.format(zone)) for zone in sorted(zones)]
    answers = evaluate(
        asking, names.values(), as_of=from_us(now), snapshot=snapshot, outputs=outputs, only=sorted(set(roots))
    )
    frame = answers.frame
    return Known(
        holds={
            one: frozenset(frame["subject"].filter(frame[name]).to_list()) if name in frame.columns else frozenset()
            for one, name in names.items()
        },
        last={one: _instants(frame, name) for one, name in times.items()},
        zones={zone: _zones(frame, _ZONE.format(zone)) for zone in zones},
    )


def first_events(
    session: Session, selection: EventSelection, parts: Sequence[EventPart], *, now: int, snapshot: int
) -> dict[int, int]:
    """Root → the first selected event in some event files, not later than an instant."""
    from segctl.compile.plan import plan
    from segctl.operations.evaluation import load_input

    roots = _in_parts(session, selection, parts, snapshot)
    if not roots:
        return {}
    asking = with_questions(session, [], [selection], edge="first")
    output = _output(asking, _EVENT.format(0))
    at = from_us(now)
    data = load_input(asking, plan((), (output,)), as_of=at, snapshot=snapshot, only=roots)
    data = replace(data, events=tuple(parts))
    found = evaluate(asking, (), as_of=at, snapshot=snapshot, outputs=(output,), data=data, only=roots)
    return _instants(found.frame, output.name)


def _in_parts(session: Session, selection: EventSelection, parts: Sequence[EventPart], snapshot: int) -> list[int]:
    """Profiles with such an event in some event files, whatever else is asked of it."""
    import polars as pl

    from segctl.state.identity import canonical

    wanted = set(selection.events)
    frames = []
    for part in parts:
        kinds = sorted(wanted.intersection(part.kinds)) if "*" not in wanted else list(part.kinds)
        frame = pl.scan_parquet(part.path, glob=False, hive_partitioning=False)
        if kinds:
            frames.append(
                (frame.filter(pl.col("kind").is_in(kinds)) if len(part.kinds) > 1 else frame).select("subject")
            )
    if not frames:
        return []
    subjects = pl.concat(frames).unique().collect()["subject"]
    owners = canonical(session.workspace, snapshot)
    found: list[int] = (subjects if owners is None else owners.gather(subjects)).unique().sort().to_list()
    return found


def existing(session: Session, roots: Sequence[int], *, now: datetime, snapshot: int) -> pl.DataFrame:
    """Those of some profiles that belong to the population at an instant: ``subject`` and ``profile_id``."""
    from segctl.compile.plan import plan
    from segctl.operations.evaluation import load_input

    found = load_input(session, plan((), ()), as_of=now, snapshot=snapshot, only=roots)
    return found.profiles.select("subject", "profile_id")


def with_questions(
    session: Session, conditions: Sequence[Condition], events: Sequence[EventSelection], *, edge: str = "last"
) -> Session:
    """The session with the questions as segments and computed traits of their own."""
    definitions = session.definitions
    segments = {_SEGMENT.format(n): SegmentDefinition(_SEGMENT.format(n), one) for n, one in enumerate(conditions)}
    computed = {
        (name := _EVENT.format(n)): ComputedTrait(name, TIME, selection=one, measure=EdgeTime(edge))  # type: ignore[arg-type]  # first or last
        for n, one in enumerate(events)
    }
    return replace(
        session,
        definitions=replace(
            definitions, segments=definitions.segments | segments, computed=definitions.computed | computed
        ),
    )


def _output(session: Session, trait: str, name: str | None = None) -> Output:
    return Output(name or trait, lower_trait(trait, session.definitions, lists=session.lists))


def _instants(frame: pl.DataFrame, name: str) -> dict[int, int]:
    import polars as pl

    found = frame.select("subject", pl.col(name).cast(pl.Datetime("us", "UTC")).to_physical()).drop_nulls()
    return dict(found.iter_rows())


def _zones(frame: pl.DataFrame, name: str) -> dict[int, str]:
    """Zones that exist; whoever has another text there has the project's."""
    from zoneinfo import available_timezones

    known = available_timezones()
    return {subject: zone for subject, zone in frame.select("subject", name).iter_rows() if zone in known}

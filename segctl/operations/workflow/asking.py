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
_SPANS = 64
"""So many events of one person begin something in one look; of more than that the last are left out."""


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


def instants_of(
    session: Session,
    selection: EventSelection,
    parts: Sequence[EventPart],
    *,
    now: int,
    snapshot: int,
    after: int | None = None,
) -> set[tuple[int, int]]:
    """Root and instant of the selected events in some event files, of each person `_SPANS` at least.

    Args:
        session: Open project and workspace.
        selection: Which events; without a window.
        parts: Event files.
        now: Later ones do not count; microseconds since 1970.
        snapshot: Of everything else.
        after: Only later ones count.
    """
    from segctl.compile.plan import plan
    from segctl.model.times import Between, Instant
    from segctl.operations.evaluation import load_input

    rows = _in_parts(session, selection, parts, snapshot, now=now, after=after)
    if not rows:
        return set()
    # The engine tells a person's first event in a span, so spans end before anybody's second.
    begins = _begins(rows)
    ends = [*(begin - 1 for begin in begins[1:]), now]
    windows = [Between(Instant(from_us(lo)), Instant(from_us(hi))) for lo, hi in zip(begins, ends, strict=True)]
    asking = with_questions(session, [], [replace(selection, window=one) for one in windows], edge="first")
    outputs = tuple(_output(asking, _EVENT.format(number)) for number in range(len(windows)))
    at, roots = from_us(now), sorted({root for root, _ in rows})
    data = load_input(asking, plan((), outputs), as_of=at, snapshot=snapshot, only=roots)
    data = replace(data, events=tuple(parts))
    found = evaluate(asking, (), as_of=at, snapshot=snapshot, outputs=outputs, data=data, only=roots)
    return {one for output in outputs for one in _instants(found.frame, output.name).items()}


def _begins(rows: Sequence[tuple[int, int]]) -> list[int]:
    """Where spans begin so that nobody has two events in one; the last takes what is left."""
    begins, here = [rows[0][1]], dict[int, int]()
    for root, at in rows:
        if here.setdefault(root, at) != at:
            if len(begins) == _SPANS:
                break
            begins.append(at)
            here = {root: at}
    return begins


def _in_parts(
    session: Session,
    selection: EventSelection,
    parts: Sequence[EventPart],
    snapshot: int,
    *,
    now: int,
    after: int | None,
) -> list[tuple[int, int]]:
    """Profiles and instants of such events in some event files by time, whatever else is asked of them."""
    import polars as pl

    from segctl.state.identity import canonical

    wanted = set(selection.events)
    frames = []
    for part in parts:
        kinds = sorted(wanted.intersection(part.kinds)) if "*" not in wanted else list(part.kinds)
        if not kinds:
            continue
        frame = pl.scan_parquet(part.path, glob=False, hive_partitioning=False)
        frame = frame.filter(pl.col("kind").is_in(kinds)) if len(part.kinds) > 1 else frame
        frames.append(frame.select("subject", pl.col("ts").to_physical().alias("at")))
    if not frames:
        return []
    low = -(2**62) if after is None else after
    rows = pl.concat(frames).filter((pl.col("at") > low) & (pl.col("at") <= now)).unique().collect()
    owners = canonical(session.workspace, snapshot)
    if owners is not None:
        rows = rows.with_columns(subject=owners.gather(rows["subject"]))
    return list(rows.unique().sort("at", "subject").iter_rows())


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

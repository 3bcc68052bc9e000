"""Why one person is in a segment or not, with the values and event rows that decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from segctl.compile import ir
from segctl.compile.consents import consent_column
from segctl.compile.lower import lower_segment
from segctl.compile.plan import HISTORY, Output, plan, walk
from segctl.compile.trace import EventRow, ProfileRow, Trace, trace
from segctl.compile.trace_times import NextChange, next_change
from segctl.model.errors import UsageError
from segctl.operations.causes.words import say, translated
from segctl.operations.evaluation import evaluate, load_input, lowered_segments
from segctl.operations.expiry import expired_at
from segctl.operations.explain_consents import later_consents, why_outside
from segctl.operations.explain_related import counted_colleagues, related_rows
from segctl.operations.explain_stream import Ahead, ahead
from segctl.operations.people import find_person
from segctl.operations.profile import person_events
from segctl.operations.provenance import origin_of, origin_today
from segctl.operations.things import unknown_thing

if TYPE_CHECKING:
    from segctl.engines.base import EngineInput
    from segctl.model.project import Language
    from segctl.operations.session import Session
    from segctl.state.runs import Run

_LINEAGE = ("subject", "ts", "source", "event_id", "kind", "file_id", "line")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one person is in a segment or not.

    Attributes:
        member: Belongs to the segment, after `keep`.
        in_population: False when the person is nobody segments are about at that time.
        trace: The condition's tree and leaves; None outside the population.
        kept: False when `where` holds but `keep` ranks others higher; None without `keep`.
        flip: When the answer changes if nothing else happens, and to what; None for never, or when not asked for.
        places: File and line of each event row by its event id.
        run: The run whose knowledge was used, None for today's.
        changed_since: What is today's in any case and was different in that run: ``definition``, list files, ``zone
            data``.
        in_force: Whether the newest run in force has the person in the segment; None before the first.
        in_force_as_of: That run's instant.
        moved_at: When the person last entered or left; None when never.
        moved_why: The cause of that, in words; None where it is not on record.
        expires: When the segment ends or has ended; nobody belongs to it from then on.
        outside: Why the person may not be evaluated: ``objected_profiling``, ``restricted`` or ``erased``.
        ahead: What a stream says that is ahead of the runs in force; None when none is, and with a run.
    """

    segment: str
    profile_id: str
    as_of: datetime
    member: bool
    in_population: bool
    trace: Trace | None = None
    kept: bool | None = None
    flip: NextChange | None = None
    places: dict[tuple[str, str], str] | None = None
    run: str | None = None
    changed_since: tuple[str, ...] = ()
    in_force: bool | None = None
    in_force_as_of: datetime | None = None
    moved_at: datetime | None = None
    moved_why: str | None = None
    expires: datetime | None = None
    outside: str | None = None
    ahead: Ahead | None = None

    @property
    def has_expired(self) -> bool:
        """The segment has ended by then."""
        return self.expires is not None and self.expires <= self.as_of


def explain(
    session: Session,
    name: str,
    who: str,
    *,
    as_of: datetime,
    run: str | None = None,
    until: bool = False,
    language: str | None = None,
) -> Explanation:
    """Replay one person's answer at an instant, with today's knowledge or a run's.

    Args:
        session: Open project and workspace.
        name: Segment.
        who: Profile id or any identifier.
        as_of: The instant, unless `run` is given.
        run: Use that run's instant and what was known then.
        until: Also find the instant at which the answer changes if nothing else happens.
        language: Of the words; the project's by default.

    Raises:
        UsageError: No such segment, person or run; the run's inputs are gone.
    """
    definition = session.definitions.segments.get(name)
    if definition is None:
        raise unknown_thing("segment", name, list(session.definitions.segments))
    recorded = _reproducible(session, run) if run is not None else None
    as_of, snapshot = (recorded.as_of, recorded.snapshot) if recorded else (as_of, session.workspace.snapshot())
    owner, subjects = find_person(session.workspace, who, snapshot, rules=session.project.identity)
    said = session.language(language)
    lowered = lower_segment(definition, session.definitions, lists=session.lists, language=said)
    asked = plan(lowered_segments(session, [name]))
    data = load_input(session, asked, as_of=as_of, snapshot=snapshot)
    row = data.profiles.filter(data.profiles["subject"] == owner.subject)
    outside = _outside(session, name, owner.profile_id, as_of, recorded)
    if recorded is None:
        outside = replace(outside, ahead=ahead(session, name, subjects, said))
    if not row.height:
        return replace(outside, outside=why_outside(session, subjects, snapshot=snapshot))
    names = [s.name for s in asked.segments]
    found = evaluate(session, names, as_of=as_of, snapshot=snapshot, only=[owner.subject], data=data)
    members = {s: bool(found.frame[s][0]) for s in names if s not in found.failed}
    events = person_events(session, subjects, snapshot)
    related, stood = related_rows(session, asked.tables, data, owner.subject, as_of=as_of, snapshot=snapshot)
    rows = [*_event_rows(events.iter_rows(named=True)), *_change_rows(data, owner.subject), *related]
    counted = counted_colleagues(session, lowered, data, owner.subject, as_of=as_of, snapshot=snapshot)
    scores = _scores(session, lowered, data, owner.subject, as_of=as_of, snapshot=snapshot)
    person = replace(_profile_row(session, lowered, row.row(0, named=True)), colleagues=counted, scores=scores)
    if until and asked.consents:
        later = later_consents(session, asked.consents, owner.subject, subjects, data, as_of=as_of, snapshot=snapshot)
        person = replace(person, later=tuple((at, {**person.traits, **values}) for at, values in later))
    zone = session.project.timezone
    traced = trace(lowered, person, rows, as_of=as_of, zone=zone, members=members, language=said)
    is_member, ends = members.get(name, False), expired_at(definition, zone)
    has_ended = ends is not None and ends <= as_of
    flip = next_change(lowered, person, rows, as_of=as_of, zone=zone, members=members) if until else None
    return replace(
        outside,
        member=is_member,
        in_population=True,
        trace=traced,
        kept=None if definition.keep is None or traced.answer is not True or has_ended else is_member,
        flip=_until_the_end(flip, is_member=is_member, as_of=as_of, ends=ends),
        expires=ends,
        places=_places(session, events) | stood,
        **_in_force(session, name, subjects, said),
    )


def _until_the_end(
    flip: NextChange | None, *, is_member: bool, as_of: datetime, ends: datetime | None
) -> NextChange | None:
    """The next change, if the segment does not end before: then its members leave, and nobody enters any more."""
    if ends is None or (flip is not None and flip.at < ends):
        return flip
    return NextChange(ends, answer=False) if is_member and ends > as_of else None


def _scores(
    session: Session, lowered: ir.LoweredSegment, data: EngineInput, subject: int, *, as_of: datetime, snapshot: int
) -> dict[ir.Score, int | None]:
    """The person's scores among everybody, as the engine finds them."""
    nodes = list(dict.fromkeys(node for node in walk(lowered.where) if isinstance(node, ir.Score)))
    if not nodes:
        return {}
    asked = [Output(f"score:{i}", node) for i, node in enumerate(nodes)]
    found = evaluate(session, (), as_of=as_of, snapshot=snapshot, outputs=asked, only=[subject], data=data).frame
    return {node: found[f"score:{i}"][0] for i, node in enumerate(nodes)}


def _outside(session: Session, name: str, profile_id: str, as_of: datetime, run: Run | None) -> Explanation:
    """What is said of a person who is nobody segments are about at that time."""
    changed = () if run is None else _changed_since(session, name, run)
    known = None if run is None else run.id
    return Explanation(name, profile_id, as_of, member=False, in_population=False, run=known, changed_since=changed)


def _reproducible(session: Session, words: str) -> Run:
    from segctl.state.runs import find_run

    found = find_run(session.workspace, words)
    if not found.reproducible:
        raise UsageError(
            "SEG512", f"the inputs of run {found.id} were vacuumed", hint="explain it as of its time: `--as-of`"
        )
    return found


def _changed_since(session: Session, name: str, run: Run) -> tuple[str, ...]:
    """What is not as the run had it; list files have been read by now."""
    from segctl.state.runs import runs

    before = origin_of(run, name, session.definitions, runs(session.workspace))
    return before.changes_to(origin_today(session, name))


def _in_force(session: Session, name: str, subjects: tuple[int, ...], language: Language) -> dict[str, Any]:
    from segctl.state.memberships import in_force, intervals
    from segctl.state.runs import find_run

    run_id = in_force(session.workspace, name)
    if run_id is None:
        return {}
    stays = [s for s in intervals(session.workspace, subjects) if s.segment == name]
    found = {
        "in_force": any(s.left_at is None for s in stays),
        "in_force_as_of": find_run(session.workspace, run_id).as_of,
    }
    if not stays:
        return found
    last = stays[-1]
    at, why = (last.entered_at, last.entered_cause) if last.left_at is None else (last.left_at, last.left_cause)
    words = translated(session, name, language)
    return {
        **found,
        "moved_at": at,
        "moved_why": say(why, zone=session.project.timezone, language=language, said=words),
    }


def _event_rows(rows: Iterable[dict[str, Any]]) -> list[EventRow]:
    return [
        EventRow(
            kind=row["kind"],
            ts=row["ts"],
            source=row["source"],
            event_id=row["event_id"],
            values={name: value for name, value in row.items() if name not in _LINEAGE and value is not None},
        )
        for row in rows
    ]


def _change_rows(data: EngineInput, subject: int) -> list[EventRow]:
    return [
        EventRow(f"{HISTORY}{trait}", row["ts"], row["source"], row["event_id"], {"old": row["old"], "new": row["new"]})
        for trait, changes in data.changes.items()
        for row in changes.filter(changes["subject"] == subject).iter_rows(named=True)
    ]


def _profile_row(session: Session, lowered: ir.LoweredSegment, row: dict[str, Any]) -> ProfileRow:
    from segctl.engines.scope import list_column

    lists = [node for node in walk(lowered.where) if isinstance(node, ir.InList)]
    declared = (trait.name for trait in session.project.traits)
    consents = (name for name in row if consent_column(name) is not None)
    return ProfileRow(
        profile_id=row["profile_id"],
        traits={n: row[n] for n in (*declared, *consents) if row.get(n) is not None},
        lists={node: bool(row[list_column(node)]) for node in lists},
    )


def _places(session: Session, events: Any) -> dict[tuple[str, str], str]:  # noqa: ANN401 - a frame, loaded lazily
    from segctl.operations.profile import Places

    places = Places(session)
    found = {}
    for source, event_id, file_id, line in events.select("source", "event_id", "file_id", "line").iter_rows():
        place = places.name(file_id, line)
        if place is not None:
            found[source, event_id] = place
    return found

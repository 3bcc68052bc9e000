"""Which segments a run evaluates: not those that are paused, and of those that have ended only to let everybody go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass
from segctl.operations.expiry import expired, notice
from segctl.operations.freshness import Freshness, freshness
from segctl.operations.pauses import Paused, in_words, paused_now

if TYPE_CHECKING:
    from segctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class Running:
    """What a run may touch.

    Attributes:
        names: Segments that it evaluates.
        expired: Of these, the ones that have ended and still have members.
        defined: Segments that are there, so that nobody leaves them as if their definition were gone; None when
            nothing may be removed because everything is paused.
        paused: Segment that is left out → why, in words.
        everything: Why, when all is paused.
        fresh: What `fresh` finds.
        notices: Sentences on segments that end soon.
    """

    names: tuple[str, ...]
    expired: tuple[str, ...]
    defined: Collection[str] | None
    paused: Mapping[str, str]
    everything: str | None
    fresh: Freshness
    notices: tuple[str, ...]

    @property
    def note(self) -> dict[str, Any]:
        """What a run keeps of it; nothing where all is as usual."""
        found: dict[str, Any] = {
            "expired": list(self.expired),
            "paused": sorted(self.paused),
            "stale": {name: list(sentences) for name, sentences in self.fresh.marked.items()},
            "held": {name: [one.message for one in broken] for name, broken in self.fresh.refused.items()},
        }
        return {key: value for key, value in found.items() if value}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of segments that are evaluated."""
        marks = tuple(sentence for sentences in self.fresh.marked.values() for sentence in sentences)
        return (*self.notices, *(f"stale: {sentence}" for sentence in marks))


def running(session: Session, names: Iterable[str], *, as_of: datetime, snapshot: int) -> Running:
    """What an evaluation of these segments touches.

    Args:
        session: Open project and workspace.
        names: Segments that are asked for.
        as_of: Valid time of the evaluation.
        snapshot: What is known.
    """
    segments, zone = session.definitions.segments, session.project.timezone
    stopped = paused_now(session.workspace, segments)
    going = [name for name in names if name not in stopped.segments]
    ended = expired(segments, going, as_of, zone)
    leaving = _with_members(session, ended)
    evaluated = tuple(name for name in going if name not in ended or name in leaving)
    alive = [name for name in evaluated if name not in leaving]
    told = (notice(name, segments[name].expires, as_of, zone) for name in alive)
    return Running(
        names=evaluated,
        expired=tuple(sorted(leaving)),
        defined=None if stopped.everything is not None else {*segments, *_on_record(session)},
        paused=_in_words(session, {n: p for n, p in stopped.segments.items() if n in set(names)}),
        everything=None if stopped.everything is None else in_words(stopped.everything, _day(session, stopped)),
        fresh=freshness(session, alive, as_of=as_of, snapshot=snapshot),
        notices=tuple(text for text in told if text is not None),
    )


def _with_members(session: Session, names: Iterable[str]) -> set[str]:
    from segctl.state.memberships import sizes

    names = list(names)
    if not names:
        return set()
    members = sizes(session.workspace)
    segments = session.definitions.segments
    return {name for name in names if any(members.get(one) for one in (name, *segments[name].formerly))}


def _on_record(session: Session) -> list[str]:
    """Segments that are paused by name, be they defined or not."""
    from segctl.state.pauses import paused

    return [name for kind, name in paused(session.workspace) if kind == "segment"]


def _in_words(session: Session, stopped: Mapping[str, Any]) -> dict[str, str]:
    return {name: in_words(press, str(session.local(press.at).date())) for name, press in stopped.items()}


def _day(session: Session, stopped: Paused) -> str:
    return "" if stopped.everything is None else str(session.local(stopped.everything.at).date())

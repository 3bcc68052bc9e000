"""What keeps an audience from being told: guards, the stop button, and removals on a scale that somebody must want."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segctl.model.conditions.segments import Guards
from segctl.operations.guards import broken, loosened
from segctl.operations.pauses import in_words, paused_now

if TYPE_CHECKING:
    from segctl.model.destinations import Destination
    from segctl.operations.apply import Allowed
    from segctl.operations.push.work import Part
    from segctl.operations.session import Session

MASS = 100
"""Fewer people are no mass removal."""
MASS_SHARE = 0.25
"""Of the people there."""


def limit(session: Session, part: Part, destination: Destination, allowed: Allowed) -> None:
    """Writes to a part why nobody may be told: a pause, or a guard that its change breaks.

    A paused part still takes out who leaves. Of a refused one only those are taken out who withdrew: no guard stands
    against that.
    """
    part.paused = _pause(session, part)
    if part.delta is None:
        return
    segment = session.definitions.segments.get(part.segment)
    own = Guards() if segment is None else segment.guards
    shares = Guards(max_removed=own.max_removed, max_added=own.max_added)
    why = [sentence for guards in (shares, destination.guards)
           for sentence in _broken(part, loosened(guards, part.segment, allowed.limits))]  # fmt: skip
    if why:
        part.refused = "; ".join(dict.fromkeys([*([part.refused] if part.refused else []), *why]))
        part.leavers = ()


def is_mass_removal(part: Part) -> bool:
    """So many leave at once that their audience's name is to be typed."""
    before = part.delta.before if part.delta is not None else 0
    return len(part.leavers) >= MASS and len(part.leavers) >= MASS_SHARE * before


def _broken(part: Part, guards: Guards) -> list[str]:
    delta = part.delta
    assert delta is not None
    came = len(delta.adds) if part.paused is None else 0
    after = delta.before + came - part.removals
    if part.removals == 0 and part.additions == 0:
        return []
    if part.mode != "mirror":
        guards = replace(guards, max_removed=None)
    found = broken(f"{part.segment}` at `{part.destination}", guards, before=delta.before, entered=came,
                   left=len(part.leavers), after=after)  # fmt: skip
    return [one.message for one in found]


def _pause(session: Session, part: Part) -> str | None:
    segments = session.definitions.segments
    stopped = paused_now(session.workspace, segments)
    press = stopped.segments.get(part.segment) or stopped.destinations.get(part.destination) or stopped.everything
    if press is not None:
        return in_words(press, str(session.local(press.at).date()))
    segment = segments.get(part.segment)
    return "paused by its definition" if segment is not None and segment.status == "paused" else None

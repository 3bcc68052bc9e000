"""The stop button: pause and resume segments and destinations, and what is paused now.

A paused segment is not evaluated and keeps its members; a paused destination gets nothing. What is paused is kept in
the workspace, not in YAML, so it takes effect at once and needs no release; every press stays on record.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.compile.suggest import nearest
from segctl.model.conditions import SegmentDefinition
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError

if TYPE_CHECKING:
    from segctl.operations.session import Session
    from segctl.state.pauses import Action, Kind, Pause
    from segctl.state.workspace import Workspace

ALL = ("all", "")


@dataclass(frozen=True, slots=True)
class Pressed:
    """What one press meant for one thing.

    Attributes:
        is_new: It was not so before; otherwise nothing was recorded for it.
        pause: The row that holds now: that of the pause, or of what was resumed.
    """

    kind: str
    name: str
    is_new: bool
    pause: Pause


@dataclass(frozen=True, slots=True)
class Paused:
    """What is paused, by the names of today.

    Attributes:
        everything: The press that stopped all, None when there is none.
        segments: Segment → the press that stopped it; under `everything` every segment.
        destinations: Likewise, of those that were stopped by name.
    """

    everything: Pause | None
    segments: Mapping[str, Pause]
    destinations: Mapping[str, Pause]


def paused_now(workspace: Workspace, segments: Mapping[str, SegmentDefinition | tuple[str, ...]]) -> Paused:
    """What is paused now.

    Args:
        workspace: Where it is recorded.
        segments: Every segment with its definition, or with its former names; a pause goes along with a new name.
    """
    from segctl.state.pauses import paused

    found = paused(workspace)
    everything = found.get(("all", ""))
    stopped = {}
    for name, of in segments.items():
        former = of.formerly if isinstance(of, SegmentDefinition) else of
        names = [name, *(old for old in reversed(former) if old not in segments)]
        press = next((found["segment", one] for one in names if ("segment", one) in found), everything)
        if press is not None:
            stopped[name] = press
    destinations = {name: press for (kind, name), press in found.items() if kind == "destination"}
    return Paused(everything, stopped, destinations)


def press(
    session: Session,
    action: Action,
    names: Sequence[str],
    *,
    everything: bool,
    reason: str | None,
    now: datetime,
    dry_run: bool = False,
) -> tuple[Pressed, ...]:
    """Pause or resume segments and destinations.

    What is so already stays as it is, so a press can be repeated. `resume` of everything resumes what was paused by
    name too.

    Args:
        session: Open project and workspace.
        action: ``pause`` or ``resume``.
        names: Segments or destinations; ``segment:NAME`` and ``destination:NAME`` where one name is both.
        everything: All of them, also those to come.
        reason: Kept on record; a pause needs one.
        now: Wall clock.
        dry_run: Say what would be recorded.

    Raises:
        UsageError: An unknown name, none at all, a pause without a reason, or one thing resumed while all is paused.
    """
    from segctl.state.pauses import Pause, paused, record_pauses

    said = (reason or "").strip() or None
    found = paused(session.workspace)
    if bool(names) == everything:
        raise UsageError(
            "SEG580", f"`{action}` takes names, or `--all`",
            hint=f"`segctl {action} NAME`, or `segctl {action} --all`",
        )  # fmt: skip
    if action == "pause" and said is None:
        raise UsageError("SEG581", "`pause` needs a reason, which is kept on record", hint='add `--reason "…"`')
    if everything:
        things = [ALL] if action == "pause" else sorted({ALL, *found})
    else:
        things = list(dict.fromkeys(_thing(session, name, found) for name in names))
    if action == "resume" and not everything and ALL in found:
        raise UsageError(
            "SEG584", "everything is paused, so one thing cannot be resumed alone",
            why=f"paused with `--all`: {found['all', ''].reason}",
            hint="`segctl resume --all`, then pause the others by name",
        )  # fmt: skip
    presses = [Pause(kind, name, action, now, _who(), said) for kind, name in things]  # type: ignore[arg-type]  # a tuple of words
    done = [p for p in presses if (action == "pause") != ((p.kind, p.name) in found)]
    if not dry_run:
        if action == "resume" and everything:
            from segctl.operations.workflow.workflow import pass_over_paused

            pass_over_paused(session, now=now)
        done = record_pauses(session.workspace, presses)
    changed = {(p.kind, p.name) for p in done}
    told = [p for p in presses if not everything or action == "pause" or (p.kind, p.name) in found]
    return tuple(_pressed(p, found, is_new=(p.kind, p.name) in changed) for p in told)


def _pressed(press: Pause, found: Mapping[tuple[Kind, str], Pause], *, is_new: bool) -> Pressed:
    before = found.get((press.kind, press.name), press)
    return Pressed(press.kind, press.name, is_new, press if is_new else before)


def _thing(session: Session, written: str, found: Mapping[tuple[Kind, str], Pause]) -> tuple[str, str]:
    """The kind and name that a person means.

    Raises:
        UsageError: Neither a segment nor a destination, or both.
    """
    kind, _, name = written.rpartition(":")
    segments = session.definitions.segments
    destinations = sorted({to for segment in segments.values() for to in segment.send_to})
    known = {"segment": set(segments), "destination": set(destinations)}
    if kind not in ("", *known):
        raise UsageError("SEG582", f"`{kind}:` is no kind", hint="write `segment:NAME` or `destination:NAME`")
    kinds = [one for one in known if kind in ("", one) and (name in known[one] or (one, name) in found)]
    if len(kinds) > 1:
        raise UsageError(
            "SEG583", f"`{name}` is a segment and a destination",
            hint=f"write `segment:{name}` or `destination:{name}`",
        )  # fmt: skip
    if not kinds:
        near = nearest(name, (*segments, *destinations))
        raise UsageError(
            "SEG582", f"`{name}` is neither a segment nor a destination of one",
            hint=f"did you mean `{near}`?" if near else "`segctl ls` lists the segments, `send_to` names destinations",
        )  # fmt: skip
    return kinds[0], name


def _who() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name
        return None


def in_words(press: Pause, day: str) -> str:
    """For instance ``paused since 2026-11-22 by anna: data are wrong``."""
    by = f" by {press.who}" if press.who else ""
    said = f": {press.reason}" if press.reason else ""
    return f"paused{' with everything' if press.kind == 'all' else ''} since {day}{by}{said}"


def stale_pauses(workspace: Workspace, names: Iterable[str], segments: Mapping[str, SegmentDefinition]) -> list[str]:
    """Those of the names that are paused now."""
    stopped = paused_now(workspace, segments).segments
    return [name for name in names if name in stopped]

"""Who is tried again, when, and for how long: one person's failures keep nobody else waiting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from segctl.operations.workflow.world import Result
from segctl.state.workflows import Settled, Troubled

if TYPE_CHECKING:
    from segctl.state.workflows import EffectState

_MINUTE_US = 60_000_000
_LONGEST_US = 60 * _MINUTE_US
GIVES_UP_US = 5 * 24 * 60 * _MINUTE_US
"""As mail servers do: RFC 5321 §4.5.4.1 wants four or five days."""
_LEAST_TRIES = 3
IN_A_ROW = 5
"""So many people whom a destination fails one after the other are no people's fault."""


def next_try(one: Troubled) -> int:
    """When an effect is tried again: after a minute, then twice as long each time, at most an hour."""
    return one.last + int(min(_LONGEST_US, _MINUTE_US * 2 ** min(one.tries - 1, 10)))


def in_order(keys: Sequence[str], troubles: Mapping[str, Troubled], now: int) -> tuple[list[str], list[str]]:
    """Whom to try now, those without troubles first, and who has to wait.

    Whoever failed longest ago comes first of the others, so that the same few cannot use up all tries.
    """
    fresh = [key for key in keys if key not in troubles]
    again = sorted((troubles[key] for key in keys if key in troubles), key=lambda one: (one.last, one.key))
    due = [one.key for one in again if next_try(one) <= now]
    return fresh + due, [one.key for one in again if next_try(one) > now]


def troubled(key: str, before: Troubled | None, result: Result, now: int) -> Troubled | Settled:
    """One more try in vain; given up when it has gone on for five days."""
    since, tries = (now, 1) if before is None else (before.since, before.tries + 1)
    if now - since < GIVES_UP_US or tries < _LEAST_TRIES:
        return Troubled(key, since, now, tries, result.reason)
    # What may have happened is left to a person, who can look it up there.
    state: EffectState = "unknown" if result.outcome == "again" else "invalid"
    return Settled(key, state, now, f"given up after {tries:,} tries: {result.reason or 'not now'}")

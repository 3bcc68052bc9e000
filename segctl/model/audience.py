"""Words of an audience: its steps, what keeps people out at each, priority lists, caps and holdouts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.times import Duration

StepName = Literal[
    "members", "identifier", "consent", "suppression", "cap", "holdout", "priority", "change", "accepted"
]
STEPS: tuple[StepName, ...] = (
    "members", "identifier", "consent", "suppression", "cap", "holdout", "priority", "change", "accepted",
)  # fmt: skip
"""In the order in which they decide; somebody who falls out at one is not counted at a later one."""
GATE: tuple[StepName, ...] = STEPS[1:7]
"""Steps that decide who may be told; the two behind them say what there is to tell and what was taken."""
PROFILE_ID = "profile_id"
"""Stands in `identify` for the profile's own id."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a waterfall; counts are profiles.

    Attributes:
        left: After the step.
        dropped: At the step.
        reasons: Reason code → profiles, together `dropped`.
        details: Reason code, detail → profiles, where a reason has one: who displaced them, which cap, which holdout.
    """

    name: StepName
    left: int
    dropped: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    details: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PriorityList:
    """Segments of which a profile goes to the first only.

    Attributes:
        segments: The first wins.
    """

    name: str
    segments: tuple[str, ...]
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Holdout:
    """A segment whose members are kept out of every push."""

    name: str
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Cap:
    """How often somebody may be contacted, over all destinations together.

    Attributes:
        at_most: Contacts in the window; the next one waits.
        within_last: Length of the window.
        channel: Counts and keeps back only contacts over it; None for all.
        purpose: Likewise for what they are for.
    """

    name: str
    at_most: int
    within_last: Duration
    channel: str | None = None
    purpose: str | None = None
    location: Location | None = field(default=None, compare=False)

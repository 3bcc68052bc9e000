"""Conditions on the consent that a profile's contact points have given."""

from __future__ import annotations

from dataclasses import field
from typing import Final, Literal, get_args

from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.times import Window

ConsentStatus = Literal["confirmed", "requested", "withdrawn", "objected", "expired", "denied", "none"]
CONSENT_STATUSES: Final[tuple[ConsentStatus, ...]] = get_args(ConsentStatus)
"""What can be asked for; the first is meant where none is named."""


@dataclass(frozen=True, slots=True)
class ConsentCondition:
    """The state of a consent at as_of, as the gate before a push sees it.

    A profile has the least permissive state of all its contact points of the channel's kind; without any, or without
    any word of theirs, it is ``none``. The state is never unknown; its age is where there is none.

    Attributes:
        purpose: Declared purpose.
        channel: Way on which the profile would be contacted, such as ``email``.
        status: State asked for.
        window: When that state began; None for any time.
    """

    purpose: str
    channel: str
    status: ConsentStatus = "confirmed"
    window: Window | None = None
    location: Location | None = field(default=None, compare=False)

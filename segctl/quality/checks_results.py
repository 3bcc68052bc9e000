"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from segctl.model.contracts import Check


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check after all rows were seen.

    Attributes:
        check: As declared.
        passed: Nothing to object; also when there was nothing to compare with.
        observed: The figure that was looked at, as text for people.
        wanted: The bound, as text.
        previous: The figure of the last run, None when there was none.
        lines: Lines of rows that break it, at most three.
        told: One sentence about it.
    """

    check: Check
    passed: bool
    observed: str
    wanted: str
    previous: str | None = None
    lines: tuple[int, ...] = ()
    told: str = ""


Facts = dict[str, Any]
"""What is remembered for the next run, as JSON: check name → figures."""

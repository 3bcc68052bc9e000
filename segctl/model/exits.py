"""Exit codes: what a caller should do next."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """The promise of `segctl help exit-codes`."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    DATA = 3
    REFUSED = 4
    PARTIAL = 5
    INTEGRITY = 6
    BUG = 70
    IO = 74
    TEMPORARY = 75
    INTERRUPTED = 130
    PIPE = 141
    TERMINATED = 143


_PRECEDENCE = (70, 6, 2, 4, 3, 5, 74, 75, 1, 0)


def worst(codes: Iterable[int]) -> ExitCode:
    """The code to leave with when several apply: 70 > 6 > 2 > 4 > 3 > 5 > 74 > 75 > 1 > 0."""
    present = set(codes)
    return ExitCode(next((code for code in _PRECEDENCE if code in present), 0))

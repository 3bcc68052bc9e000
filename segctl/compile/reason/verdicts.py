"""The verdicts on a project's segments, worked out once for all rules that tell them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from segctl.compile.reason.analysis import Analyst, Verdict
from segctl.compile.reason.likeness import Alike, alike
from segctl.compile.zones import day_start
from segctl.model.project import Definitions

_LAST: list[tuple[Definitions, date, Analyst, list[Verdict]]] = []
_ALIKE: list[tuple[Definitions, list[Alike]]] = []


def verdicts(definitions: Definitions, today: date, *kinds: str) -> Iterator[Verdict]:
    """What is certain of segments from today on, in order of segment.

    Args:
        definitions: All of them.
        today: No earlier `as_of` is thought of.
        kinds: Those that are wanted.
    """
    return (verdict for verdict in _judged(definitions, today)[1] if verdict.kind in kinds)


def analyst(definitions: Definitions, today: date) -> Analyst:
    """The one that judged."""
    return _judged(definitions, today)[0]


def alike_segments(definitions: Definitions, today: date) -> list[Alike]:
    """Segments that mean the same as another one, or nearly."""
    if not _ALIKE or _ALIKE[0][0] is not definitions:
        reader = analyst(definitions, today).reader
        _ALIKE[:] = [(definitions, list(alike(reader, tuple(definitions.segments.values()))))]
    return _ALIKE[0][1]


def _judged(definitions: Definitions, today: date) -> tuple[Analyst, list[Verdict]]:
    if not _LAST or _LAST[0][0] is not definitions or _LAST[0][1] != today:
        judge = Analyst(definitions, day_start(today, definitions.project.timezone))
        found = [verdict for segment in definitions.segments.values() for verdict in judge.verdicts(segment)]
        _LAST[:] = [(definitions, today, judge, found)]
    return _LAST[0][2], _LAST[0][3]

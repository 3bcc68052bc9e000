"""Findings that a comment in the definitions accepts, and comments that accept nothing or no longer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from segctl.compile.definition_files import DefinitionFile
from segctl.compile.waivers import Waiver, waivers_in
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic, Severity
from segctl.operations.lint.rules import Judged


@dataclass(frozen=True, slots=True)
class Waived:
    """Findings that are left, what is wrong with waivers, and what was accepted with its reason."""

    left: tuple[Judged, ...]
    problems: tuple[Diagnostic, ...]
    accepted: tuple[tuple[Diagnostic, str], ...]


def waive(found: Iterable[Judged], files: Iterable[DefinitionFile], today: date, *, is_complete: bool = True) -> Waived:
    """Take the accepted findings away.

    Args:
        found: What the rules found.
        files: Where waivers may stand.
        today: Waivers hold up to their day, that day included.
        is_complete: Every rule could look at everything, so a waiver without a finding is of no use.
    """
    waivers: dict[tuple[str, int, str], Waiver] = {}
    problems: list[Diagnostic] = []
    for file in files:
        own, wrong = waivers_in(file)
        waivers |= {(file.path, waiver.line, waiver.code): waiver for waiver in own}
        problems += wrong
    left: list[Judged] = []
    accepted: list[tuple[Diagnostic, str]] = []
    used: set[tuple[str, int, str]] = set()
    for judged in found:
        place = judged.diagnostic.location
        key = (place.file, place.line, judged.diagnostic.code) if place is not None else None
        waiver = waivers.get(key) if key is not None else None
        if key is not None and waiver is not None:
            used.add(key)
        if waiver is not None and waiver.until >= today:
            accepted.append((judged.diagnostic, waiver.reason))
        else:
            left.append(judged)
    for key, waiver in waivers.items():
        problem = _problem(waiver, today, is_used=key in used or not is_complete)
        problems += [problem] if problem is not None else []
    return Waived(tuple(left), tuple(problems), tuple(accepted))


def _problem(waiver: Waiver, today: date, *, is_used: bool) -> Diagnostic | None:
    if not is_used:
        message = f"the waiver of `{waiver.name}` is not needed: the rule finds nothing in line {waiver.line}"
        return Diagnostic("SEG133", Severity.WARNING, message, waiver.location, hint="delete the comment")
    if waiver.until < today:
        message = f"the waiver of `{waiver.name}` has expired on {waiver.until}"
        hint = f"mend what the rule finds, or set a new day if this still holds: {waiver.reason}"
        return Diagnostic("SEG132", Severity.WARNING, message, waiver.location, hint=hint)
    return None

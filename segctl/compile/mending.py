"""Edits for mistakes of form whose mended words the diagnostic already knows, where they cannot mean anything else."""

from __future__ import annotations

import re

from segctl.compile.definition_files import DefinitionFile
from segctl.compile.rules.base import Edit
from segctl.model.diagnostics import Diagnostic, Location

_MENDED = re.compile(r"(?:write|did you mean) `(?P<new>[^`]+)`\??")
_KEYS = frozenset({"SEG210", "SEG213", "SEG300"})
_IS_KEY = re.compile(r"` is (?:not a key of|no key of|not a kind of)\b")
_VALUES = frozenset({"SEG129", "SEG230", "SEG231", "SEG232", "SEG233", "SEG234"})
_SIGNS = re.compile(r"[\s\"'\\:]")


def mending(finding: Diagnostic, file: DefinitionFile) -> Edit | None:
    """The edit that mends a finding, None when there is more than one way or none.

    Names of traits, events and segments are never guessed: another name is another meaning.
    """
    place = finding.location
    mended = _MENDED.fullmatch(finding.hint or "")
    if place is None or mended is None:
        return None
    lines = file.content.decode("utf-8-sig", errors="replace").splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    new = mended["new"]
    if finding.code == "SEG201":
        return _line(line, new, place)
    old = line[place.column - 1 : place.column - 1 + place.length]
    if finding.code in _KEYS:
        is_key = _IS_KEY.search(finding.message) is not None and old.strip("\"'") in finding.message
        return Edit(place, old, new) if is_key and line[place.column - 1 + len(old) :].lstrip()[:1] == ":" else None
    if finding.code in _VALUES and old.strip("\"'") in finding.message and _is_certain(finding.code, old, new):
        return Edit(place, old, new)
    return None


def _is_certain(code: str, old: str, new: str) -> bool:
    if code == "SEG230":
        return new in ("true", "false")
    # `KW 47` says nothing about the year, so the hint's is only an example.
    return code != "SEG234" or new[:4] in old


def _line(line: str, new: str, place: Location) -> Edit | None:
    """A whole line in which only quotes and blanks are missing."""
    old = line.strip()
    if not old or _SIGNS.sub("", old) != _SIGNS.sub("", new):
        return None
    return Edit(Location(place.file, place.line, line.index(old) + 1, len(old)), old, new)

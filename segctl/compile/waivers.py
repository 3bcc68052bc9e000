"""Waivers: comments that accept findings of a lint rule in one line, with a reason and up to a day.

`# lint: allow always_true until 2026-12-31 because the campaign speaks to everybody`
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import yaml

from segctl.compile.bind.lint import rule_code, rule_hint
from segctl.compile.bind.scope import shown
from segctl.compile.definition_files import DefinitionFile
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic, Location, Severity

FORM = "# lint: allow RULE until 2026-12-31 because REASON"
_BEGIN = re.compile(r"#\s*lint\s*:", re.IGNORECASE)
_PARTS = re.compile(
    r"#\s*lint\s*:\s*(?:(?P<verb>allow)\b)?\s*(?P<rules>.*?)\s*"
    r"(?:\buntil\s+(?P<until>\S+)\s*)?(?:\bbecause\b\s*(?P<reason>.*))?$",
    re.IGNORECASE,
)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_GERMAN_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})\Z")


@dataclass(frozen=True, slots=True)
class Waiver:
    """One accepted rule in one line.

    Attributes:
        code: Of the rule.
        name: The rule as it was written.
        line: Whose findings are accepted.
        until: Last day on which it holds.
        reason: In the user's words.
        location: Of the comment.
    """

    code: str
    name: str
    line: int
    until: date
    reason: str
    location: Location


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of a YAML file: where it stands, and the line it speaks about."""

    text: str
    location: Location
    line: int


def waivers_in(file: DefinitionFile) -> tuple[list[Waiver], list[Diagnostic]]:
    """All waivers of a file, and what is wrong with those that are none."""
    waivers: list[Waiver] = []
    problems: list[Diagnostic] = []
    # Scanning takes as long as reading the file did, and few files have a waiver.
    if b"lint" not in file.content.lower():
        return waivers, problems
    for comment in comments_in(file):
        if _BEGIN.match(comment.text):
            _bind(comment, waivers, problems)
    return waivers, problems


def comments_in(file: DefinitionFile) -> Iterator[Comment]:
    """The comments of a file; a `#` inside of a text is none."""
    text = file.content.decode("utf-8-sig", errors="replace")
    lines = re.split(r"\r\n|\r|\n", _without_scalars(text))
    for number, line in enumerate(lines):
        start = _start(line)
        if start is None:
            continue
        comment = line[start:].rstrip()
        speaks_of = number if line[:start].strip() else _next(lines, number)
        yield Comment(comment, Location(file.path, number + 1, start + 1, len(comment)), speaks_of + 1)


def _without_scalars(text: str) -> str:
    """The text with `x` for every sign of a scalar but line ends, so that a `#` that is left begins a comment."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    spans = []
    try:
        while (token := loader.get_token()) is not None:
            if isinstance(token, yaml.ScalarToken) and token.start_mark.index < token.end_mark.index:
                spans.append((token.start_mark.index, token.end_mark.index))
    except yaml.YAMLError:
        return ""
    finally:
        loader.dispose()
    pieces, done = [], 0
    for start, end in spans:
        pieces += [text[done:start], re.sub(r"[^\r\n]", "x", text[start:end])]
        done = end
    return "".join([*pieces, text[done:]])


def _start(line: str) -> int | None:
    found = re.search(r"(?:^|(?<=\s))#", line)
    return None if found is None else found.start()


def _next(lines: list[str], number: int) -> int:
    """The line of the definition that a comment on a line of its own stands above."""
    following = (n for n in range(number + 1, len(lines)) if lines[n].strip() and not lines[n].lstrip().startswith("#"))
    return next(following, number)


def _bind(comment: Comment, waivers: list[Waiver], problems: list[Diagnostic]) -> None:
    parts = _PARTS.match(comment.text)
    names = re.split(r"[,\s]+", parts["rules"].strip(" ,")) if parts is not None and parts["rules"].strip(" ,") else []
    until = _day(parts["until"]) if parts is not None and parts["until"] else None
    problem = _problem(parts, names, until)
    if problem is not None or parts is None or until is None:
        message, hint = problem or ("this is no waiver", f"write `{FORM}`")
        problems.append(Diagnostic("SEG131", Severity.ERROR, message, comment.location, hint=hint))
        return
    for name in names:
        code = rule_code(name)
        if code is None:
            place = Location(
                comment.location.file,
                comment.location.line,
                comment.location.column + comment.text.find(name, parts.start("rules")),
                len(name),
            )
            message = f"there is no lint rule {shown(name)}"
            problems.append(Diagnostic("SEG128", Severity.ERROR, message, place, hint=rule_hint(name)))
            continue
        waivers.append(Waiver(code, name, comment.line, until, parts["reason"].strip(), comment.location))


def _problem(parts: re.Match[str] | None, names: list[str], until: date | None) -> tuple[str, str] | None:
    """What a waiver lacks, and what to write."""
    if parts is None or not parts["verb"] or not names:
        return "a waiver names the rule that it allows", f"write `{FORM}`"
    if not parts["until"]:
        return "the waiver has no last day", f"write `{FORM}`"
    if until is None:
        german = _GERMAN_DAY.match(parts["until"])
        mended = f"{german[3]}-{int(german[2]):02}-{int(german[1]):02}" if german else "2026-12-31"
        return f"{shown(parts['until'])} is no day", f"write `until {mended}`"
    if not (parts["reason"] or "").strip():
        return "the waiver has no reason", "end it with `because` and the reason"
    return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.match(text) else None
    except ValueError:
        return None

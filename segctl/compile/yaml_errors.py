"""What a YAML parser complains about, in words for the person who typed it, with the mended line where it is clear."""

from __future__ import annotations

import re

import yaml

from segctl.model.diagnostics import Diagnostic, Location, Severity

_KEY_VALUE = re.compile(r"^(?P<head>\s*(?:- +)*(?:[^\s:#'\"\[\]{},][^:#'\"\[\]{},]*?):[ \t]+)(?P<value>.*?)\s*$")
_COMMENT = re.compile(r"(\s+#.*)")
_NO_BLANK = re.compile(r"^\s*(?:- +)?[A-Za-z_][\w.]*:[^\s:/]")
_NEVER_CLOSED = ("unexpected end of stream", "document indicator", "',' or")
MAX_SHOWN = 120


def explain(error: yaml.YAMLError, text: str, file: str) -> Diagnostic:
    """A syntax error as a diagnostic at the place where it can be mended."""
    mark, opened = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    problem = " ".join(str(part) for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part)
    if mark is None or (opened is not None and any(part in problem for part in _NEVER_CLOSED)):
        mark = opened
    lines = re.split(r"\r\n|\r|\n", text)
    row = min(mark.line, len(lines) - 1) if mark is not None else 0
    column = mark.column if mark is not None else 0
    line = lines[row]
    if "mapping values are not allowed" in problem and ":" not in line[:column] and row > 0:
        message, hint, row = _unfinished(lines, row)
        line, column = lines[row], len(lines[row]) - len(lines[row].lstrip())
    else:
        message, hint = _words(problem, line, column, lines, row)
    width = min(column, len(line))
    return Diagnostic("SEG201", Severity.ERROR, message, Location(file, row + 1, width + 1), hint=hint)


def bad_key(location: Location) -> Diagnostic:
    """A list or mapping stands where a name should."""
    message = "a list or mapping stands in the place of a key"
    return Diagnostic("SEG203", Severity.ERROR, message, location, hint="a text with `{` or `[` needs quotes")


def quoted(line: str) -> str | None:
    """The line with its value in quotes, None when it has no clear value."""
    found = _KEY_VALUE.match(line)
    if found is None or not found["value"] or len(line) > MAX_SHOWN:
        return None
    value, comment, _ = (*_COMMENT.split(found["value"], maxsplit=1), "", "")[:3]
    value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{found["head"]}"{value}"{comment}'.strip()


def _words(problem: str, line: str, column: int, lines: list[str], row: int) -> tuple[str, str]:
    if "mapping values are not allowed" in problem:
        mended = quoted(line)
        if mended is not None:
            return "a second `: ` stands in the value", f"write `{mended}`"
        return "a `:` stands where no key can be", "check the indentation of this line and the one above"
    if "tab" in problem.lower() or line[column : column + 1] == "\t" or _indented_by_tab(line, lines, row):
        return "a tab stands where blanks should", "indent with blanks"
    if "cannot start any token" in problem:
        return _bad_start(line, column)
    if "alias" in problem or "anchor" in problem:
        return "`*` and `&` have a meaning of their own in YAML", 'write `"*"` in quotes'
    if "escape" in problem:
        return "a backslash in double quotes starts an escape", "use single quotes: '\\d' stays as it is"
    if _NEVER_CLOSED[0] in problem or _NEVER_CLOSED[1] in problem:
        return "a quote is opened and never closed", "close it, on the same line"
    if _NEVER_CLOSED[2] in problem:
        return "a list or mapping in brackets is not closed here", "check brackets and commas"
    return _general(line, lines, row)


def _unfinished(lines: list[str], row: int) -> tuple[str, str, int]:
    """The line above was taken for a text that goes on: it has no value of its own, or this one stands too far in."""
    above = next((n for n in range(row - 1, -1, -1) if lines[n].strip()), row - 1)
    before, here = lines[above], lines[row]
    if _NO_BLANK.match(before):
        return *_general(before, lines, above), above
    if len(here) - len(here.lstrip()) > len(before) - len(before.lstrip()) and ":" in before:
        return "this line is indented further than the one above", "let keys of one mapping start in one column", row
    return *_general(before, lines, above), above


def _indented_by_tab(line: str, lines: list[str], row: int) -> bool:
    near = (line, lines[row - 1] if row else "")
    return any("\t" in part[: len(part) - len(part.lstrip())] for part in near)


def _bad_start(line: str, column: int) -> tuple[str, str]:
    character = line[column : column + 1]
    mended = quoted(line)
    hint = f"write `{mended}`" if mended is not None else "put the text in quotes"
    return f"a value cannot start with `{character}`", hint


def _general(line: str, lines: list[str], row: int) -> tuple[str, str]:
    for number in (row, row - 1):
        near = lines[number] if number >= 0 else ""
        if _NO_BLANK.match(near):
            return "a blank is missing after `:`", f"write `{near.strip().replace(':', ': ', 1)[:MAX_SHOWN]}`"
        found = _KEY_VALUE.match(near)
        if found is None or found["value"][:1] not in ('"', "'", "[", "{") or not found["value"]:
            continue
        mended = quoted(near) if not _closes(found["value"]) else _requoted(found["head"], found["value"])
        if mended is not None:
            return "text follows behind a closing bracket or quote", f"write `{mended}`"
    if ":" not in line and line.strip() and not line.strip().startswith("-"):
        return "this line has no `key: value`", "every line of a mapping needs `: ` between key and value"
    return "this is not valid YAML", "check the indentation of this line and the one above"


def _requoted(head: str, value: str) -> str | None:
    """`'it's'` as `"it's"`: a quote of the same kind stands inside."""
    quote, inner = value[0], value[1:-1]
    if quote not in ("'", '"') or quote not in inner or len(head + value) > MAX_SHOWN:
        return None
    other = '"' if quote == "'" else "'"
    return f"{head}{other}{inner}{other}".strip() if other not in inner and "\\" not in inner else None


def _closes(value: str) -> bool:
    ends = {'"': '"', "'": "'", "[": "]", "{": "}"}
    return value.endswith(ends[value[0]]) and len(value) > 1

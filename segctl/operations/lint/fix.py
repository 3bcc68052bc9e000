"""Safe repairs of what `lint` found: the text is changed in single places, and checked before it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from segctl.compile.edits import edited
from segctl.compile.mending import mending
from segctl.compile.rules.base import Edit
from segctl.compile.source import compose
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic, Severity
from segctl.operations.lint.result import LintResult
from segctl.operations.replacing import replace_file

_MOST_PASSES = 10


@dataclass(frozen=True, slots=True)
class Change:
    """One file that is mended.

    Attributes:
        path: Relative to the project.
        before: Its content.
        after: Its content, mended.
        edits: What was done, in the order it was done.
    """

    path: str
    before: bytes
    after: bytes
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Fixed:
    """Mended files, and what is still found in them and all others."""

    changes: tuple[Change, ...]
    result: LintResult


def fixed(look: Callable[[Mapping[str, bytes]], LintResult]) -> Fixed:
    """What the project would be like with all safe repairs; nothing is written.

    Args:
        look: Lints the project with other contents for some of its files.
    """
    contents: dict[str, bytes] = {}
    before: dict[str, bytes] = {}
    done: dict[str, list[Edit]] = {}
    refused: set[str] = set()
    result = look(contents)
    for _ in range(_MOST_PASSES):
        tried = _pass(result, refused)
        if not tried:
            break
        following = look({**contents, **{path: content for path, (content, _) in tried.items()}})
        worse = {path for path in tried if _errors(following, path) > _errors(result, path)}
        refused |= worse
        for path, (content, edits) in tried.items():
            if path not in worse:
                before.setdefault(path, result.contents[path].content)
                contents[path] = content
                done.setdefault(path, []).extend(edits)
        result = look(contents) if worse else following
    changes = (Change(path, before[path], contents[path], tuple(done[path])) for path in sorted(contents))
    return Fixed(tuple(changes), result)


def write(root: Path, changes: Iterable[Change]) -> list[Change]:
    """Replace the files on disk; one that was changed in the meantime is left alone.

    Returns:
        The changes that were written.
    """
    written = []
    for change in changes:
        path = root / change.path
        if path.read_bytes() == change.before:
            replace_file(path, change.after)
            written.append(change)
    return written


def _pass(result: LintResult, refused: set[str]) -> dict[str, tuple[bytes, tuple[Edit, ...]]]:
    """Files with the edits of one pass that leave them readable."""
    by_file: dict[str, list[Edit]] = {}
    for finding, edits in result.fixable:
        file = result.contents.get(finding.location.file) if finding.location is not None else None
        if file is None or file.path in refused:
            continue
        mended = mending(finding, file) if not edits else None
        by_file.setdefault(file.path, []).extend(edits or ((mended,) if mended is not None else ()))
    tried = {}
    for path, wanted in by_file.items():
        content, made = edited(result.contents[path].content, wanted)
        if made and len(compose(content, path)[1]) <= len(compose(result.contents[path].content, path)[1]):
            tried[path] = content, made
    return tried


def _errors(result: LintResult, path: str) -> float:
    """How many errors a file has; a text that cannot be read hides all that are below."""
    if result.contents[path].root is None:
        return float("inf")
    return sum(_is_error_in(finding, path) for finding in result.diagnostics)


def _is_error_in(finding: Diagnostic, path: str) -> bool:
    is_here = finding.location is not None and finding.location.file == path
    return is_here and finding.severity is Severity.ERROR

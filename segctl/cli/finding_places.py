"""Where findings lie for those who see the whole repository, and how one is known again after lines have moved."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from segctl.model.diagnostics import Diagnostic


def repository_folder(root: Path) -> str:
    """The way from the root of the repository to the project, such as ``crm/``; empty without a repository."""
    root = root.resolve()
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            inside = root.relative_to(folder).as_posix()
            return "" if inside == "." else f"{inside}/"
    return ""


def fingerprints(findings: Sequence[Diagnostic], root: Path) -> list[str]:
    """One name for each finding that stays the same when other lines come or go.

    It is made of the code, the file and the text of the line; equal ones are told apart by their order.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    texts: dict[str, list[str]] = {}
    names = []
    for finding in findings:
        file = finding.location.file if finding.location is not None else ""
        # The hash of a short secret could be tried out.
        text = finding.message if finding.is_private or not file else _line(finding, root, texts)
        key = (finding.code, file, text)
        seen[key] += 1
        names.append(hashlib.sha256("\x1f".join((*key, str(seen[key]))).encode("utf-8", "replace")).hexdigest())
    return names


def _line(finding: Diagnostic, root: Path, texts: dict[str, list[str]]) -> str:
    place = finding.location
    assert place is not None, finding.code
    if place.file not in texts:
        try:
            texts[place.file] = (root / place.file).read_bytes().decode("utf-8", "replace").splitlines()
        except OSError:
            texts[place.file] = []
    lines = texts[place.file]
    line = lines[place.line - 1].strip() if place.line <= len(lines) else ""
    # The first line of a file is about everything in it, so the words of the finding tell more.
    return f"{line}\x1f{finding.message}"

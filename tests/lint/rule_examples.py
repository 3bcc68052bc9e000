"""Runs lint rules over examples: a few files in a project that has something of everything.

found = findings("SEG700", "segment: tested\nwhere: {trait: country, equals: DE}")
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from unittest.mock import patch

from builders import PROJECT, SEGMENTS, TRAITS

from segctl.compile.definition_files import DefinitionFile
from segctl.compile.definitions import bind_files
from segctl.compile.project import bind_project_text
from segctl.compile.rules import load_rule
from segctl.compile.rules.base import Facts, Subject
from segctl.compile.source import compose
from segctl.compile.sources import bind_source_text
from segctl.model.diagnostics import Diagnostic
from segctl.model.lint import LintSettings, RuleSettings
from segctl.operations.lint.rules import judge

TODAY = date(2026, 11, 22)
BASE = {
    "segctl.yaml": PROJECT,
    "traits/traits.yaml": TRAITS,
    **{f"segments/{name}.yaml": f"segment: {name}\n{text}\n" for name, text in SEGMENTS.items()},
}
_PART = re.compile(r"^# ((?:segments|traits|sources|lists)/\S+|segctl\.yaml)\n", re.MULTILINE)


def parts(text: str) -> dict[str, str]:
    """The files of an example by path; lines above the first name of a file are a file of their own."""
    pieces = _PART.split(text.lstrip("\n"))
    named = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    return ({_path(pieces[0]): pieces[0]} if pieces[0].strip() else {}) | named


def _path(text: str) -> str:
    if text.startswith("traits:"):
        return "traits/tested.yaml"
    if text.startswith("segctl:"):
        return "segctl.yaml"
    if text.startswith("source:"):
        return "sources/tested.yaml"
    name = re.search(r"^segment: (\w+)", text, re.MULTILINE)
    return f"segments/{name[1] if name else 'tested'}.yaml"


def subject(text: str, facts: Facts | None = None) -> tuple[Subject, list[Diagnostic]]:
    """An example in the project of all tests, and every problem of form in it."""
    own = parts(text)
    texts = own if "segctl.yaml" in own else BASE | own
    project, problems = bind_project_text(texts["segctl.yaml"], Path("/nowhere/sample"))
    files = {}
    for path, content in texts.items():
        root, found = (None, []) if path.startswith("lists/") else compose(content, path)
        problems += found
        files[path] = DefinitionFile(path, content.encode(), root)
    sources = {}
    for path, content in texts.items():
        source, found = bind_source_text(content, path, project) if path.startswith("sources/") else (None, [])
        problems += found
        sources |= {source.name: source} if source is not None else {}
    names = tuple(Path(path).stem for path in texts if path.startswith("sources/"))
    with patch("segctl.compile.definitions.source_names", lambda _: (*names, "shop_orders")):
        definitions, found = bind_files(project, files)
    problems += [d for d in found if d.code != "SEG227"]
    return Subject(definitions, sources, files, TODAY, load_facts=lambda: facts), problems


def findings(code: str, text: str, facts: Facts | None = None) -> list[Diagnostic]:
    """What one rule finds in the files of an example; the example must be right in form."""
    looked_at, problems = subject(text, facts or load_rule(code).data)
    assert not problems, problems
    files = parts(text)
    project = replace(looked_at.definitions.project, lint=LintSettings((RuleSettings(code, "warning"),)))
    looked_at.definitions = replace(looked_at.definitions, project=project)
    found = [judged.diagnostic for judged in judge(looked_at, [code])]
    return [finding for finding in found if finding.location is not None and finding.location.file in files]

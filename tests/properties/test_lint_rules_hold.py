"""Lint on random definitions: no rule breaks, places are real, and what --fix does changes nobody's membership."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import oracle
import strategies
import yaml_text
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.compile.definition_files import DefinitionFile
from segctl.compile.definitions import bind_files
from segctl.compile.edits import edited
from segctl.compile.rules import RULES
from segctl.compile.rules.base import Subject
from segctl.compile.rules.plain_regex import _finding
from segctl.compile.source import compose
from segctl.model.diagnostics import Location, has_errors
from segctl.model.lint import LintSettings, RuleSettings
from segctl.model.project import Definitions, Project
from segctl.operations.lint.rules import judge

SORTED = LintSettings((RuleSettings("SEG719", "warning"),))


def bound(texts: dict[str, str], project: Project) -> tuple[Definitions, dict[str, DefinitionFile]]:
    files = {path: DefinitionFile(path, text.encode(), compose(text, path)[0]) for path, text in texts.items()}
    definitions, problems = bind_files(project, files)
    assert not has_errors(p for p in problems if p.code != "SEG227"), problems
    return definitions, files


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_rules_hold_and_mending_changes_no_membership(seed: int) -> None:
    world = strategies.world(seed, 4)
    texts = {
        f"segments/{name}.yaml": yaml_text.segment(segment) for name, segment in world.definitions.segments.items()
    }
    if world.definitions.computed:
        texts["traits/all.yaml"] = yaml_text.traits_file(world.definitions.computed)
    project = replace(world.definitions.project, root="/nowhere", lint=SORTED)
    definitions, files = bound(texts, project)

    found = list(judge(Subject(definitions, {}, files, date(2026, 11, 22)), RULES))

    for judged in found:
        place = judged.diagnostic.location
        assert place is not None, judged
        line = texts[place.file].splitlines()[place.line - 1]
        assert 1 <= place.column <= len(line), judged
        assert judged.diagnostic.hint, judged
    mended = {}
    for path, text in texts.items():
        edits = [edit for judged in found for edit in judged.edits if edit.location.file == path]
        content, made = edited(text.encode(), edits)
        assert len(made) == len(set(edits))
        mended[path] = content.decode()
    after, _ = bound(mended, project)
    assert oracle.answers(replace(world, definitions=after)) == oracle.answers(replace(world, definitions=definitions))


@settings(max_examples=400, deadline=None)
@given(
    pattern=st.text("ab.*^$ ", min_size=1, max_size=6),
    text=st.text("ab \n", max_size=5),
)
def test_the_plain_operator_of_a_hint_means_the_same(pattern: str, text: str) -> None:
    found = _finding(pattern, Location("a.yaml"))
    hint = re.fullmatch(r"write `(\w+): \"?(.*?)\"?`", found.hint) if found is not None else None
    if hint is None:
        return
    same = {
        "equals": text.__eq__,
        "contains": text.__contains__,
        "starts_with": text.startswith,
        "ends_with": text.endswith,
    }[hint[1]](hint[2])

    assert same == (re.search(pattern.replace("$", r"\Z"), text) is not None)

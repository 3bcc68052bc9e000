"""Files under `tests/` bound against the definitions of the project."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from segctl.compile.bind import forms
from segctl.compile.bind.literals import report_problem
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.definitions import scope_of
from segctl.compile.files import definition_files, misnamed_files
from segctl.compile.source import Mapping, Node, Scalar, compose_file
from segctl.compile.testing import EVERYONE, TESTS, Case, GivenProfile
from segctl.compile.testing_expect import bind_expectations, bind_stubs
from segctl.compile.testing_given import Entries, Place, bind_profile
from segctl.compile.testing_times import DEFAULT_AS_OF, fixed_as_of
from segctl.compile.timewords import Problem
from segctl.model.diagnostics import Diagnostic, Location, in_reading_order
from segctl.model.project import Definitions

FILE_KEYS = ("title", "description", "as_of", "given", "memberships", "cases")
CASE_KEYS = ("case", "as_of", "given", "memberships", "expect")
_SYNONYMS = {"tests": "cases", "name": "case", "profiles": "given", "fixtures": "given", "then": "expect"}
_PROFILE = re.compile(r"[^\W_][\w.-]{0,62}")


def load_tests(definitions: Definitions) -> tuple[list[Case], list[Diagnostic]]:
    """All cases of a project, in order of file and place, and every problem in reading order."""
    diagnostics = list(misnamed_files(definitions.project, TESTS))
    cases: list[Case] = []
    for path in definition_files(definitions.project, TESTS):
        node, found = compose_file(Path(definitions.project.root) / path, path)
        diagnostics += found
        if node is not None and not is_about_workflow(node):
            bound, problems = bind_tests(node, path, definitions)
            cases += bound
            diagnostics += problems
    return cases, list(in_reading_order(diagnostics))


def is_about_workflow(node: Node) -> bool:
    """Whether a file says what a workflow does: such are bound by `testing_workflows`."""
    return isinstance(node, Mapping) and node.get("workflow") is not None


def bind_tests(node: Node, file: str, definitions: Definitions) -> tuple[list[Case], list[Diagnostic]]:
    """The cases of one composed file."""
    scope = scope_of(definitions)
    root = forms.mapping(node, scope, "a test file", hint="begin with `cases:`")
    if root is None:
        return [], scope.diagnostics
    forms.check_keys(root, FILE_KEYS, scope, "a test file", synonyms=_SYNONYMS)
    listed = forms.required(root, "cases", scope, "the test file", example="cases:")
    nodes = () if listed is None else forms.items(listed, scope, "`cases`") or ()
    default = _as_of(root.get("as_of"), scope)
    names: dict[str, Location] = {}
    cases = [
        case for item in nodes if (case := _case(item, root, file, default, scope, definitions, names)) is not None
    ]
    return cases, list(in_reading_order(scope.diagnostics))


def _case(
    node: Node,
    root: Mapping,
    file: str,
    default: datetime | None,
    scope: Scope,
    definitions: Definitions,
    names: dict[str, Location],
) -> Case | None:
    found = forms.mapping(node, scope, "a case", hint="write `- case: what it shows`")
    if found is None:
        return None
    forms.check_keys(found, CASE_KEYS, scope, "a case", synonyms=_SYNONYMS)
    name = _name(found, scope, names)
    as_of = _as_of(found.get("as_of"), scope, default)
    if name is None or as_of is None:
        return None
    profiles = tuple(given_profiles(root.get("given"), found.get("given"), Place(scope, as_of)))
    known = {profile.name for profile in profiles}
    stubs = bind_stubs(root.get("memberships"), scope, known=None) | bind_stubs(found.get("memberships"), scope, known)
    expected = forms.required(found, "expect", scope, "the case", example="expect: {SEGMENT: {members: [anna]}}")
    expectations = () if expected is None else bind_expectations(expected, scope, definitions, known, stubs)
    return Case(file, name, as_of, profiles, expectations, stubs, found.location)


def _name(node: Mapping, scope: Scope, names: dict[str, Location]) -> str | None:
    key = forms.required(node, "case", scope, "the case", example="case: what it shows")
    name = None if key is None else forms.text(key, scope, "a case's name")
    if name is None or key is None:
        return None
    name = " ".join(name.split())
    if name in names:
        why = f"it stands already in line {names[name].line}"
        scope.error("SEG555", f"the case {shown(name)} stands twice", key.location, why=why, hint="rename one of them")
    names.setdefault(name, key.location)
    return name


def _as_of(node: Node | None, scope: Scope, default: datetime | None = None) -> datetime | None:
    zone = scope.project.timezone
    if node is None and default is not None:
        return default
    written = DEFAULT_AS_OF if node is None else forms.text(node, scope, "`as_of`")
    if written is None:
        return None
    found = fixed_as_of(written, zone)
    if isinstance(found, Problem):
        if isinstance(node, Scalar):
            report_problem(found, node, scope, "SEG552")
        return None
    return found


# --- Given ------------------------------------------------------------------------------------------------
def given_profiles(shared: Node | None, own: Node | None, place: Place) -> Iterator[GivenProfile]:
    """The profiles of a case: the file's and its own, one laid over the other."""
    bodies = [_bodies(node, place.scope) for node in (shared, own) if node is not None]
    common: Entries = tuple(entry for body in bodies for entry in body.get(EVERYONE, ()))
    for name in dict.fromkeys(name for body in bodies for name in body if name != EVERYONE):
        yield bind_profile(name, (*common, *(entry for body in bodies for entry in body.get(name, ()))), place)


def _bodies(node: Node, scope: Scope) -> dict[str, Entries]:
    if isinstance(node, Scalar) and node.is_null:
        return {}
    found = forms.mapping(node, scope, "`given`", hint="write `{anna: {country: DE}}`")
    bodies: dict[str, Entries] = {}
    for key, body in found.entries if found is not None else ():
        if _PROFILE.fullmatch(key.text) is None:
            message = f"{shown(key.text)} is no short name of a profile"
            scope.error("SEG217", message, key.location, hint="use letters and digits, such as `anna`")
            continue
        if isinstance(body, Scalar) and body.is_null:
            bodies[key.text] = ()
        elif (
            entries := forms.mapping(body, scope, f"the profile `{key.text}`", hint="write `{country: DE}`")
        ) is not None:
            bodies[key.text] = entries.entries
    return bodies


def without_cases(cases: Iterable[Case], segments: Iterable[str]) -> list[Case]:
    """The cases with only what they expect of some segments; those that expect nothing of them are left out."""
    wanted = frozenset(segments)
    kept = [replace(c, expectations=tuple(e for e in c.expectations if e.segment in wanted)) for c in cases]
    return [case for case in kept if case.expectations]

"""Cases of workflows under `tests/`: given people, a span on the virtual clock, and what is done to each, when.

A test file is about a workflow when it begins with `workflow: NAME`; all other files are about segments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from segctl.compile.bind import forms
from segctl.compile.bind.literals import report_problem
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.bind.times import duration
from segctl.compile.definitions import scope_of
from segctl.compile.files import definition_files
from segctl.compile.source import ListNode, Node, Scalar, compose_file
from segctl.compile.source import Mapping as MappingNode
from segctl.compile.testing import TESTS, GivenProfile
from segctl.compile.testing_bind import given_profiles, is_about_workflow
from segctl.compile.testing_expect import bind_stubs
from segctl.compile.testing_given import Place
from segctl.compile.testing_times import given_instant
from segctl.compile.timewords import Problem
from segctl.compile.zones import from_us
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic, Location, in_reading_order
from segctl.model.project import Definitions
from segctl.model.times import EXACT_SECONDS

FILE_KEYS = ("workflow", "title", "description", "from", "until", "every", "given", "memberships", "arms", "cases")
CASE_KEYS = ("case", "from", "until", "every", "given", "memberships", "arms", "expect")
PERSON_KEYS = ("steps", "ends")
_SYNONYMS = {"name": "case", "then": "expect", "as_of": "from", "to": "until"}
DONE, REFUSED = "done", "refused"


@dataclass(frozen=True, slots=True)
class ExpectedStep:
    """One effect.

    Attributes:
        state: ``done`` or ``refused``.
        at: When, in microseconds since 1970; None for whenever.
    """

    step: str
    state: str = DONE
    at: int | None = None


@dataclass(frozen=True, slots=True)
class ExpectedPerson:
    """What is done to one person, in order, and nothing else.

    Attributes:
        ends: Name of the exit rule, ``done``, ``gone``, or ``waiting``; None for whatever.
    """

    name: str
    steps: tuple[ExpectedStep, ...]
    ends: str | None
    location: Location


@dataclass(frozen=True, slots=True)
class WorkflowCase:
    """One case.

    Attributes:
        begin: Where the clock begins; who fits then has been there all along.
        end: Where it ends.
        every: Between two looks; events, ends of waits, and who comes or goes, are looked at when they come.
        arms: Split by an experiment → profile → arm.
    """

    file: str
    name: str
    workflow: str
    begin: datetime
    end: datetime
    every: timedelta
    profiles: tuple[GivenProfile, ...]
    stubs: Mapping[str, frozenset[str]]
    arms: Mapping[str, Mapping[str, str]]
    people: tuple[ExpectedPerson, ...]
    location: Location

    @property
    def id(self) -> str:
        """Stable name for reports."""
        return f"{self.file}: {self.name}"


def load_workflow_tests(definitions: Definitions) -> tuple[list[WorkflowCase], list[Diagnostic]]:
    """All cases of workflows, in order of file and place, and every problem in reading order."""
    cases, diagnostics = list[WorkflowCase](), list[Diagnostic]()
    for path in definition_files(definitions.project, TESTS):
        node, found = compose_file(Path(definitions.project.root) / path, path)
        if node is not None and is_about_workflow(node):
            bound, problems = bind_workflow_tests(node, path, definitions)
            cases += bound
            diagnostics += [*found, *problems]
    return cases, list(in_reading_order(diagnostics))


def bind_workflow_tests(node: Node, file: str, definitions: Definitions) -> tuple[list[WorkflowCase], list[Diagnostic]]:
    """The cases of one composed file."""
    scope = scope_of(definitions)
    root = forms.mapping(node, scope, "a test file", hint="begin with `workflow: NAME`")
    if root is None:
        return [], scope.diagnostics
    forms.check_keys(root, FILE_KEYS, scope, "a test file of a workflow", synonyms=_SYNONYMS)
    name_node = root.get("workflow")
    assert name_node is not None
    name = forms.text(name_node, scope, "a workflow's name")
    if name is not None and name not in definitions.workflows:
        hint = scope.meant(name, tuple(definitions.workflows), otherwise="`segctl ls workflows` lists them")
        scope.error("SEG690", f"there is no workflow {shown(name)}", name_node.location, hint=hint)
        return [], scope.diagnostics
    listed = forms.required(root, "cases", scope, "the test file", example="cases:")
    items = () if listed is None else forms.items(listed, scope, "`cases`") or ()
    found = [_case(item, root, file, name or "", scope, definitions) for item in items]
    return [case for case in found if case is not None], list(in_reading_order(scope.diagnostics))


def _case(
    node: Node, root: MappingNode, file: str, workflow: str, scope: Scope, definitions: Definitions
) -> WorkflowCase | None:  # fmt: skip
    found = forms.mapping(node, scope, "a case", hint="write `- case: what it shows`")
    if found is None:
        return None
    forms.check_keys(found, CASE_KEYS, scope, "a case of a workflow", synonyms=_SYNONYMS)
    name_node = forms.required(found, "case", scope, "the case", example="case: what it shows")
    name = None if name_node is None else forms.text(name_node, scope, "a case's name")
    begin = _instant(_either(found, root, "from"), "from", found, scope)
    end = _instant(_either(found, root, "until"), "until", found, scope, begin)
    if name is None or begin is None or end is None:
        return None
    if end <= begin:
        scope.error("SEG690", "`until` does not lie behind `from`", found.location, hint="exchange them")
        return None
    place = Place(scope, begin)
    profiles = tuple(given_profiles(root.get("given"), found.get("given"), place))
    known = {one.name for one in profiles}
    stubs = bind_stubs(root.get("memberships"), scope, known=None) | bind_stubs(found.get("memberships"), scope, known)
    steps = {node.id for node in definitions.workflows[workflow].nodes}
    expected = forms.required(found, "expect", scope, "the case", example="expect: {anna: [reminder]}")
    people = () if expected is None else tuple(_people(expected, steps, known, place))
    return WorkflowCase(
        file, " ".join(name.split()), workflow, begin, end, _every(_either(found, root, "every"), scope), profiles,
        stubs, _arms(_either(found, root, "arms"), scope), people, found.location,
    )  # fmt: skip


def _either(case: MappingNode, root: MappingNode, key: str) -> Node | None:
    return case.get(key) or root.get(key)


def _instant(
    node: Node | None, key: str, case: MappingNode, scope: Scope, begin: datetime | None = None
) -> datetime | None:  # fmt: skip
    if node is None:
        hint = "add `from: 2026-11-16 08:00` and `until: 2026-11-20 08:00`"
        scope.error("SEG211", f"the case has no `{key}`", case.location, hint=hint)
        return None
    written = forms.text(node, scope, "a time such as `2026-11-16 08:00`")
    if written is None or not isinstance(node, Scalar):
        return None
    found = given_instant(written, begin or from_us(0), scope.project.timezone)
    if isinstance(found, Problem):
        report_problem(found, node, scope, "SEG232")
        return None
    return from_us(found)


def _every(node: Node | None, scope: Scope) -> timedelta:
    found = None if node is None else duration(node, scope)
    if found is None:
        return timedelta(hours=6)
    return timedelta(seconds=found.amount * EXACT_SECONDS.get(found.unit, 86_400))


def _arms(node: Node | None, scope: Scope) -> dict[str, dict[str, str]]:
    found = None if node is None else forms.mapping(node, scope, "`arms`", hint="write `{STEP: {anna: mail}}`")
    arms: dict[str, dict[str, str]] = {}
    for key, value in found.entries if found is not None else ():
        inner = forms.mapping(value, scope, f"`{key.text}`", hint="write `{anna: mail}`")
        entries = inner.entries if inner is not None else ()
        arms[key.text] = {name.text: arm.text.strip() for name, arm in entries if isinstance(arm, Scalar)}
    return arms


# --- What is expected ---------------------------------------------------------------------------------------
def _people(node: Node, steps: set[str], known: Iterable[str], place: Place) -> Iterable[ExpectedPerson]:
    scope = place.scope
    found = forms.mapping(node, scope, "`expect`", hint="write `{anna: [reminder]}`")
    for key, value in found.entries if found is not None else ():
        if key.text not in known:
            hint = scope.meant(key.text, tuple(known))
            scope.error("SEG690", f"{shown(key.text)} is nobody who is given", key.location, hint=hint)
            continue
        ends, listed = None, value
        if isinstance(value, MappingNode):
            forms.check_keys(value, PERSON_KEYS, scope, "what is expected of a person")
            ends_node, steps_node = value.get("ends"), value.get("steps")
            ends = None if ends_node is None else forms.text(ends_node, scope, "`ends`")
            listed = ListNode((), value.location) if steps_node is None else steps_node
        items = forms.items(listed, scope, "the steps", hint="write `[reminder]`", least=0) or ()
        expected = [_step(item, steps, place) for item in items]
        yield ExpectedPerson(key.text, tuple(one for one in expected if one is not None), ends, key.location)


def _step(node: Node, steps: set[str], place: Place) -> ExpectedStep | None:
    scope = place.scope
    if isinstance(node, MappingNode) and len(node.entries) == 1:
        key, value = node.entries[0]
        written = forms.text(value, scope, "when, or `refused`")
    else:
        name = forms.text(node, scope, "a step, or `{step: when}`,")
        if name is None:
            return None
        key, written = Scalar(name, True, node.location), DONE
    if key.text not in steps:
        hint = scope.meant(key.text, tuple(sorted(steps)), otherwise="`segctl workflow show` lists the steps")
        scope.error("SEG690", f"the workflow has no step {shown(key.text)}", key.location, hint=hint)
        return None
    if written in (None, DONE, REFUSED):
        return ExpectedStep(key.text, written or DONE)
    at = given_instant(written, place.as_of, place.zone)
    if isinstance(at, Problem):
        report_problem(at, Scalar(written, True, node.location), scope, "SEG232")
        return None
    return ExpectedStep(key.text, DONE, at)

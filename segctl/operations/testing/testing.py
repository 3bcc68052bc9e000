"""Run the tests of a project's segments: who belongs in given worlds, and which leaf decided."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path

from segctl.compile import ir
from segctl.compile.selection import Selection
from segctl.compile.suggest import is_keyword_of
from segctl.compile.testing import Case, Expectation, Named
from segctl.compile.testing_bind import load_tests, without_cases
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic, Location, Severity, has_errors
from segctl.model.errors import UsageError
from segctl.model.project import Definitions
from segctl.operations.lists import ProjectLists
from segctl.operations.selection import chosen
from segctl.operations.session import bound_definitions
from segctl.operations.testing.answers import Answer, Found, evaluate_cases
from segctl.operations.testing.reasons import Explained, decided_by, explained
from segctl.operations.testing.segments import Segments

EVERYTHING = Selection()
MEMBER, NON_MEMBER, UNKNOWN, OUT = "a member", "not a member", "unknown", "not a member, or unknown"


@dataclass(frozen=True, slots=True)
class Suite:
    """The tests of a project and what they are about.

    Attributes:
        cases: Those chosen.
        found: How many cases there are in all.
        segments: Names of the segments chosen; expectations of others are left out.
        warnings: Findings that stop nothing.
    """

    definitions: Definitions
    lists: ProjectLists
    cases: tuple[Case, ...]
    found: int
    segments: tuple[str, ...]
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def root(self) -> Path:
        """The project folder."""
        return Path(self.definitions.project.root)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One expectation that does not hold.

    Attributes:
        code: SEG530 for a membership, SEG531 for a reason, SEG539 for a segment that could not be decided.
        profile: Whom it concerns; None for the whole case.
        expected: In words.
        found: In words.
        location: Where it was expected.
        explained: What each leaf says; None where nothing could be evaluated.
    """

    code: str
    case: Case
    segment: str
    profile: str | None
    expected: str
    found: str
    location: Location | None
    explained: Explained | None = None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case with what does not hold in it."""

    case: Case
    mismatches: tuple[Mismatch, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of tests found.

    Attributes:
        results: One for each case that was run, in order.
        leaves: For each segment and leaf the answers seen, one a profile of a case that expects something of it.
        seconds: Of evaluation.
    """

    suite: Suite
    results: tuple[CaseResult, ...]
    leaves: Mapping[str, list[list[bool | None]]] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        """Cases in which something does not hold."""
        return tuple(result for result in self.results if result.mismatches)


def load_suite(
    start: Path, *, env: str | None = None, selection: Selection = EVERYTHING, keyword: str | None = None
) -> Suite:
    """The chosen tests of the project found upwards from `start`.

    Args:
        start: Where the search begins.
        env: Environment.
        selection: Segments; all, drafts too, when empty.
        keyword: Part of a case's file or name, in any case of letters; `_` for whatever a shell would read otherwise.

    Raises:
        UsageError: Findings in definitions or tests; nothing fits the selection.
    """
    definitions, warnings = bound_definitions(start, env=env)
    everything, found = bound_tests(definitions)
    wanted = replace(selection, select=selection.select or ("*",))
    names = chosen(definitions, wanted) if definitions.segments else ()
    cases = everything if len(names) == len(definitions.segments) else without_cases(everything, names)
    if keyword is not None:
        cases = [case for case in cases if is_keyword_of(keyword, case.id)]
        if not cases:
            hint = "`segctl test -f ndjson` names them all"
            raise UsageError("SEG536", f"no case has `{keyword}` in its name", hint=hint)
    lists = ProjectLists(Path(definitions.project.root))
    return Suite(definitions, lists, tuple(cases), len(everything), names, (*warnings, *found))


def bound_tests(definitions: Definitions) -> tuple[list[Case], list[Diagnostic]]:
    """All cases of a project whose test files have no errors, and the warnings.

    Raises:
        UsageError: With every finding, in reading order.
    """
    cases, found = load_tests(definitions)
    if has_errors(found):
        count = sum(finding.severity is Severity.ERROR for finding in found)
        message = f"the test files have {count} error{'' if count == 1 else 's'}; nothing was tested"
        raise UsageError("SEG534", message, hint="`segctl help tests` shows the form", diagnostics=tuple(found))
    return cases, found


def run_tests(suite: Suite, *, first: bool = False, leaves: bool = False) -> Outcome:
    """Evaluate all cases and compare.

    Args:
        suite: What is tested.
        first: End with the first case that fails.
        leaves: Also note what each leaf answered.

    Raises:
        DataError: A list file cannot be read.
    """
    began = time.perf_counter()
    segments = Segments(suite.definitions, suite.lists)
    asked = {number: [e.segment for e in case.expectations] for number, case in enumerate(suite.cases)}
    noted: dict[str, list[list[bool | None]]] = {}
    answers = evaluate_cases(segments, suite.cases, asked, leaves=noted if leaves else None)
    results: list[CaseResult] = []
    for number, case in enumerate(suite.cases):
        results.append(CaseResult(case, tuple(_mismatches(number, case, answers, segments))))
        if first and results[-1].mismatches:
            break
    return Outcome(suite, tuple(results), noted, time.perf_counter() - began)


# --- Comparing --------------------------------------------------------------------------------------------
def _mismatches(number: int, case: Case, answers: Found, segments: Segments) -> Iterable[Mismatch]:
    for expected in case.expectations:
        answer = answers[number, expected.segment]
        if answer.failed is not None or expected.fails:
            yield from _of_failure(case, expected, answer)
            continue
        wrong = differences(case, expected, answer)
        for named, wish, found in wrong:
            why = explained(segments, case, expected.segment, named.name, answer)
            yield Mismatch("SEG530", case, expected.segment, named.name, wish, found, named.location, why)
        yield from _wrong_reasons(case, expected, answer, segments, {named.name for named, _, _ in wrong})


def _of_failure(case: Case, expected: Expectation, answer: Answer) -> Iterable[Mismatch]:
    if expected.fails and answer.failed is not None:
        return
    wish = "that it fails" if expected.fails else "an answer"
    found = answer.failed or "it can be decided"
    yield Mismatch("SEG539", case, expected.segment, None, wish, found, expected.location)


def differences(case: Case, expected: Expectation, answer: Answer) -> list[tuple[Named, str, str]]:
    """Profiles whose answer is not the expected one, with what was expected and found.

    Whoever is given and nowhere named must not belong.
    """
    place = {profile.name: number for number, profile in enumerate(case.profiles)}
    wishes = {
        one.name: (one, wish)
        for group, wish in ((expected.members, MEMBER), (expected.non_members, NON_MEMBER), (expected.unknown, UNKNOWN))
        for one in group
    }
    nowhere = expected.location or Location(case.file)
    wrong = []
    for name, number in place.items():
        named, wish = wishes.get(name, (Named(name, nowhere), OUT))
        found = state(answer, number)
        if not (found == wish or (wish == OUT and found != MEMBER)):
            wrong.append((named, wish, found))
    return wrong


def state(answer: Answer, number: int) -> str:
    """What the answer is for one profile, in words."""
    if answer.members[number]:
        return MEMBER
    return UNKNOWN if answer.matched[number] is None else NON_MEMBER


def _wrong_reasons(
    case: Case, expected: Expectation, answer: Answer, segments: Segments, wrong: set[str]
) -> Iterable[Mismatch]:
    for reasons in expected.because:
        if reasons.name in wrong:
            continue
        why = explained(segments, case, expected.segment, reasons.name, answer)
        decided = decided_by(why)
        allowed = [names for names in decided if not names.isdisjoint(reasons.leaves)]
        used = {leaf for leaf in reasons.leaves if any(leaf in names for names in decided)}
        # Of a member all leaves under an `all` decide, so there it is enough that the named ones are among them.
        is_member = answer.members[case_place(case, reasons.name)]
        if (len(allowed) < len(decided) and not is_member) or used != set(reasons.leaves):
            wish = " and ".join(f"`{leaf}`" for leaf in reasons.leaves)
            found = " and ".join(f"`{why.said(names)}`" for names in decided) or "nothing"
            yield Mismatch(
                "SEG531", case, expected.segment, reasons.name, f"{wish} decides", f"{found} decided",
                reasons.location, why,
            )  # fmt: skip


def case_place(case: Case, name: str) -> int:
    """The position of a profile among those of a case."""
    return next(number for number, profile in enumerate(case.profiles) if profile.name == name)


def names_tested(cases: Sequence[Case]) -> set[str]:
    """Segments that at least one case expects something of."""
    return {expected.segment for case in cases for expected in case.expectations}


def lowered_leaves(outcome: Outcome) -> Iterable[tuple[str, Sequence[ir.Leaf]]]:
    """The leaves of each segment whose answers were noted, in order of name."""
    segments = Segments(outcome.suite.definitions, outcome.suite.lists)
    return [(name, segments.lowered(name).leaves) for name in sorted(outcome.leaves)]

"""Which changes of the definitions no test notices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from segctl.compile.lower import lower_segment
from segctl.compile.mutate import Mutant, mutants
from segctl.compile.reason.theory import Theory
from segctl.compile.reason.variables import Reader
from segctl.compile.testing import Case
from segctl.model.conditions import SegmentDefinition
from segctl.model.dataclass import dataclass
from segctl.model.project import Definitions
from segctl.operations.progress import Progress, Silent
from segctl.operations.testing.answers import Found, evaluate_cases
from segctl.operations.testing.segments import Segments
from segctl.operations.testing.testing import Suite, differences

AT_ONCE = 80
"""Mutants in one plan: more share more work, but a plan takes longer than its parts beyond this."""


@dataclass(frozen=True, slots=True)
class Score:
    """How many changes of one definition the cases notice.

    Attributes:
        segment: Its name.
        cases: How many cases expect something of it.
        mutants: How many changed definitions that mean something else.
        same: How many were left out because they provably mean the same.
        survivors: Those no case notices.
    """

    segment: str
    cases: int
    mutants: int
    same: int
    survivors: tuple[Mutant, ...]

    @property
    def share(self) -> float:
        """Noticed changes, 0 to 1; 1 where nothing could be changed."""
        return 1 - len(self.survivors) / self.mutants if self.mutants else 1.0


def mutation_scores(suite: Suite, *, progress: Progress | None = None) -> list[Score]:
    """One score for each chosen segment, in order of name.

    Args:
        suite: Cases that hold for the definitions as they are.
        progress: Hears what is going on.
    """
    told = progress or Silent()
    told.start("mutating", total=len(suite.segments), unit="segments")
    scores = []
    for name in suite.segments:
        scores.append(_score(suite, name))
        told.advance(1)
    told.finish()
    return scores


def _score(suite: Suite, name: str) -> Score:
    definition = suite.definitions.segments[name]
    different, same = _different(suite, definition)
    cases = [case for case in suite.cases if any(e.segment == name for e in case.expectations)]
    alive = dict(different) if cases else {}
    for some in _chunks(list(alive), AT_ONCE):
        for killed in _killed(suite, name, cases, {key: alive[key] for key in some}):
            del alive[killed]
    proved = [key for key, mutant in alive.items() if means_the_same(suite.definitions, definition, mutant.definition)]
    for key in proved:
        del alive[key], different[key]
    survivors = tuple((alive if cases else different).values())
    return Score(name, len(cases), len(different), same + len(proved), survivors)


def means_the_same(definitions: Definitions, one: SegmentDefinition, other: SegmentDefinition) -> bool:
    """Whether it is proved that two conditions are true, and false, for the same profiles, whatever the data are."""
    if one.keep != other.keep:
        return False
    theory = Theory(Reader(definitions))
    pairs = [(theory.true(one.where), theory.true(other.where)), (theory.false(one.where), theory.false(other.where))]
    return all(theory.implies(a, b) and theory.implies(b, a) for a, b in pairs)


def _different(suite: Suite, definition: SegmentDefinition) -> tuple[dict[str, Mutant], int]:
    """Mutants by a name of their own, those that lower to the same (as it or each other) left out."""
    original = lower_segment(definition, suite.definitions, lists=suite.lists)
    seen = {(original.where, original.keep)}
    found: dict[str, Mutant] = {}
    same = 0
    for mutant in mutants(definition, suite.definitions):
        lowered = lower_segment(mutant.definition, suite.definitions, lists=suite.lists)
        meaning = (lowered.where, lowered.keep)
        if meaning in seen:
            same += 1
            continue
        seen.add(meaning)
        found[f"{definition.name} changed {len(found)}"] = mutant
    return found, same


def _killed(suite: Suite, name: str, cases: Sequence[Case], alive: Mapping[str, Mutant]) -> list[str]:
    variants = {key: mutant.definition for key, mutant in alive.items()}
    segments = Segments(suite.definitions, suite.lists, variants)
    answers = evaluate_cases(segments, cases, {number: list(alive) for number in range(len(cases))})
    return [key for key in alive if any(_is_noticed(n, case, name, key, answers) for n, case in enumerate(cases))]


def _is_noticed(number: int, case: Case, name: str, key: str, answers: Found) -> bool:
    answer = answers[number, key]
    expected = next(e for e in case.expectations if e.segment == name)
    if answer.failed is not None or expected.fails:
        return (answer.failed is not None) != expected.fails
    return bool(differences(case, expected, answer))


def _chunks(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (values[start : start + size] for start in range(0, len(values), size))

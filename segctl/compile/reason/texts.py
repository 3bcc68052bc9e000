"""Texts: the literals themselves, and all others by what their beginnings, ends and parts can be."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

from segctl.compile.reason.cells import MISSING, MOST_CELLS, Answer, Cell, TooManyError, assignments
from segctl.compile.regex import check_pattern
from segctl.model.conditions import ListOperand, ValueTest
from segctl.model.dataclass import dataclass

OPERATORS = frozenset(
    {
        "equals", "not_equals", "in", "not_in", "contains", "not_contains", "starts_with", "ends_with", "matches",
        "exists",
    }
)  # fmt: skip
_POSITIVE = {"not_equals": "equals", "not_in": "in", "not_contains": "contains"}


@dataclass(frozen=True, slots=True)
class Question:
    """One thing a text is asked.

    Attributes:
        asks: ``is``, ``contains``, ``starts_with``, ``ends_with``, ``matches`` or ``listed``.
        part: The literal, pattern or list; folded where case is ignored.
        ignore_case: The text is folded first.
    """

    asks: str
    part: str
    ignore_case: bool


def questions(test: ValueTest) -> tuple[Question, ...] | None:
    """What a test asks of a text, one of which must hold; None when it compares with something else."""
    if test.operator == "exists":
        return ()
    asks = _POSITIVE.get(test.operator, test.operator)
    found = []
    for operand in test.operands:
        if isinstance(operand, ListOperand):
            found.append(Question("listed", operand.name, test.ignore_case))
        elif isinstance(operand, str):
            is_folded = test.ignore_case and asks != "matches"
            word = "is" if asks in ("equals", "in") else asks
            found.append(Question(word, operand.casefold() if is_folded else operand, test.ignore_case))
        else:
            return None
    return tuple(found)


def text_cells(asked: Collection[Question]) -> list[Cell]:
    """Every literal as a text of its own, and every way in which a text that is none of them can answer."""
    literals = sorted({q.part for q in asked if q.asks == "is"})
    if len(literals) > MOST_CELLS:
        raise TooManyError
    listed = [q for q in asked if q.asks == "listed"]
    cells = [
        Cell(value=text, atoms=_of_text(text, asked, known))
        for text in literals
        for known in assignments(listed, _implies, _excludes)
    ]
    free = [q for q in asked if not (q.asks == "is" and not q.ignore_case)]
    cells += [
        Cell(atoms={**dict.fromkeys((q for q in asked if q not in known), False), **known})
        for known in assignments(free, _implies, _excludes)
        if not _is_nowhere(known)
    ]
    return [*{frozenset(cell.atoms.items()): cell for cell in reversed(cells)}.values(), MISSING]


def holds(test: ValueTest, cell: Cell) -> Answer:
    """The answer of a test of a text for all texts of a cell."""
    if test.operator == "exists":
        return (not cell.is_missing) == test.operands[0]
    if cell.is_missing:
        return None
    answer = any(cell.atoms[q] for q in questions(test) or ())
    return answer if test.operator not in _POSITIVE else not answer


def _of_text(text: str, asked: Iterable[Question], known: dict[object, bool]) -> dict[object, bool]:
    return {q: known[q] if q in known else bool(_answer(q, text)) for q in asked}


def _answer(question: Question, text: str) -> Answer:
    """What a known text answers; None when only the text's other spellings would tell."""
    asks, part = question.asks, question.part
    if asks == "matches":
        return matches(text, part, ignore_case=question.ignore_case)
    text = text.casefold() if question.ignore_case else text
    match asks:
        case "is":
            return text == part
        case "contains":
            return part in text
        case "starts_with":
            return text.startswith(part)
        case "ends_with":
            return text.endswith(part)
    return None


def matches(text: str, pattern: str, *, ignore_case: bool) -> Answer:
    """Whether a pattern stands in a text, as every engine sees it; None for one that cannot be read."""
    compiled = _compiled(pattern, ignore_case)
    return None if compiled is None else compiled.search(text.casefold() if ignore_case else text) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str] | None:
    portable = check_pattern(pattern, ignore_case=ignore_case)
    if not isinstance(portable, str):
        return None
    # `$` is the very end here, before which Python's own would let a line break stand.
    strict = portable if portable.startswith(("(?m", "(?im")) else re.sub(r"(?<!\\)((?:\\\\)*)\$", r"\1\\Z", portable)
    return re.compile(strict, re.ASCII)


# --- What one answer says of another ------------------------------------------------------------------------
def _implies(one: object, other: object) -> bool:
    """A text of which the first holds is one of which the second holds."""
    if not isinstance(one, Question) or not isinstance(other, Question):
        return False
    if other.asks in ("contains", "starts_with", "ends_with") and other.part == "":
        return True
    part = _comparable(one, other)
    if part is None or other.asks in ("matches", "listed", "is"):
        return False
    match one.asks, other.asks:
        case "is", _:
            return _answer(Question(other.asks, other.part, ignore_case=False), part) is True
        case "starts_with", "starts_with":
            return part.startswith(other.part)
        case "ends_with", "ends_with":
            return part.endswith(other.part)
        case (("starts_with" | "ends_with" | "contains"), "contains"):
            return other.part in part
    return False


def _excludes(one: object, other: object) -> bool:
    return _is_apart(one, other) or _is_apart(other, one)


def _is_apart(one: object, other: object) -> bool:
    if not isinstance(one, Question) or not isinstance(other, Question):
        return False
    part = _comparable(one, other)
    if part is None:
        return False
    match one.asks, other.asks:
        case "is", ("is" | "contains" | "starts_with" | "ends_with"):
            return _answer(Question(other.asks, other.part, ignore_case=False), part) is False
        case "starts_with", "starts_with":
            return not part.startswith(other.part) and not other.part.startswith(part)
        case "ends_with", "ends_with":
            return not part.endswith(other.part) and not other.part.endswith(part)
    return False


def _comparable(one: Question, other: Question) -> str | None:
    """The first one's part as the second one sees texts; None when it says nothing of them.

    Folding goes character by character, so what stands in a text stands folded in the folded text. A folded part says
    nothing of the text as it is written.
    """
    if one.asks in ("matches", "listed"):
        return None
    if one.ignore_case and not other.ignore_case:
        return None
    return one.part.casefold() if other.ignore_case else one.part


def _is_nowhere(known: dict[object, bool]) -> bool:
    """True for answers that no text gives: of nothing that has a known folded form can a regular expression differ."""
    whole = next((q for q, yes in known.items() if yes and isinstance(q, Question) and q.asks == "is"), None)
    if whole is None:
        return False
    return any(
        isinstance(q, Question)
        and q.asks == "matches"
        and q.ignore_case
        and matches(whole.part, q.part, ignore_case=True) not in (None, yes)
        for q, yes in known.items()
    )

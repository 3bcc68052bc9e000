"""Decisions of people back in: from a file that `dedupe --review` wrote, checked as a whole before any is recorded."""

from __future__ import annotations

import csv
import io
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.errors import UsageError
from segctl.operations.dedupe.review import FORMULA

if TYPE_CHECKING:
    from segctl.operations.dedupe.decisions import Decided
    from segctl.state.workspace import Workspace

_WORDS = {
    "must": "must", "yes": "must", "y": "must", "same": "must", "ja": "must", "1": "must", "true": "must",
    "cannot": "cannot", "no": "cannot", "n": "cannot", "different": "cannot", "nein": "cannot", "0": "cannot",
    "false": "cannot",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Answer:
    """One row with a verdict.

    Attributes:
        place: Such as ``line 3``.
        left: Subject of one; `right` of the other.
    """

    place: str
    left: int
    right: int
    verdict: str
    who: str | None
    why: str | None


def read_decisions(workspace: Workspace, path: Path) -> list[Decided]:
    """Decisions of a file that `dedupe --review` wrote and a person filled; rows without a verdict say nothing.

    Raises:
        UsageError: The file cannot be read, has other columns, an unknown verdict, names nobody (SEG476), or says
            both that two are one person and that they are not (SEG415).
    """
    found = [answer for place, row in _rows(path) if (answer := _answer(workspace, path, place, row)) is not None]
    _refuse_contradiction(path, found)
    return [(a.left, a.right, a.verdict, a.who, a.why) for a in found]


def record(workspace: Workspace, made: Sequence[Decided], *, now: datetime, who: str | None = None) -> int:
    """Record decisions and return how many; the next `dedupe` goes by them."""
    from segctl.state.identity import insert_decisions

    with workspace.transaction() as db:
        insert_decisions(db, [(a, b, verdict, said or who, why) for a, b, verdict, said, why in made], now)
    return len(made)


def _answer(workspace: Workspace, path: Path, place: str, row: dict[str, Any]) -> _Answer | None:
    from segctl.operations.people import find_subject

    written = str(row.get("verdict") or "").strip().lower()
    if not written:
        return None
    verdict = _WORDS.get(written)
    if verdict is None:
        raise _unreadable(path, f"{place}: `{written[:40]}` is no verdict")
    names = str(row.get("left") or ""), str(row.get("right") or "")
    try:
        left, right = (find_subject(workspace, name).subject for name in names)
    except UsageError as error:
        raise _unreadable(path, f"{place}: {error.message}") from error
    if left == right:
        raise _unreadable(path, f"{place}: `left` and `right` are one identifier")
    return _Answer(place, left, right, verdict, _text(row.get("who")), _text(row.get("why")))


def _refuse_contradiction(path: Path, answers: Sequence[_Answer]) -> None:
    """Rows of one file have no order, so none of two that contradict each other can be the newer."""
    joins: dict[int, list[tuple[int, _Answer]]] = {}
    for answer in answers:
        if answer.verdict == "must":
            joins.setdefault(answer.left, []).append((answer.right, answer))
            joins.setdefault(answer.right, []).append((answer.left, answer))
    for answer in answers:
        if answer.verdict == "cannot" and (chain := _chain(joins, answer.left, answer.right)):
            raise _contradicting(path, [row.place for row in chain], answer.place)


def _contradicting(path: Path, chain: Sequence[str], apart: str) -> UsageError:
    # Lines only: names of people belong neither on a terminal nor in a log.
    together = f"{', '.join(chain[:-1])} and {chain[-1]} say together" if len(chain) > 1 else f"{chain[0]} says"
    return UsageError(
        "SEG415", f"the decisions in `{path}` contradict each other; nothing was recorded",
        why=f"{together} that two are one person, {apart} says of the same two that they are not",
        hint=f"change or empty the verdict of {' or '.join((*chain, apart))}",
    )  # fmt: skip


def _chain(joins: dict[int, list[tuple[int, _Answer]]], start: int, end: int) -> list[_Answer]:
    """The fewest rows by which both are one person; empty when there are none."""
    came: dict[int, tuple[int, _Answer]] = {}
    queue, seen = deque([start]), {start}
    while queue and end not in seen:
        here = queue.popleft()
        for there, answer in joins.get(here, ()):
            if there not in seen:
                seen.add(there)
                came[there] = (here, answer)
                queue.append(there)
    chain = []
    while end in came:
        end, answer = came[end]
        chain.append(answer)
    return chain[::-1]


def _rows(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Rows with their places."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, str(error)) from error
    return _from_json(path, text) if path.suffix.lower() == ".json" else _from_csv(path, text)


def _from_json(path: Path, text: str) -> list[tuple[str, dict[str, Any]]]:
    try:
        rows = json.loads(text)
    except RecursionError as error:
        raise _unreadable(path, "it is nested too deep") from error
    except ValueError as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _unreadable(path, "it is no list of objects")
    return [(f"entry {number}", row) for number, row in enumerate(rows, start=1)]


def _from_csv(path: Path, text: str) -> list[tuple[str, dict[str, Any]]]:
    head = text.partition("\n")[0]
    # German Excel saves with semicolons.
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if head.count(";") > head.count(",") else ",")
    try:
        if not {"left", "right", "verdict"} <= set(reader.fieldnames or ()):
            raise _unreadable(path, "it has no columns `left`, `right` and `verdict`")
        # A cell may hold line ends: a row's last line is the one that the reader has come to.
        return [(f"line {reader.line_num}", {name: _unguarded(cell) for name, cell in row.items()}) for row in reader]
    except csv.Error as error:
        raise _unreadable(path, str(error)) from error


def _unguarded(cell: Any) -> Any:  # noqa: ANN401 - any cell
    return cell[1:] if isinstance(cell, str) and cell[:1] == "'" and FORMULA.match(cell[1:]) else cell


def _text(value: object) -> str | None:
    # A file may hold half of a character, which no database takes.
    return str(value).encode("utf-8", "backslashreplace").decode() if value not in (None, "") else None


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(
        "SEG476", f"the decisions in `{path}` cannot be read; nothing was recorded", why=why,
        hint="write the file with `segctl dedupe --review FILE` and fill `verdict` with must or cannot",
    )  # fmt: skip

"""The calls that a push has to make: removals of all audiences first, then what each is told, call by call."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Literal

from segctl.operations.push.work import Call, Part, Person, people_of

if TYPE_CHECKING:
    from segctl.connectors.destinations.base import Action
    from segctl.operations.push.books import Books

Phase = Literal["removals", "additions"]


class CallSource:
    """Makes calls when they are asked for, so that only the rows of a few are objects at a time.

    Args:
        parts: Audiences of one destination.
        phase: Removals or additions.
        push: Id of the push, which calls are named after.
        books: Know who is to be taken out.
    """

    def __init__(self, parts: Sequence[Part], phase: Phase, *, push: str, books: Books) -> None:
        self._push, self._books = push, books
        self._number = 0
        self._done: dict[int, int] = {}
        make = self._removals if phase == "removals" else self._additions
        self._streams = deque(
            (part, action, people, repeated) for part in parts for action, people, repeated in make(part)
        )
        self._planned = [
            (part, part.removals if phase == "removals" else part.additions)
            for part in parts
            if (part.removals if phase == "removals" else part.additions)
        ]

    def next(self, size: int) -> Call | None:
        """The next call with at most so many rows; None when there is none."""
        while self._streams:
            part, action, people, repeated = self._streams[0]
            # What is repeated goes out as it did before, so that the service can know it.
            taken = list(people if repeated else islice(people, size))
            if not taken or repeated:
                self._streams.popleft()
            if taken:
                self._number += 1
                self._done[part.ledger.id] = self._done.get(part.ledger.id, 0) + len(taken)
                name = repeated or f"{self._push}.{part.ledger.id}.{action}.{self._number}"
                return Call(part, action, taken, name)
        return None

    def left(self) -> list[tuple[Part, int]]:
        """Rows of each audience that no call was made for."""
        return [(part, rows - self._done.get(part.ledger.id, 0)) for part, rows in self._planned]

    def _removals(self, part: Part) -> Iterator[tuple[Action, Iterator[Person], str | None]]:
        for keys in (part.withdrawals, part.leavers):
            if keys:
                yield "remove", self._leaving(part, keys), None

    def _leaving(self, part: Part, keys: Sequence[str]) -> Iterator[Person]:
        for start in range(0, len(keys), 5_000):
            yield from self._books.leaving(part.ledger.id, keys[start : start + 5_000])

    def _additions(self, part: Part) -> Iterator[tuple[Action, Iterator[Person], str | None]]:
        if part.delta is None or not part.tells:
            return
        rows, adds, updates = part.delta.rows, part.delta.adds, part.delta.updates
        for name, action, indexes in part.repeated:
            yield action, people_of(rows, indexes), name
            adds, updates = (left.filter(~left.is_in(indexes.implode())) for left in (adds, updates))
        # Fields of those who are there first: an addition can be the moment at which a mail goes out.
        yield "update", people_of(rows, updates), None
        yield "add", people_of(rows, adds), None

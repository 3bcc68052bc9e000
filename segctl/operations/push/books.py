"""Where the engine writes what it does: the ledger, or nowhere in a dry run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from segctl.operations.push.work import Call, Person, leaving

if TYPE_CHECKING:
    from segctl.state.deliveries_batches import Result
    from segctl.state.workspace import Workspace


class Books(Protocol):
    """What is written about calls."""

    def intend(self, call: Call, head: int) -> int:
        """Before a call; the batch's number."""
        ...

    def settle(self, result: Result) -> None:
        """After it."""
        ...

    def lose(self, number: int) -> None:
        """Nobody will hear what became of it."""
        ...

    def keep_job(self, number: int, job: str) -> None:
        """It goes on at the service."""
        ...

    def leaving(self, audience: int, keys: Sequence[str]) -> Sequence[Person]:
        """Those of the keys that may be there."""
        ...

    def is_recent(self, audience: int, key: str) -> bool:
        """This push told the destination of them."""
        ...

    def is_new(self, audience: int, key: str) -> bool:
        """Nothing that was sent of them before can have had an effect."""
        ...


class LedgerBooks:
    """The ledger of the workspace.

    Args:
        workspace: Open.
        push: Number of the push.
        now: The clock.
    """

    def __init__(self, workspace: Workspace, push: int, now: Callable[[], datetime]) -> None:
        self._workspace, self.push, self._now = workspace, push, now
        self._first: int | None = None

    def intend(self, call: Call, head: int) -> int:
        """One transaction with the batch and all its rows."""
        from segctl.state.deliveries_batches import intend

        number = intend(
            self._workspace,
            id=call.id,
            push=self.push,
            audience=call.part.ledger.id,
            action=call.action,
            rows=[person.kept for person in call.people],
            head=head,
            attempt=call.tries,
            at=self._now(),
        )
        self._first = number if self._first is None else self._first
        return number

    def settle(self, result: Result) -> None:
        """One transaction with the result of each row."""
        from segctl.state.deliveries_batches import settle

        settle(self._workspace, result)

    def lose(self, number: int) -> None:
        """Its people may be there or not."""
        from segctl.state.deliveries_batches import lose

        lose(self._workspace, number, self._now())

    def keep_job(self, number: int, job: str) -> None:
        """So that a later push can follow it."""
        from segctl.state.deliveries_batches import keep_job

        keep_job(self._workspace, number, job)

    def leaving(self, audience: int, keys: Sequence[str]) -> Sequence[Person]:
        """From the ledger, with what the destination knows them by."""
        from segctl.state.deliveries import told_rows

        return list(leaving(told_rows(self._workspace, audience, keys)))

    def is_recent(self, audience: int, key: str) -> bool:
        """Their last batch is one of this push."""
        from segctl.state.deliveries import told_rows

        return any(self._first is not None and row["batch"] >= self._first
                   for row in told_rows(self._workspace, audience, [key]))  # fmt: skip

    def is_new(self, audience: int, key: str) -> bool:
        """Nothing was accepted, and no earlier call is open."""
        from segctl.state.deliveries import told_rows

        rows = told_rows(self._workspace, audience, [key])
        return all(row["digest"] is None and not row["is_unsure"] for row in rows)


class DryBooks(LedgerBooks):
    """Reads the ledger, and writes nothing."""

    def intend(self, call: Call, head: int) -> int:  # noqa: ARG002 - as the parent's
        """Nothing is intended."""
        return 0

    def settle(self, result: Result) -> None:
        """Nothing has come of it."""

    def lose(self, number: int) -> None:
        """Nothing was sent."""

    def keep_job(self, number: int, job: str) -> None:
        """Nothing goes on."""

"""What other commands ask of a running stream: a run by the definitions of today, or files of what it has taken in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from segctl.model.dataclass import dataclass
from segctl.state.database import NOW
from segctl.state.stream_log import LOCK

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace


What = Literal["run", "files"]
"""`run`: the definitions are read again and a run is recorded; `files`: what was taken in becomes files."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        run: Number of the run that answers it; None when nothing had to be recorded.
        error: Why it could not be done; None when it was.
        is_done: The stream has answered.
    """

    id: int
    run: int | None = None
    error: str | None = None
    is_done: bool = False


def is_streaming(workspace: Workspace) -> bool:
    """Whether a stream is running in this environment."""
    return workspace.is_locked(LOCK)


def ask(workspace: Workspace, what: What = "run") -> int:
    """Leaves a request; returns its number."""
    with workspace.transaction() as db:
        cursor = db.execute(f"INSERT INTO stream_requests (at, what) VALUES ({NOW}, ?)", (what,))
    return int(cursor.lastrowid or 0)


def request(workspace: Workspace, number: int) -> Request:
    """How a request stands."""
    row = workspace.query("SELECT id, run, error, done FROM stream_requests WHERE id = ?", (number,))[0]
    return Request(row["id"], row["run"], row["error"], row["done"] is not None)


def open_requests(workspace: Workspace, what: What = "run") -> list[int]:
    """Numbers of the requests that nobody has answered."""
    rows = workspace.query("SELECT id FROM stream_requests WHERE done IS NULL AND what = ? ORDER BY id", (what,))
    return [row[0] for row in rows]


def answer(workspace: Workspace, numbers: list[int], *, run: int | None = None, error: str | None = None) -> None:
    """Answers requests; answers that are a day old have been read by whoever asked."""
    with workspace.transaction() as db:
        db.execute("DELETE FROM stream_requests WHERE done < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day')")
        db.executemany(
            f"UPDATE stream_requests SET run = ?, error = ?, done = {NOW} WHERE id = ?",
            [(run, error, number) for number in numbers],
        )


def withdraw(workspace: Workspace, number: int) -> None:
    """Takes a request back that nobody has answered."""
    with workspace.transaction() as db:
        db.execute("DELETE FROM stream_requests WHERE id = ? AND done IS NULL", (number,))

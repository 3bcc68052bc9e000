"""What the connectors of mailing services share: values as their JSON wants them, and rows found again in answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from segctl.connectors.destinations.base import BatchRefusedError, NotNowError, Row, Sent, Trouble, UnknownOutcomeError
from segctl.model.errors import UsageError

T = TypeVar("T")
Json = Any
"""A value that JSON can hold."""


def within(value: Json, *path: str) -> Json:
    """What stands at a path in an answer; None where nothing does."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def listed(value: Json, *path: str) -> list[Json]:
    """The list at a path in an answer; empty where there is none."""
    found = within(value, *path)
    return found if isinstance(found, list) else []


def size(value: Json) -> int:
    """Bytes of a JSON body as it is sent."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def id_within(value: Json, *path: str) -> str:
    """The id at a path in an answer.

    Raises:
        UnknownOutcomeError: There is none, so nobody knows what was made.
    """
    found = within(value, *path)
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        raise UnknownOutcomeError("the answer names no id of what was made")
    return str(found)


def within_bytes(body: Json, most: int) -> None:
    """Refuses a body that is larger than a service takes, so that its halves are tried.

    Raises:
        BatchRefusedError: It is.
    """
    if size(body) > most:
        raise BatchRefusedError(f"larger than {most // 1000:,} KB, the most of a call", code="too_large", is_size=True)


def by_value(rows: Iterable[Row], kind: str) -> dict[str, list[Row]]:
    """Rows by an identifier as it is compared, each value once since services refuse doublets in a call."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(compared(kind, row.identifiers[kind]), []).append(row)
    return found


def compared(kind: str, value: object) -> str:
    """An identifier as it is compared: addresses in small letters, a customer's number as it is."""
    return folded(value) if kind == "email" else str(value).strip()


def folded(value: object) -> str:
    """An address as it is compared: services give it back in letters of their own choice."""
    return str(value).strip().lower()


def shared(rows: Mapping[str, Sequence[Row]], values: Mapping[str, Trouble]) -> dict[str, Trouble]:
    """Row's key → trouble, from troubles by identifier as `by_value` grouped them."""
    return {row.key: trouble for value, trouble in values.items() for row in rows.get(value, ())}


def pieces(values: Sequence[T], most: int) -> Iterable[Sequence[T]]:
    """The values in parts of at most `most`."""
    return (values[start : start + most] for start in range(0, len(values), most))


def named(rows: Iterable[Row], kind: str) -> None:
    """Refuses rows without the only identifier that a service knows people by.

    Raises:
        BatchRefusedError: With the rows; the others may be sent.
    """
    missing = [row.key for row in rows if not row.identifiers.get(kind)]
    if missing:
        reason = f"there is no {kind} to know the person by"
        raise BatchRefusedError(reason, code="missing", rows=dict.fromkeys(missing, reason))


def ambiguous(destination: str, name: str, what: str) -> UsageError:
    """Several audiences have the name."""
    hint = f"write the id of the one that is meant under `audiences:` of `{destination}`"
    return UsageError("SEG920", f"`{destination}`: several {what} are called `{name}`", hint=hint)


def not_made(destination: str, name: str, what: str) -> UsageError:
    """There is no such audience, and none may be made."""
    hint = f"make the {what} there, name another under `audiences:`, or write `create_audiences: true`"
    return UsageError("SEG921", f"`{destination}`: there is no {what} `{name}`", hint=hint)


def unfit(destination: str, name: str, why: str, hint: str) -> UsageError:
    """An audience or setting that the service cannot take."""
    return UsageError("SEG922", f"`{destination}`: `{name}` cannot be used", why=why, hint=hint)


def one_by_one(rows: Sequence[Row], act: Callable[[Row], Trouble | str | None], *, has_begun: bool = False) -> Sent:
    """An answer to rows that each take a call: a trouble, an id there or None of each.

    What was taken stays taken when a later call is not: its row and those behind it are told apart.

    Args:
        rows: Of the batch, or some of them.
        act: One row's call.
        has_begun: Something of the batch was taken before, so that no error may say that nothing was.

    Raises:
        BatchRefusedError: Of the first call, as the others: nothing was taken before it.
        NotNowError: See above.
        UnknownOutcomeError: See above.
    """
    troubles: dict[str, Trouble] = {}
    known: dict[str, str] = {}
    ended: Trouble | None = None
    for index, row in enumerate(rows):
        try:
            found = ended or act(row)
        except (BatchRefusedError, NotNowError, UnknownOutcomeError) as error:
            if index == 0 and not has_begun:
                raise
            found = told(error)
            if not isinstance(error, BatchRefusedError):
                ended = Trouble("rejected", f"not sent: {error}", "not_sent")
        if isinstance(found, Trouble):
            troubles[row.key] = found
        elif found is not None:
            known[row.key] = found
    return Sent(troubles, known)


def looked_at(rows: Sequence[Row], look: Callable[[Row], Trouble | None]) -> dict[str, Trouble]:
    """Troubles of rows that an answer left open, each asked for; of whom nothing can be read, nothing is known."""
    troubles: dict[str, Trouble] = {}
    unread: Trouble | None = None
    for row in rows:
        try:
            found = unread or look(row)
        except (BatchRefusedError, NotNowError, UnknownOutcomeError) as error:
            found = unread = Trouble("unknown", f"what became of it cannot be read: {error}", "unread")
        if found is not None:
            troubles[row.key] = found
    return troubles


def told(error: BatchRefusedError | NotNowError | UnknownOutcomeError) -> Trouble:
    """What an error of a single row's call means for the row."""
    if isinstance(error, BatchRefusedError):
        return Trouble("invalid", error.reason, error.code)
    return Trouble("rejected" if isinstance(error, NotNowError) else "unknown", str(error), "not_sent")

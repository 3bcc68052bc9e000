"""A connector whose service may answer anything: an answer that nobody can read is an outcome that nobody knows.

A success in the shape of something else comes from proxies, from pages that ask to log in, from services that change.
It must neither end a push in the middle nor count as done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from segctl.connectors.destinations.base import (
    Batch,
    Connector,
    Findable,
    Member,
    Movable,
    Remote,
    Row,
    Sent,
    UnknownOutcomeError,
)
from segctl.connectors.sources.base import Probe

T = TypeVar("T")
_SHAPE = (AttributeError, LookupError, TypeError, ValueError)
"""What reading a value raises that has another shape than was expected."""


class Guarded:
    """Passes everything on to a connector."""

    def __init__(self, connector: Connector) -> None:
        self.connector = connector

    def check(self) -> tuple[Probe, ...]:
        """As the connector; an answer that cannot be read is a problem."""
        try:
            return self.connector.check()
        except _SHAPE:
            hint = "look whether the address is the service's own, and no page that asks to log in"
            return (Probe("reachable", "problem", _UNREADABLE, hint),)

    def audience(self, segment: str, name: str) -> str:
        """As the connector."""
        return _read(lambda: self.connector.audience(segment, name))

    def moved(self, former: str, audience: str, segment: str) -> bool:
        """As the connector, where audiences lie under their names; False elsewhere."""
        return isinstance(self.connector, Movable) and self.connector.moved(former, audience, segment)

    def has(self, audience: str) -> bool | None:
        """As the connector, where it can be asked; otherwise its list says it."""
        found = self.connector
        return _read(lambda: found.has(audience)) if isinstance(found, Findable) else None

    def send(self, batch: Batch) -> Sent:
        """As the connector."""
        return _read(lambda: self.connector.send(batch))

    def poll(self, job: str) -> Sent:
        """As the connector."""
        return _read(lambda: self.connector.poll(job))

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """As the connector, which asks nobody for it."""
        return self.connector.seen_as(row)

    def members(self, audience: str) -> Iterator[Member]:
        """As the connector."""
        return _each(self.connector.members(audience))

    def audiences(self) -> Iterator[Remote]:
        """As the connector."""
        return _each(self.connector.audiences())

    def close(self) -> None:
        """As the connector."""
        self.connector.close()


_UNREADABLE = "the answer has another shape than the service's documentation says"


def _read(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except _SHAPE as error:
        # Its text may hold what was answered, and with it people.
        raise UnknownOutcomeError(f"{_UNREADABLE} ({type(error).__name__})") from error


def _each(found: Iterator[T]) -> Iterator[T]:
    end = object()
    while (one := _read(lambda: next(found, end))) is not end:
        yield one  # type: ignore[misc]  # all but the end is one

"""What one rendering may use up, and what it found missing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

MOST_OUTPUT = 1_000_000
MOST_STEPS = 20_000
MOST_WORK = 20_000_000
LONGEST_S = 5.0


class LimitError(Exception):
    """A template does more than a message needs."""


class MissingError(Exception):
    """A template shows a value that a person does not have.

    Attributes:
        name: As the template writes it, such as ``first_name`` or ``event.price``.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"no value of {name}")
        self.name = name


@dataclass(slots=True)
class Rendering:
    """One rendering under way.

    Attributes:
        language: Tag by which values are written.
        zone: IANA zone of times.
        collects: What is missing is written down and left out, instead of ending the rendering.
        missed: Names that were missing, in order.
        steps: Bodies and calls still to run.
        output: Characters still to write.
        work: Characters still to be gone through by filters.
    """

    language: str = "en"
    zone: str = "UTC"
    collects: bool = False
    missed: dict[str, None] = field(default_factory=dict)
    steps: int = MOST_STEPS
    output: int = MOST_OUTPUT
    work: int = MOST_WORK
    ends: float = field(default_factory=lambda: time.perf_counter() + LONGEST_S)

    def step(self) -> None:
        """A body or a call begins.

        Raises:
            LimitError: Too many, or too late.
        """
        self.steps -= 1
        if self.steps < 0:
            raise LimitError(f"it takes more than {MOST_STEPS:,} steps")
        if time.perf_counter() > self.ends:
            raise LimitError(f"it takes longer than {LONGEST_S:g} s")

    def write(self, characters: int) -> None:
        """Text is written.

        Raises:
            LimitError: Too much.
        """
        self.output -= characters
        if self.output < 0:
            raise LimitError(f"it writes more than {MOST_OUTPUT:,} characters")

    def go_through(self, characters: int) -> None:
        """A filter reads or makes a text.

        Raises:
            LimitError: Too much, all in all.
        """
        self.work -= characters
        if self.work < 0:
            raise LimitError(f"its filters go through more than {MOST_WORK:,} characters")


_CURRENT: ContextVar[Rendering | None] = ContextVar("rendering", default=None)


def current() -> Rendering | None:
    """The rendering under way; None while a template is compiled."""
    return _CURRENT.get()


@contextmanager
def begun(rendering: Rendering) -> Iterator[Rendering]:
    """Makes it the one under way."""
    token = _CURRENT.set(rendering)
    try:
        yield rendering
    finally:
        _CURRENT.reset(token)

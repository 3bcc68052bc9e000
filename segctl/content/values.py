"""Values that templates see: fields by name, memberships, amounts with a unit, and what is missing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from jinja2 import Undefined
from jinja2.exceptions import UndefinedError

from segctl.content.rendering import MissingError, current

# Whoever signs up chooses these: they turn the order of other words round.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SPACES = re.compile(r"\s+")


class MissingValue(Undefined):
    """A declared value that a person does not have: false, not defined, and an error when it is shown."""

    __slots__ = ()

    def __str__(self) -> str:
        """Nothing, where what is missing is only written down.

        Raises:
            MissingError: Otherwise.
        """
        rendering = current()
        if rendering is None or not rendering.collects:
            self._fail_with_undefined_error()
        else:
            rendering.missed[str(self._undefined_name)] = None
        return ""

    def __iter__(self) -> Iterator[Any]:
        str(self)
        return iter(())

    def __len__(self) -> int:
        str(self)
        return 0

    def __bool__(self) -> bool:
        return False


def missing(name: str) -> MissingValue:
    """The value of that name, which a person does not have."""
    return MissingValue(name=name, exc=partial(_missed, name))  # type: ignore[arg-type]  # called like the class


def _missed(name: str, _message: str | None = None) -> MissingError:
    rendering = current()
    if rendering is not None:
        rendering.missed[name] = None
    return MissingError(name)


class Amount(Decimal):
    """An exact number with its declared unit."""

    unit: str | None = None

    @classmethod
    def of(cls, value: Decimal, unit: str | None) -> Amount:
        """The number with the unit."""
        made = cls(value)
        made.unit = unit
        return made


class Fields(Mapping[str, Any]):
    """Values by name; None is what is missing.

    Args:
        name: Of the variable, for messages.
        values: By name.
    """

    def __init__(self, name: str, values: Mapping[str, Any]) -> None:
        self._name, self._values = name, values

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - a value of any type
        found = self._values[key]
        return missing(f"{self._name}.{key}") if found is None else found

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Memberships:
    """Which of the segments a person is in: ``'vip' in segments``, ``segments.vip``.

    Args:
        segments: Answer by segment, for all that a template speaks of.
    """

    def __init__(self, segments: Mapping[str, bool]) -> None:
        self._segments = dict(segments)

    def __contains__(self, name: object) -> bool:
        found = self.asked(name)
        if found is None:
            raise UndefinedError("a segment is asked for by its name as it is: `'vip' in segments`")
        return found

    def asked(self, name: object) -> bool | None:
        """Whether the person is in it; None of one that was not looked up."""
        return self._segments.get(name) if isinstance(name, str) else None


def clean(value: Any) -> Any:  # noqa: ANN401 - a value of any type
    r"""A person's value on one line, without characters that turn or hide what stands beside it.

    >>> clean("Anna\r\nBcc: x")
    'Anna Bcc: x'
    """
    if isinstance(value, str):
        plain = _TURNING.sub("", value)
        plain = (
            "".join(" " if _is_control(letter) else letter for letter in plain) if not plain.isprintable() else plain
        )
        return _SPACES.sub(" ", plain).strip() or None
    if isinstance(value, list):
        return [kept for item in value if (kept := clean(item)) is not None]
    if isinstance(value, dict):
        return Fields("it", {key: clean(item) for key, item in value.items()})
    return value


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Cs", "Co", "Cn")

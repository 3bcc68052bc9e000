"""A service's own words without the people in them: they are shown, logged and kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from segctl.connectors.files.paths import shortened
from segctl.connectors.http import problems
from segctl.model.secrets import masked

if TYPE_CHECKING:
    from segctl.connectors.calls import Row

HIDDEN = "…"
_SHORTEST = 3
_ADDRESS = re.compile(r"[^\s\"'`<>(),;:\[\]{}]+(?:@|%40)[^\s\"'`<>(),;:\[\]{}]+")
_DIGEST = re.compile(r"\b[0-9a-fA-F]{32,}\b")
_PHONE = re.compile(r"(?<![\w.-])\+?\d(?:[ ()/.-]{0,2}\d){7,}(?![\w-])")


def without_people(text: str, rows: Iterable[Row] = ()) -> str:
    """A text in which addresses, telephone numbers, digests and all that `rows` tell of people are hidden.

    Args:
        text: Of a service.
        rows: That the call was about; a name or an id looks like any word, so it is known from here alone.
    """
    for value in sorted(_told(rows, text), key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return _PHONE.sub(HIDDEN, _DIGEST.sub(HIDDEN, _ADDRESS.sub(HIDDEN, text)))


def words_of(value: Any, rows: Iterable[Row] = (), otherwise: str = "no reason given") -> str:  # noqa: ANN401 - JSON
    """What a service says in a JSON value about why, without the people in it."""
    clean = cleaner(rows)
    if isinstance(value, str):
        return shortened(clean(masked(" ".join(value.split()))), 200) or otherwise
    return problems.said(value, clean) or otherwise


def cleaner(rows: Iterable[Row]) -> Callable[[str], str]:
    """`without_people` for the rows of a call."""
    return lambda text: without_people(text, rows)


def _told(rows: Iterable[Row], text: str) -> set[str]:
    """Values of the rows that stand in the text."""
    small = text.casefold()
    found: set[str] = set()
    for row in rows:
        values = [row.known_as, *row.identifiers.values(), *(v for v in row.fields.values() if isinstance(v, str))]
        for value in values:
            if value and len(value) >= _SHORTEST and value.casefold() in small:
                found |= {value, value.lower(), value.upper(), value.title()}
    return found

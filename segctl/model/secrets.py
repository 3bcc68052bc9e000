"""Secrets by reference, and a mask over every value that was ever read from one.

The mask belongs to the process, not to a call: whoever writes text or bytes for people, logs, files or state runs
them through `masked`, so a value that a foreign library put into its message cannot leave either.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import AnyStr, Literal
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST = 4
"""A shorter value is no secret, and masking it would spoil ordinary words."""

_RANDOM, _LONG = 8, 12
"""In people's data a shorter value may be a word: with letters and digits in it, and without."""

_known: dict[str, None] = {}
_longest_first: list[tuple[str, bytes]] = []


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret stands; its value is read when it is used, never before.

    Attributes:
        form: ``env`` a variable, ``file`` a file relative to the project, ``command`` a program's output.
        words: Name of the variable, path of the file, or the program with its arguments.
    """

    form: Literal["env", "file", "command"]
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{{{self.form}: {self.words[0]}}}"


Text = str | Secret
"""A setting that may be written out or may be a secret."""


def remember(value: str) -> str:
    """Masks `value` from now on, in the spellings that it takes in URLs, JSON and basic authentication."""
    stripped = value.strip()
    if len(stripped) < SHORTEST:
        return value
    spellings = {stripped, quote(stripped, safe=""), quote(stripped), quote_plus(stripped)}
    spellings |= {json.dumps(stripped)[1:-1], json.dumps(stripped, ensure_ascii=False)[1:-1], repr(stripped)[1:-1]}
    spellings.add(base64.b64encode(stripped.encode()).decode())
    if not spellings <= _known.keys():
        _known.update(dict.fromkeys(spellings))
        found = sorted(_known, key=lambda spelling: (-len(spelling), spelling))
        _longest_first[:] = [(spelling, spelling.encode()) for spelling in found]
    return value


def masked(text: AnyStr) -> AnyStr:
    """`text` with every remembered secret replaced by `MASK`."""
    if isinstance(text, bytes):
        for _, raw in _longest_first:
            if raw in text:
                text = text.replace(raw, MASK.encode())
        return text
    for spelling, _ in _longest_first:
        if spelling in text:
            text = text.replace(spelling, MASK)
    return text


def masked_records(lines: bytes) -> bytes:
    """People's data with remembered secrets replaced, but only those that cannot be an ordinary word.

    A user name may be a secret as well, and masking `shop` would make another address of `info@shop.example`.
    """
    for spelling, raw in _longest_first:
        if raw in lines and _is_no_word(spelling):
            lines = lines.replace(raw, MASK.encode())
    return lines


def _is_no_word(spelling: str) -> bool:
    is_mixed = any(sign.isdigit() for sign in spelling) and any(sign.isalpha() for sign in spelling)
    return len(spelling) >= (_RANDOM if is_mixed else _LONG)


def forget() -> None:
    """Masks nothing any more; for tests."""
    _known.clear()
    _longest_first.clear()

"""One JSON record, parsed strictly: no repeated key, no NaN, no number that changes."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from segctl.connectors.files.base import Reason
from segctl.connectors.files.faults import SHOWN
from segctl.connectors.files.paths import shortened

if TYPE_CHECKING:
    import msgspec

MAX_DEPTH = 100
# Any decimal of 15 significant digits survives a float; sign, point and one more letter fit in 16 characters.
_SURELY_EXACT = 16
_MOST_QUICK = 4_000
"""Bytes of a record that is read the quick way; no whole number in it is too long for Python."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

Record = dict[str, Any]


class RefusedJsonError(ValueError):
    """Well-formed, but not to be trusted: a repeated key, NaN."""


def _without_repeats(pairs: list[tuple[str, Any]]) -> Record:
    record = dict(pairs)
    if len(record) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise RefusedJsonError(f"the key `{shortened(repeated, SHOWN)}` stands twice in one object")
    return record


class Digits(str):
    """A number that a float would change, as it is written."""

    __slots__ = ()


def _number(text: str) -> float | Digits:
    """A float, or the digits themselves where a float would change them."""
    value = float(text)
    if len(text) < _SURELY_EXACT and "e" not in text and "E" not in text:
        return value
    try:
        return value if Decimal(repr(value)) == Decimal(text) else Digits(text)
    except ArithmeticError:
        # An exponent of twenty digits is beyond decimals as well.
        return Digits(text)


def _no_constant(name: str) -> object:
    raise RefusedJsonError(f"`{name}` is not a JSON value")


DECODER = json.JSONDecoder(object_pairs_hook=_without_repeats, parse_float=_number, parse_constant=_no_constant)


@cache
def _quick() -> msgspec.json.Decoder[Any]:
    import msgspec

    return msgspec.json.Decoder(float_hook=_number)


def quick_record(raw: bytes) -> Record | None:
    """What `parse_record` finds in plainly written UTF-8, several times faster; None for it to decide.

    The quick reader keeps the last of repeated keys. Without escapes, texts and keys are all that is quoted, so that
    quotes beyond theirs are those of a key that stands twice.
    """
    if len(raw) > _MOST_QUICK or b"\\" in raw:
        return None
    try:
        record = _quick().decode(raw)
    except (ValueError, RecursionError):
        return None
    if type(record) is not dict:
        return None
    kinds = list(map(type, record.values()))
    if (dict in kinds or list in kinds) and raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        return None
    return record if raw.count(b'"') == 2 * _quoted(record, kinds) else None


def _quoted(record: Record, kinds: list[type]) -> int:
    """How many keys and texts there are, given the types of the values."""
    found = len(kinds) + kinds.count(str)
    if dict in kinds or list in kinds:
        found += sum(_quoted_within(value) for value in record.values())
    return found


def _quoted_within(value: object) -> int:
    if type(value) is dict:
        return _quoted(value, list(map(type, value.values())))
    if type(value) is list:
        return sum(1 if type(part) is str else _quoted_within(part) for part in value)
    return 0


def parse_record(text: str) -> Record | Reason:
    """The object that `text` is, or why it is none that can be taken."""
    try:
        value = DECODER.decode(text)
    except RecursionError:
        return too_deep()
    except json.JSONDecodeError as error:
        said = error.msg.lower().removesuffix(" at")
        found = shortened(text[error.pos : error.pos + SHOWN], SHOWN)
        return Reason("SEG368", "well-formed JSON", found, f"not JSON: {said} at character {error.pos + 1:,}")
    except ValueError as error:
        return Reason("SEG368", "well-formed JSON", shortened(text, SHOWN), f"not JSON: {error}")
    return checked(value, text)


def checked(value: object, text: str) -> Record | Reason:
    """`value`, parsed from `text`, if it is an object of text that can be stored."""
    if not isinstance(value, dict):
        return Reason("SEG368", "an object", shortened(text, SHOWN), "the record is not a JSON object")
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        return too_deep()
    if _SURROGATE.search(text) and not _is_storable(value):
        return Reason(
            "SEG364",
            "whole characters",
            "a lone surrogate",
            "half of a character stands in the record (`\\ud800` to `\\udfff`)",
        )
    return value


def too_deep() -> Reason:
    """The reason for records nested beyond all use."""
    return Reason(
        "SEG366", f"at most {MAX_DEPTH} levels", "more", f"the record is nested deeper than {MAX_DEPTH} levels"
    )


def _depth(value: object) -> int:
    level: list[object] = [value]
    depth = 0
    while level:
        depth += 1
        inner = [item for item in level if isinstance(item, dict | list)]
        level = [part for item in inner for part in (item.values() if isinstance(item, dict) else item)]
    return depth


def _is_storable(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True

"""The line that stands for an accepted request in a collector's file, as it is written and as it is read."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

Envelope = dict[str, Any]
"""``received`` (ISO 8601, UTC), ``source``, ``key`` (name of the write key, None without one), ``shape`` (protocol),
``kind`` (type of message or topic of a webhook, None when the body says it), ``id`` (what tells a repetition, None when
nothing does), ``ip`` and ``seen`` where there are such, and ``body``: what was sent."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def head_of(source: str, key: str | None, shape: str) -> bytes:
    """The part of a line that all requests with one key share."""
    return f',"source":{_encode(source)},"key":{_encode(key)},"shape":{_encode(shape)}'.encode()


def line_of(head: bytes, received: str, body: bytes, **told: str | None) -> bytes:
    """A whole line.

    Args:
        head: Of `head_of`.
        received: ISO 8601.
        body: JSON text.
        told: ``kind``, ``id``, ``ip``, ``seen``.
    """
    said = ",".join(f'"{name}":{_encode(value)}' for name, value in told.items())
    # Between values JSON may break lines; inside of texts it may not.
    flat = body.replace(b"\r", b" ").replace(b"\n", b" ")
    return b'{"received":"%b"%b,%b,"body":%b}\n' % (received.encode(), head, said.encode("utf-8", "replace"), flat)


def source_mark(source: str) -> bytes:
    """What stands in every line of a source, so that lines of others need not be read as JSON."""
    return f'"source":{_encode(source)},"key":'.encode()


def read_line(line: bytes) -> Envelope | None:
    """The envelope of a line; None when it is none, as after a crash of the machine."""
    try:
        found = json.loads(line, parse_float=_exact, parse_constant=str)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return found if isinstance(found, dict) and "body" in found and isinstance(found.get("received"), str) else None


def encoded(value: object) -> bytes:
    """A value as compact JSON text."""
    return _encode(value).encode("utf-8", "surrogatepass")


def _exact(text: str) -> float | str:
    """A number as it is, or as text where a float would lose digits."""
    number = float(text)
    try:
        return number if Decimal(repr(number)) == Decimal(text) else text
    except ArithmeticError:
        # An exponent of twenty digits is beyond decimals as well.
        return text

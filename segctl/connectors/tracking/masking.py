"""Taking addresses of machines out of records and texts that are kept."""

from __future__ import annotations

import json
import re
from ipaddress import ip_address
from typing import Any

from segctl.connectors.tracking.base import snake
from segctl.model.tracking import ADDRESSES

MASK = "[ip]"
_CANDIDATE = re.compile(
    r"(?<![\w.])(?:\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:]))"
)
_PIECE = re.compile(r"(?<!\d)\d{1,3}(?:\.\d{1,3}){2,3}")


def masked_record(record: object) -> str:
    """A record as JSON text in which no address of a machine stands, neither under a name for one nor in a text."""
    return masked_text(json.dumps(_without(record), ensure_ascii=False, default=str, separators=(",", ":")))


def _without(value: Any) -> Any:  # noqa: ANN401 - JSON is of any type
    if isinstance(value, dict):
        return {name: MASK if snake(str(name)) in ADDRESSES else _without(of) for name, of in value.items()}
    return [_without(item) for item in value] if isinstance(value, list) else value


def masked_text(text: str) -> str:
    """A text with every IPv4 and IPv6 address replaced."""
    return _CANDIDATE.sub(lambda match: MASK if _is_address(match[0]) else match[0], text)


def masked_excerpt(text: str) -> str:
    """A short piece of a text, where even a cut address is replaced."""
    return _PIECE.sub(MASK, masked_text(text))


def _is_address(candidate: str) -> bool:
    try:
        ip_address(candidate)
    except ValueError:
        return False
    return candidate != "::"

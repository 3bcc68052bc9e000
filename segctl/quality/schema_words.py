"""What a keyword wants, in words that need no knowledge of JSON Schema."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

SHOWN = 200
"""Characters of an offending value that a reason repeats; the whole row stands beside it."""
_MOST = 6
_BOUND, _DIGITS = 80, 24
"""Characters of a bound that a sentence repeats; the contract holds the whole."""
_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
    "array": "a list",
    "object": "a record",
}
_FORMATS = {
    "date": "a day such as 2026-01-31",
    "time": "a time such as 14:30:00Z",
    "date-time": "an instant such as 2026-01-31T14:30:00Z",
    "email": "an e-mail address without umlauts (`idn-email` allows them)",
    "idn-email": "an e-mail address",
    "uuid": "a UUID with hyphens",
    "ipv4": "an IPv4 address",
    "ipv6": "an IPv6 address",
    "uri": "an absolute address such as https://example.org/",
    "hostname": "a host name",
    "duration": "a duration such as P3D",
}
_SENTENCES = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "pattern": "text that matches {}",
    "const": "{}",
    "minItems": "at least {} elements",
    "maxItems": "at most {} elements",
    "minProperties": "at least {} properties",
    "maxProperties": "at most {} properties",
    "uniqueItems": "no element twice",
    "contains": "the right number of matching elements",
    "anyOf": "one of several forms",
    "oneOf": "exactly one of several forms",
    "not": "anything but the excluded form",
    "propertyNames": "other property names",
    "required": "`{}` must be there",
    "dependentRequired": "`{}` must be there",
    "additionalProperties": "no such property",
    "unevaluatedProperties": "no such property",
    "unevaluatedItems": "no further elements",
    "false": "nothing at all",
}
_NAMES = {
    "falseSchema": "false",
    "oneOfNotValid": "oneOf",
    "oneOfMultipleValid": "oneOf",
    "constant": "const",
    "minContains": "contains",
    "maxContains": "contains",
    "dependentRequired": "required",
}


def keyword_of(kind: str) -> str:
    """The keyword behind a name that the exact engine gives to an error."""
    return _NAMES.get(kind, kind)


def expected(keyword: str, limit: Any) -> str:  # noqa: ANN401 - JSON
    """What a keyword with a value wants."""
    if keyword == "type":
        types = [limit] if isinstance(limit, str) else sorted(limit or ())
        return " or ".join(_TYPES.get(name, str(name)) for name in types)
    if keyword == "enum":
        values = list(limit or ())
        more = f" or {len(values) - _MOST} more" if len(values) > _MOST else ""
        return "one of " + ", ".join(shown(value) or "nothing" for value in values[:_MOST]) + more
    if keyword == "format":
        return _FORMATS.get(str(limit), f"the format {limit}")
    return _SENTENCES.get(keyword, keyword).format(_bound(limit))


def _bound(limit: Any) -> str | None:  # noqa: ANN401 - JSON
    """A bound as people read it; a very long one in short, and seen to be."""
    text = shown(limit)
    if text is None or len(text) <= _DIGITS:
        return text
    if isinstance(limit, int | Decimal):
        return f"about {Decimal(limit):.3e}"
    return text if len(text) <= _BOUND else f"{text[:_BOUND]}…"


def shown(value: Any) -> str | None:  # noqa: ANN401 - JSON
    """A value as people read it: text without quotes, the rest as JSON, shortened."""
    if value is None or isinstance(value, str):
        text = value
    elif isinstance(value, Decimal):
        text = str(value)
    else:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return text if text is None or len(text) <= SHOWN else text[:SHOWN]

"""Random contracts and rows: small, nasty, and made so that many rows nearly fit.

Everything comes from one seeded generator: a failing seed says it all, and thousands of pairs take seconds.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from random import Random
from typing import Any

import polars as pl

NAMES = ("a", "b", "c", "d\u00fc")
TEXTS = (
    "",
    "a",
    "ab",
    "abc",
    "b",
    "A",
    "1",
    "1.0",
    "true",
    "null",
    "\u00e9",
    "e\u0301",
    "\U0001f44d\U0001f3fd",
    "\u0663",
    "\u00fc",
    " ",
    "a\n",
    "\ufeff",
    "\u2028",
    "2024-02-29",
    "2023-02-29",
    "2024-2-3",
    "2024-01-31T23:59:60Z",
    "2024-01-31t10:00:00z",
    "2024-01-31T10:00:00+24:00",
    "2024-04-31",
    "j\u00fcrgen@example.org",
    "a@b.de",
    "a@b@c",
    "a@-b.de",
    "a.@b.de",
    "127.0.0.1",
    "127.0.0.256",
    "https://a.de/x",
    "http:// x",
    "-bad-",
    "ok.example",
    "P3D",
    "P",
    "10:00:00Z",
    "12345678-1234-1234-1234-123456789abc",
    "x]",
    "[",
    "a&b",
    "{",
    "0",
    "aa",
    "\ud7ff",
)
INTEGERS = (0, 1, -1, 2, 3, 5, 10, 2**31, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 2**63, 10**22)
FLOATS = (0.0, -0.0, 0.5, 1.0, 1.5, -2.25, 4.35, 0.0075, 0.00751, 19.99, 1e15, 1e16, 1e300, 3.0, 0.1, 2.0**53)
PATTERNS = (
    "^a",
    "b$",
    "^\\d+$",
    "\\w",
    "^\\s*$",
    "^.$",
    "^[a-c]+$",
    "[^a]",
    "^(?:a|b){1,2}$",
    "(?=a)",
    "^(?!a)",
    "[a&&b]",
    "[[a]",
    "\\u00e9",
    "^\\S+$",
    "^[\\w.]{1,20}$",
    "\\p{Lu}",
    "^\\D$",
    "\\/",
    "a?b+",
    "(a)\\1",
    "[\\d-x]",
    "\\ba",
    "^a*?$",
    "[\\s\\S]",
    "x\\]",
    "\\{",
)
FORMATS = (
    "date",
    "time",
    "date-time",
    "email",
    "idn-email",
    "uuid",
    "ipv4",
    "ipv6",
    "uri",
    "hostname",
    "duration",
    "regex",
    "json-pointer",
    "unknown",
)
DIVISORS = (1, 2, 3, 0.5, 0.01, 0.0001, 1.5, 2.5, 10, 1e-8, 1e300, 1e-20, 7, 100.0)
TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
CELLS = (
    *TEXTS,
    None,
    None,
    None,
    "-1",
    "+1",
    "007",
    "1e5",
    "1,5",
    "nan",
    "inf",
    "12345678901234567890",
    " 3 ",
    "ja",
    "nein",
    "[1, 2]",
    '{"a": 1}',
    "[",
    "9007199254740993",
    "2",
    "3",
    "2.5",
    "0.01",
)


def number(rng: Random) -> Any:
    """A number: mostly small."""
    return rng.choice((rng.randint(-3, 12), rng.randint(-3, 12), rng.choice(INTEGERS), rng.choice(FLOATS)))


def value(rng: Random, depth: int = 2) -> Any:
    """Any JSON value."""
    kind = rng.randint(0, 8 if depth else 6)
    if kind < 5:
        return (None, rng.random() < 0.5, number(rng), rng.choice(TEXTS), rng.randint(0, 3))[kind]
    if kind < 7:
        return rng.choice(TEXTS)
    if kind == 7:
        return [value(rng, depth - 1) for _ in range(rng.randint(0, 3))]
    return {rng.choice(NAMES): value(rng, depth - 1) for _ in range(rng.randint(0, 3))}


def _names(rng: Random) -> list[str]:
    return rng.sample(NAMES, rng.randint(0, 2))


def _types(rng: Random) -> Any:
    return rng.choice(TYPES) if rng.random() < 0.7 else rng.sample(TYPES, rng.randint(1, 3))


def _small(rng: Random) -> int:
    return rng.randint(0, 3)


PLAIN: dict[str, Callable[[Random], Any]] = {
    "type": _types,
    "enum": lambda rng: [value(rng) for _ in range(rng.randint(1, 4))],
    "const": value,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), number),
    "multipleOf": lambda rng: rng.choice(DIVISORS),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _small),
    "pattern": lambda rng: rng.choice(PATTERNS),
    "format": lambda rng: rng.choice(FORMATS),
    "uniqueItems": lambda rng: rng.random() < 0.8,
    "required": _names,
    "dependentRequired": lambda rng: {name: _names(rng) for name in _names(rng)},
    "$ref": lambda rng: rng.choice(("#/$defs/x", "#/$defs/y", "#/$defs/x", "#")),
}
ONE = ("items", "contains", "additionalProperties", "propertyNames", "not", "unevaluatedItems", "unevaluatedProperties")
MANY = ("allOf", "anyOf", "oneOf", "prefixItems")


def schema(rng: Random, depth: int = 2) -> Any:
    """A schema of a few keywords; with more of them nothing would ever be valid."""
    if rng.random() < 0.06:
        return rng.random() < 0.5
    found: dict[str, Any] = {}
    for _ in range(rng.randint(1, 3)):
        if depth == 0 or rng.random() < 0.55:
            keyword = rng.choice(tuple(PLAIN))
            found[keyword] = PLAIN[keyword](rng)
        else:
            found |= _applied(rng, depth - 1)
    return found


def _applied(rng: Random, depth: int) -> dict[str, Any]:
    kind = rng.randint(0, 5)
    if kind == 0:
        found = {"if": schema(rng, depth), "then": schema(rng, depth)}
        return found if rng.random() < 0.5 else found | {"else": schema(rng, depth)}
    if kind == 1:
        return {"properties": {name: schema(rng, depth) for name in rng.sample(NAMES, rng.randint(1, 3))}}
    if kind == 2:
        name = rng.choice(("patternProperties", "dependentSchemas"))
        keys = ("^a", "b|c", ".") if name == "patternProperties" else NAMES
        return {name: {rng.choice(keys): schema(rng, depth)}}
    if kind == 3:
        found = {"contains": schema(rng, depth)}
        return found | {rng.choice(("minContains", "maxContains")): _small(rng)}
    if kind == 4:
        return {rng.choice(MANY): [schema(rng, depth) for _ in range(rng.randint(1, 3))]}
    return {rng.choice(ONE): schema(rng, depth)}


def contract(rng: Random) -> dict[str, Any]:
    """A contract for records with some of the properties a to d."""
    root = schema(rng, 1) if rng.random() < 0.5 else {}
    found: dict[str, Any] = {} if isinstance(root, bool) else dict(root)
    found["properties"] = {name: schema(rng) for name in rng.sample(NAMES, rng.randint(1, 3))}
    return found | {"$defs": {"x": schema(rng, 1), "y": schema(rng, 0)}}


def records(rng: Random) -> list[dict[str, Any]]:
    """Rows whose columns are mostly of one type, as real ones are; some are mixed."""
    kinds: tuple[Callable[[], Any], ...] = (
        lambda: rng.choice(TEXTS),
        lambda: number(rng),
        lambda: rng.randint(-3, 12),
        lambda: rng.choice(FLOATS),
        lambda: rng.random() < 0.5,
        lambda: value(rng),
        lambda: [rng.choice(TEXTS) for _ in range(_small(rng))],
        lambda: [rng.choice((None, 0, 1, 2)) for _ in range(_small(rng))],
        lambda: [[rng.randint(0, 1)] for _ in range(_small(rng))],
        lambda: {name: rng.choice(TEXTS) for name in _names(rng)},
        lambda: [{name: rng.randint(0, 2) for name in _names(rng)} for _ in range(_small(rng))],
    )
    chosen = {name: rng.choice(kinds) for name in NAMES}
    rows = []
    for _ in range(rng.randint(1, 5)):
        luck = {name: rng.random() for name in NAMES}
        rows.append({n: None if luck[n] < 0.08 else make() for n, make in chosen.items() if luck[n] < 0.8})
    return rows


def text_frame(rng: Random) -> pl.DataFrame:
    """Cells of text, as CSV has them."""
    height = rng.randint(1, 6)
    cells = {name: [rng.choice(CELLS) for _ in range(height)] for name in NAMES[:3]}
    return pl.DataFrame(cells, schema=dict.fromkeys(NAMES[:3], pl.String))


def _float(rng: Random) -> float:
    odd = struct.unpack("d", rng.randbytes(8))[0]
    return rng.choice((rng.choice(FLOATS), float("nan"), float("inf"), odd, rng.randint(-3, 9) / 4))


def typed_frame(rng: Random) -> pl.DataFrame:
    """Columns of all the types that Parquet has."""

    def day() -> date:
        return date(2024, rng.randint(1, 12), rng.randint(1, 28))

    def moment() -> datetime:
        return datetime.combine(day(), time(rng.randint(0, 23), 5, 7, rng.choice((0, 120))))

    def text() -> str:
        return rng.choice(TEXTS)

    kinds: tuple[tuple[Any, Callable[[], Any]], ...] = (
        (pl.Int64, lambda: rng.choice((rng.randint(-3, 12), 2**63 - 1))),
        (pl.UInt64, lambda: rng.choice((0, 1, 2, 2**64 - 1))),
        (pl.Int8, lambda: rng.randint(-3, 12)),
        (pl.Float32, lambda: rng.choice((0.5, 1.0, 0.1))),
        (pl.Float64, lambda: _float(rng)),
        (pl.Boolean, lambda: rng.random() < 0.5),
        (pl.String, text),
        (pl.Categorical(), text),
        (pl.Null, lambda: None),
        (pl.Decimal(20, 2), lambda: Decimal(rng.choice((150, 4350, 10**17 + 1, 1))) / 100),
        (pl.Datetime("us"), moment),
        (pl.Datetime("us", "Europe/Berlin"), moment),
        (pl.Date, day),
        (pl.Binary, lambda: rng.randbytes(2)),
        (pl.List(pl.String), lambda: [rng.choice((None, *TEXTS)) for _ in range(_small(rng))]),
        (pl.List(pl.List(pl.Int64)), lambda: [[rng.randint(0, 2)] for _ in range(_small(rng))]),
        (pl.Struct({"a": pl.Int64, "b": pl.String}), lambda: {"a": rng.choice((None, 0, 1, 5)), "b": text()}),
        (
            pl.List(pl.Struct({"a": pl.Float64, "c": pl.Date})),
            lambda: [{"a": _float(rng), "c": day()} for _ in range(_small(rng))],
        ),
        (pl.Array(pl.Int64, 2), lambda: [rng.randint(0, 2), 1]),
    )
    height = rng.randint(1, 5)
    columns = []
    for name in NAMES[:3]:
        dtype, make = rng.choice(kinds)
        cells = [None if rng.random() < 0.15 else make() for _ in range(height)]
        columns.append(pl.Series(name, cells, dtype=dtype, strict=False))
    return pl.DataFrame(columns)

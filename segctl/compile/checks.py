"""Binding of `checks:`: YAML to checks of all rows of a source together, without any that nothing can keep or break."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import cast

from segctl.compile.source import ListNode, Mapping, Node
from segctl.compile.source_nodes import Reader, nearest
from segctl.model.contracts import Check, CheckKind, CheckSeverity

_AMOUNT = re.compile(r"\s*(-?\d{1,15}(?:\.\d{1,9})?)\s*(%)?\s*\Z")
_SPAN = re.compile(r"\s*(\d{1,5})\s*(m|min|minutes?|h|hours?|d|days?|w|weeks?)\s*\Z")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_CHECK_KEYS: dict[str, tuple[str, ...]] = {
    "rows": ("at_least", "at_most", "change"),
    "unique": (),
    "refers": ("column", "to", "at_least"),
    "nulls": ("column", "at_most"),
    "values": ("column", "in", "at_least"),
    "range": ("column", "min", "max"),
    "quantile": ("column", "q", "at_least", "at_most"),
    "fresh": ("column", "within"),
    "monotone": ("column",),
    "sums": ("columns", "equal", "at_most"),
    "drift": ("column", "at_most"),
    "new_values": ("column",),
}
_NEEDED: dict[str, tuple[tuple[str, ...], ...]] = {
    "rows": (("at_least", "at_most", "change"),),
    "refers": (("to",),),
    "nulls": (("at_most",),),
    "values": (("in",),),
    "range": (("min", "max"),),
    "quantile": (("q",), ("at_least", "at_most")),
    "fresh": (("within",),),
    "sums": (("equal",),),
}
"""Of each group a check needs one."""
_SHARE, _ROWS, _SIZE, _ANY = "a share from 0 to 100 %", "a whole number of rows", "0 or more", "a number"
_HUNDRED = 100
_MEANT: dict[tuple[str, str], str] = {
    ("rows", "at_least"): _ROWS,
    ("rows", "at_most"): _ROWS,
    ("rows", "change"): _SIZE,
    ("refers", "at_least"): _SHARE,
    ("nulls", "at_most"): _SHARE,
    ("values", "at_least"): _SHARE,
    ("sums", "at_most"): _SIZE,
    ("drift", "at_most"): _SIZE,
}
"""What the bound of a check is; any number where nothing stands."""
_MAY_BE: dict[str, Callable[[Decimal, bool], bool]] = {
    _SHARE: lambda amount, _: 0 <= amount <= 1,
    _ROWS: lambda amount, is_share: amount >= 0 and amount == int(amount) and not is_share,
    _SIZE: lambda amount, _: amount >= 0,
    _ANY: lambda _amount, _: True,
}
"""Whether an amount, written as a share or not, can be such a bound."""
_HINTS = {_SHARE: "write `5 %`, or `0.05`", _ROWS: "write `1000`", _SIZE: "write `30 %`, or `0.3`", _ANY: ""}


def bind_checks(node: Node | None, reader: Reader) -> tuple[Check, ...]:
    """The items of `checks`."""
    if node is None:
        return ()
    if not isinstance(node, ListNode):
        reader.error("SEG432", node, "`checks` is a list", hint="write `- unique: [order_no]` below it")
        return ()
    found = [_check(item, reader) for item in node.items]
    return tuple(check for check in found if check is not None)


def _check(node: Node, reader: Reader) -> Check | None:
    hint = f"checks: {', '.join(_CHECK_KEYS)}"
    if not isinstance(node, Mapping):
        reader.error("SEG432", node, "a check is its name with what it wants", hint=hint)
        return None
    kinds = [key for key, _ in node.entries if key.text != "severity"]
    if len(kinds) != 1 or kinds[0].text not in _CHECK_KEYS:
        name = next((key for key in kinds if key.text not in _CHECK_KEYS), None)
        said = f"`{name.text}` is no check" if name else "one item holds one check"
        reader.error("SEG432", name or node, said, hint=nearest(name.text, _CHECK_KEYS) if name else hint)
        return None
    kind = kinds[0].text
    value = cast("Node", node.get(kind))
    severity = reader.choice(node.get("severity"), "`severity`", ("error", "warn"), "error")
    if kind == "unique":
        columns = reader.texts(value, "`unique`")
        return Check("unique", columns, severity=cast("CheckSeverity", severity), location=node.location)
    settings = reader.mapping(value, f"`{kind}`", _CHECK_KEYS[kind])
    return None if settings is None else _with_settings(kind, settings, severity, node, reader)


def _with_settings(kind: str, settings: Mapping, severity: str, node: Mapping, reader: Reader) -> Check | None:
    column = reader.texts(settings.get("column") or settings.get("columns"), "a column")
    other = reader.text(settings.get("to"), "`to`")
    if not column and kind != "rows":
        reader.error("SEG432", settings, f"`{kind}` needs a column", hint=f"write `{kind}: {{column: …}}`")
        return None
    if other is not None and "." not in other:
        reader.error("SEG432", settings, f"`{other}` is no source with a column", hint="write `to: customers.id`")
        return None
    for group in _NEEDED.get(kind, ()):
        if not any(settings.get(name) is not None for name in group):
            reader.error("SEG432", settings, f"`{kind}` needs {' or '.join(f'`{name}`' for name in group)}")
            return None
    source, _, key = (other or ".").partition(".")
    low, high = (_bound(kind, settings, names, reader) for names in (("at_least", "min"), ("at_most", "max")))
    if low is not None and high is not None and low > high:
        reader.error("SEG432", settings, f"nothing is at least {low} and at most {high}", hint="swap the two")
        return None
    return Check(
        kind=cast("CheckKind", kind),
        columns=column,
        low=low,
        high=high,
        change=_bound(kind, settings, ("change",), reader),
        values=reader.texts(settings.get("in"), "a value"),
        quantile=_share(settings.get("q"), reader),
        within=_span(settings.get("within"), reader),
        other=(source, key) if other else None,
        total=reader.texts(settings.get("equal"), "`equal`"),
        severity=cast("CheckSeverity", severity),
        location=node.location,
    )


def _amount(node: Node | None, reader: Reader) -> Decimal | None:
    text = reader.text(node, "an amount")
    if text is None or node is None:
        return None
    found = _AMOUNT.match(text)
    if found is None:
        reader.error("SEG432", node, f"`{text}` is no amount", hint="write a number (`20`) or a share (`1 %`)")
        return None
    return Decimal(found[1]) / 100 if found[2] else Decimal(found[1])


def _share(node: Node | None, reader: Reader) -> Decimal | None:
    found = _amount(node, reader)
    if node is None or found is None or 0 <= found <= 1:
        return found
    reader.error("SEG432", node, "`q` is from 0 to 1", hint="write `q: 0.99`, or `q: 99 %`")
    return None


def _bound(kind: str, settings: Mapping, names: Sequence[str], reader: Reader) -> Decimal | None:
    """An amount that a check of this kind can keep or break at all."""
    name = next((name for name in names if settings.get(name) is not None), None)
    node = settings.get(name) if name else None
    found = _amount(node, reader)
    if name is None or node is None or found is None:
        return None
    text = reader.text(node, "an amount") or ""
    meant = _MEANT.get((kind, name), _ANY)
    if _MAY_BE[meant](found, "%" in text):
        return found
    hint = _HINTS[meant]
    if meant == _SHARE and 1 < found <= _HUNDRED and "%" not in text:
        hint = f"did you mean `{text.strip()} %`?"
    reader.error("SEG432", node, f"`{name}` of `{kind}` is {meant}, not `{text.strip()}`", hint=hint)
    return None


def _span(node: Node | None, reader: Reader) -> timedelta | None:
    text = reader.text(node, "`within`")
    if text is None or node is None:
        return None
    found = _SPAN.match(text)
    if found is None:
        reader.error("SEG432", node, f"`{text}` is no span of time", hint="write `36 h` or `2 days`")
        return None
    span = timedelta(**{_UNITS[found[2][0]]: int(found[1])})
    if not span:
        reader.error("SEG432", node, "no time is that new: `within` is longer than nothing", hint="write `36 h`")
        return None
    return span

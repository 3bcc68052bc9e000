"""Scalars as values of a declared type; nothing is coerced, and typing accidents are mended in the hint."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal

from segctl.compile import timewords, zones
from segctl.compile.bind import forms
from segctl.compile.bind.scope import Scope, describe_type, shown
from segctl.compile.source import ListNode, Node, Scalar
from segctl.model.conditions import Value
from segctl.model.times import Instant, LocalDay, LocalTime
from segctl.model.types import Kind, ValueType

SHARE = "share"
_PLAIN = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_WITH_UNIT = re.compile(r"(?P<number>[+-]?\d[\d.,'_]*)\s*(?P<unit>%|€|\$|£|[^\W\d]+(?:[/*][^\W\d]+)*)")
_GROUPED = re.compile(r"-?[1-9]\d{0,2}(?:[.'_ ]\d{3})+")
_GERMAN = re.compile(r"-?\d{1,3}(?:[. ']?\d{3})*,\d+")
_SYMBOLS = {"€": "EUR", "$": "USD", "£": "GBP", "euro": "EUR", "eur": "EUR", "prozent": "%", "percent": "%"}
_TRUTHS = {
    **dict.fromkeys(("yes", "on", "ja", "wahr", "1", "y", "true"), "true"),
    **dict.fromkeys(("no", "off", "nein", "falsch", "0", "n", "false"), "false"),
}
_LARGEST = 2**63 - 1


def literal(node: Node, of: ValueType, scope: Scope) -> Value | None:
    """The value a node says, in the field's own domain; None when it is none, which is then reported.

    Args:
        node: A scalar.
        of: The type it must have. Units in the text are checked against its unit.
        scope: Where problems go.
    """
    if isinstance(node, ListNode):
        _report_list(node, of, scope)
        return None
    if not isinstance(node, Scalar):
        forms.wrong_form(node, scope, f"a single {of.kind.value} stands here", hint="a value, or `{trait: NAME}`")
        return None
    if node.is_null:
        hint = "write `exists: false` to ask for a missing value" if node.comment is None else None
        forms.wrong_form(node, scope, f"a {of.kind.value} stands here", hint=hint)
        return None
    match of.kind:
        case Kind.TEXT:
            return unicodedata.normalize("NFC", node.text)
        case Kind.BOOLEAN:
            return _boolean(node, scope)
        case Kind.DATE | Kind.TIME:
            return _time(node, of, scope)
        case Kind.LIST | Kind.STRUCT:
            scope.error("SEG239", f"a {of.kind.value} is not compared as a whole", node.location)
            return None
        case _:
            return number(node, of, scope)


def number(node: Scalar, of: ValueType, scope: Scope) -> int | Decimal | None:
    """An exact number, `int` for integers; a unit in the text must be the type's."""
    written = node.text.strip()
    if _PLAIN.fullmatch(written) and len(written) < 40:
        if not node.is_plain:
            hint = f"write `{written}` without quotes"
            scope.error("SEG230", f"{shown(written)} in quotes is a text, not a number", node.location, hint=hint)
            return None
        return _fitting(Decimal(written), written, of, node, scope)
    with_unit = _WITH_UNIT.fullmatch(written)
    if with_unit is not None and len(written) < 60:
        return _measured(node, with_unit["number"], with_unit["unit"], of, scope)
    _report_number(node, written, "", of, scope)
    return None


def _measured(node: Scalar, amount: str, unit: str, of: ValueType, scope: Scope) -> int | Decimal | None:
    if not _PLAIN.fullmatch(amount):
        _report_number(node, amount, f" {unit}", of, scope)
        return None
    if unit == of.unit or (unit == "%" and of.unit == "percent"):
        return _fitting(Decimal(amount), amount, of, node, scope)
    if unit == "%" and of.unit == SHARE:
        return _fitting(Decimal(amount) / 100, amount, of, node, scope)
    right = "%" if of.unit == SHARE else of.unit
    meant = right is not None and _SYMBOLS.get(unit.lower()) == right
    hint = f"write `{amount} {right}`{'' if meant else ' or the bare number'}" if right else f"write `{amount}`"
    has = f"has the unit {of.unit}" if of.unit else "has no unit"
    scope.error("SEG236", f"{shown(node.text)} has the unit {unit}, the value compared {has}", node.location, hint=hint)
    return None


def _fitting(value: Decimal, written: str, of: ValueType, node: Scalar, scope: Scope) -> int | Decimal | None:
    if _GROUPED.fullmatch(written) and of.kind is not Kind.REAL:
        unit = node.text.strip().removeprefix(written)
        _report_number(node, written, unit, of, scope)
        return None
    if of.kind is Kind.REAL:
        if of.unit == SHARE and abs(value) >= 10 and "%" not in node.text:
            percent = value * 100
            hint = f"write `{written} %` if that is meant"
            scope.warn("SEG264", f"{shown(written)} is a share of {percent:,f} %", node.location, hint=hint)
        return value
    exponent = value.as_tuple().exponent
    digits = -exponent if isinstance(exponent, int) else 0
    if digits > of.scale and value != round(value, of.scale):
        what = "a whole number" if of.scale == 0 else f"a number with at most {of.scale} digits after the point"
        hint = f"write `{round(value, of.scale)}`" if of.kind is not Kind.INTEGER else "write a whole number"
        scope.error("SEG230", f"{shown(node.text)} is not {what}", node.location, hint=hint)
        return None
    if abs(value) * 10**of.scale > _LARGEST:
        scope.error("SEG230", f"{shown(node.text)} is larger than any {of.kind.value} can be", node.location)
        return None
    return int(value) if of.kind is Kind.INTEGER else value


def _report_number(node: Scalar, written: str, unit: str, of: ValueType, scope: Scope) -> None:
    location = node.location
    if _GERMAN.fullmatch(written):
        mended = re.sub(r"[. ']", "", written).replace(",", ".")
        scope.error("SEG231", f"{shown(written)} has a decimal comma", location, hint=f"write `{mended}{unit}`")
        return
    if _GROUPED.fullmatch(written):
        mended = re.sub(r"[.'_ ]", "", written)
        other = f", or `{written}0{unit}` for the fraction" if written.count(".") == 1 and of.scale > 3 else ""
        hint = f"write `{mended}{unit}` for the thousands{other}"
        scope.error("SEG231", f"{shown(written)} can be read in two ways", location, hint=hint)
        return
    compact = written.replace(" ", "").replace(",", "")
    plain = compact.lstrip("+").lstrip("0") or "0"
    mended_hint: str | None = None
    if "," in written and re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", written):
        mended_hint = f"write `{compact}{unit}`"
    elif _PLAIN.fullmatch(plain):
        mended_hint = f"write `{plain}{unit}`"
    expected = describe_type(of) if of.kind is not Kind.REAL else "number"
    article = "an" if expected.startswith("integer") else "a"
    scope.error("SEG230", f"{shown(written + unit)} is not {article} {expected}", location, hint=mended_hint)


def _boolean(node: Scalar, scope: Scope) -> bool | None:
    lowered = node.text.lower()
    if node.is_plain and lowered in ("true", "false"):
        return lowered == "true"
    meant = _TRUTHS.get(lowered)
    hint = f"write `{meant}`" if meant else "write `true` or `false`"
    quoted = "" if node.is_plain or lowered not in ("true", "false") else " in quotes"
    scope.error("SEG230", f"{shown(node.text)}{quoted} is not `true` or `false`", node.location, hint=hint)
    return None


def _time(node: Scalar, of: ValueType, scope: Scope) -> date | datetime | None:
    point = timewords.parse_time_point(node.text)
    if isinstance(point, timewords.Problem):
        report_problem(point, node, scope, "SEG232")
        return None
    if of.kind is Kind.DATE and isinstance(point, LocalDay):
        return point.day
    if of.kind is Kind.TIME and isinstance(point, Instant):
        return point.at.astimezone(UTC)
    if of.kind is Kind.TIME and isinstance(point, LocalTime):
        return zones.from_us(zones.instant_of(point.at, scope.project.timezone))
    if of.kind is Kind.TIME and isinstance(point, LocalDay):
        hint = f"write `during: {node.text}` for the whole day"
        scope.error("SEG232", f"{shown(node.text)} is a day, not an instant", node.location, hint=hint)
        return None
    wanted = "a day such as `2026-11-21`" if of.kind is Kind.DATE else "an instant such as `2026-11-21 14:30`"
    hint = "use a time operator: `within_last`, `during`, `since` …"
    scope.error("SEG232", f"{shown(node.text)} is not {wanted}", node.location, hint=hint)
    return None


def report_problem(problem: timewords.Problem, node: Scalar, scope: Scope, code: str) -> None:
    """A problem of a text as a diagnostic at the scalar it stands in."""
    scope.error(code, problem.message, node.location, hint=problem.hint)


def _report_list(node: ListNode, of: ValueType, scope: Scope) -> None:
    parts = [item.text for item in node.items if isinstance(item, Scalar)]
    if len(parts) == 2 == len(node.items) and of.is_numeric and all(part.isdigit() for part in parts):
        message = f"`[{parts[0]},{parts[1]}]` is a list of two numbers"
        scope.error("SEG231", message, node.location, hint=f"write `{parts[0]}.{parts[1]}` for a decimal number")
        return
    hint = "use `in` for one of several values" if of.kind not in (Kind.LIST, Kind.STRUCT) else None
    forms.wrong_form(node, scope, f"a single {of.kind.value} stands here", hint=hint)

"""A segment file: its header, its condition, and what is kept of the matched."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Literal, cast

from segctl.compile.bind import forms
from segctl.compile.bind.conditions import bind_condition, percent_of
from segctl.compile.bind.declarations import RESERVED_SEGMENTS, is_reserved
from segctl.compile.bind.names import find_trait
from segctl.compile.bind.scope import Scope, describe_type, shown
from segctl.compile.bind.times import duration
from segctl.compile.source import Mapping, Node, Scalar
from segctl.model.conditions import Guards, Keep, SegmentDefinition
from segctl.model.times import Duration
from segctl.model.types import Kind

SEGMENT_KEYS = (
    "segment", "title", "description", "owner", "purpose", "tags", "status", "send_to", "guards", "fresh",
    "expires", "formerly", "for_each", "where", "keep",
)  # fmt: skip
_SYNONYMS = {
    "name": "segment", "id": "segment", "label": "title", "desc": "description", "conditions": "where", "when": "where",
    "filter": "where", "rules": "where", "limit": "keep", "destinations": "send_to", "destination": "send_to",
    "titel": "title", "foreach": "for_each", "expiry": "expires", "until": "expires", "valid_until": "expires",
    "ends": "expires", "freshness": "fresh", "beschreibung": "description", "renamed_from": "formerly",
}  # fmt: skip
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ORDERED = (Kind.INTEGER, Kind.NUMBER, Kind.MONEY, Kind.REAL, Kind.DATE, Kind.TIME)
_GROUPING = (Kind.TEXT, Kind.INTEGER, Kind.BOOLEAN, Kind.DATE)


def bind_segment(node: Node, scope: Scope, *, default_name: str | None = None) -> SegmentDefinition | None:
    """A segment definition without its digest.

    Args:
        node: Root of a segment file.
        scope: Names in reach; problems go there.
        default_name: Name for files that give none, as `size FILE` allows.

    Returns:
        The definition, None when something in it is wrong, which is then reported.
    """
    root = forms.mapping(node, scope, "a segment file", hint="begin with `segment: NAME` and `where:`")
    if root is None:
        return None
    ok = forms.check_keys(root, SEGMENT_KEYS, scope, "a segment", synonyms=_SYNONYMS)
    name = segment_name(root, scope, default_name)
    where_node = forms.required(root, "where", scope, "the segment", example="where: {trait: country, equals: DE}")
    where = bind_condition(where_node, scope, salt=_salt(root, name)) if where_node is not None else None
    before = len(scope.diagnostics)
    keep = _keep(root.get("keep"), scope)
    header = _header(root, scope)
    guards = bind_guards(root.get("guards"), scope)
    fresh, stale = _fresh(root.get("fresh"), scope)
    expires = _expires(root.get("expires"), scope)
    failed = any(d.severity == "error" for d in scope.diagnostics[before:])
    if name is None or where is None or failed or not ok:
        return None
    place = root.get("segment") or root
    return SegmentDefinition(
        name, where, keep, **header, guards=guards, fresh=fresh, stale=stale, expires=expires, location=place.location  # type: ignore[arg-type]  # texts and tuples by key
    )  # fmt: skip


def segment_name(root: Mapping, scope: Scope, default_name: str | None = None) -> str | None:
    """The name a segment file gives itself."""
    node = root.get("segment")
    if node is None and default_name is None:
        forms.required(root, "segment", scope, "the file", example="segment: NAME")
        return None
    name = default_name if node is None else forms.name(node, scope, "a segment's name")
    return None if name is None or is_reserved(name, node or root, scope, RESERVED_SEGMENTS) else name


def _salt(root: Mapping, name: str | None) -> str:
    """Samples keep the name they were first saved under: the oldest of `formerly`."""
    formerly = root.get("formerly")
    if formerly is not None and not isinstance(formerly, Scalar | Mapping) and formerly.items:
        oldest = formerly.items[0]
        if isinstance(oldest, Scalar):
            return oldest.text.strip()
    return name or ""


def _header(root: Mapping, scope: Scope) -> dict[str, object]:
    found: dict[str, object] = {}
    for key in ("title", "description", "owner"):
        if (node := root.get(key)) is not None:
            found[key] = forms.text(node, scope, f"`{key}`")
    if (node := root.get("purpose")) is not None:
        found["purpose"] = forms.name(node, scope, "`purpose`")
    if (node := root.get("status")) is not None:
        found["status"] = forms.choice(node, ("draft", "active", "paused"), scope, "status")
    if (node := root.get("tags")) is not None:
        found["tags"] = _texts(node, scope, "`tags`")
    for key in ("send_to", "formerly"):
        if (node := root.get(key)) is not None:
            found[key] = _names(node, scope, f"`{key}`")
    return found


def _texts(node: Node, scope: Scope, what: str) -> tuple[str, ...]:
    listed = forms.names(node, scope, what) or ()
    for item in listed:
        if any(character in ", \t\n:+" for character in item.text.strip()):
            scope.error(
                "SEG217", f"{shown(item.text)} is not a tag; tags have no blanks, commas, `:` or `+`", item.location
            )
    return tuple(item.text.strip() for item in listed)


def _names(node: Node, scope: Scope, what: str) -> tuple[str, ...]:
    listed = forms.names(node, scope, what) or ()
    found = (forms.name(item, scope, f"an item of {what}") for item in listed)
    return tuple(name for name in found if name is not None)


# --- keep -------------------------------------------------------------------------------------------------
def _keep(node: Node | None, scope: Scope) -> Keep | None:
    if node is None:
        return None
    example = "write `{top: 500, by: lifetime_value}`"
    found = forms.mapping(node, scope, "`keep`", hint=example)
    if found is None or not forms.check_keys(found, ("top", "bottom", "by", "per", "missing"), scope, "`keep`"):
        return None
    best = [key for key in (found.key("top"), found.key("bottom")) if key is not None]
    by_node = forms.required(found, "by", scope, "`keep`", example="by: lifetime_value")
    by = _ranked_by(by_node, scope) if by_node is not None else None
    per_node = found.get("per")
    per = _grouped_by(per_node, scope) if per_node is not None else None
    keeps_missing = _keeps_missing(found, scope)
    if len(best) != 1:
        message = "`keep` has `top` and `bottom`" if best else "`keep` has neither `top` nor `bottom`"
        scope.error("SEG255", message, node.location, hint=example)
        return None
    amount = _amount(found.get(best[0].text) or found, scope)
    if by is None or amount is None:
        return None
    direction = cast("Literal['top', 'bottom']", best[0].text)
    return Keep(direction, by, *amount, per=per, keep_missing_group=keeps_missing)


def _amount(node: Node, scope: Scope) -> tuple[int | None, Decimal | None] | None:
    if isinstance(node, Scalar) and node.text.strip().endswith("%"):
        percent = percent_of(node, scope)
        return None if percent is None else (None, percent)
    count = forms.count(node, scope, "the number kept", least=1)
    return None if count is None else (count, None)


def _ranked_by(node: Node, scope: Scope) -> str | None:
    found = find_trait(node, scope)
    if found is None:
        return None
    if found.path or found.type.kind not in _ORDERED:
        message = f"`by` needs a number, date or time; {shown(found.name)} is {describe_type(found.type)}"
        scope.error("SEG255", message, node.location)
        return None
    return found.name


def _grouped_by(node: Node, scope: Scope) -> str | None:
    found = find_trait(node, scope)
    if found is None:
        return None
    if found.path or found.type.kind not in _GROUPING:
        message = (
            f"`per` needs a text, whole number, date or truth value; {shown(found.name)} is {describe_type(found.type)}"
        )
        scope.error("SEG255", message, node.location)
        return None
    return found.name


def _keeps_missing(node: Mapping, scope: Scope) -> bool:
    value = node.get("missing")
    if value is None:
        return False
    if node.get("per") is None:
        hint = "delete it; a missing `by` is never kept"
        scope.error(
            "SEG255", "`missing: keep` speaks of the groups of `per`, which is not there", value.location, hint=hint
        )
        return False
    return forms.choice(value, ("keep",), scope, "rule for missing groups") == "keep"


# --- Guards, freshness and end: checked for form, used by apply ---------------------------------------------------
def bind_guards(node: Node | None, scope: Scope) -> Guards:
    """Limits of a push; none when they are not given, or wrong."""
    if node is None:
        return Guards()
    found = forms.mapping(node, scope, "`guards`", hint="write `{max_removed: 20 %, min_size: 50}`")
    if found is None or not forms.check_keys(
        found, ("max_removed", "max_added", "min_size", "max_size"), scope, "`guards`"
    ):
        return Guards()
    shares = {key: _share(value, key, scope) for key in ("max_removed", "max_added") if (value := found.get(key))}
    sizes = {
        key: forms.count(value, scope, f"`{key}`") for key in ("min_size", "max_size") if (value := found.get(key))
    }
    smallest, largest = sizes.get("min_size"), sizes.get("max_size")
    if smallest is not None and largest is not None and smallest > largest:
        scope.error("SEG256", f"`min_size` {smallest} is above `max_size` {largest}", node.location)
    return Guards(shares.get("max_removed"), shares.get("max_added"), smallest, largest)


def _share(node: Node, key: str, scope: Scope) -> Decimal | None:
    if not isinstance(node, Scalar) or not node.text.strip().endswith("%"):
        hint = f"write `{key}: {node.text.strip()[:20]} %`" if isinstance(node, Scalar) and node.text.strip() else None
        scope.error("SEG256", f"`{key}` is a percentage", node.location, hint=hint or f"write `{key}: 20 %`")
        return None
    zero = node.text.strip().removesuffix("%").strip()
    if zero in ("0", "0.0"):
        return Decimal(0)
    percent = percent_of(node, scope)
    return None if percent is None else percent / 100


def _fresh(
    node: Node | None, scope: Scope
) -> tuple[tuple[tuple[str, Duration], ...], Literal["refuse", "mark"] | None]:
    """Limits by input, and what an input that is too old does."""
    if node is None:
        return (), None
    found = forms.mapping(node, scope, "`fresh`", hint="write `{order_completed: 1 day}`")
    if found is None:
        return (), None
    known = (*scope.events, *scope.inputs, *scope.tables)
    limits, stale = [], None
    for key, value in found.entries:
        if key.text == "stale" and "stale" not in known:
            stale = stale_choice(value, scope)
            continue
        if key.text not in known:
            hint = scope.meant(key.text, (*known, "stale"))
            scope.error(
                "SEG220", f"{shown(key.text)} is neither an event nor a source nor a related table", key.location,
                hint=hint,
            )  # fmt: skip
        length = duration(value, scope)
        if length is not None:
            limits.append((key.text, length))
    return tuple(limits), stale


def stale_choice(node: Node, scope: Scope) -> Literal["refuse", "mark"] | None:
    """What an input that is too old does."""
    written = forms.choice(node, ("refuse", "mark"), scope, "way to treat stale inputs")
    return cast("Literal['refuse', 'mark'] | None", written if written in ("refuse", "mark") else None)


def _expires(node: Node | None, scope: Scope) -> date | None:
    written = None if node is None else forms.text(node, scope, "`expires`")
    if node is None or written is None:
        return None
    if _DAY.fullmatch(written.strip()):
        with suppress(ValueError):
            return date.fromisoformat(written.strip())
    scope.error("SEG232", f"{shown(written)} is not a day", node.location, hint="write `expires: 2026-12-31`")
    return None

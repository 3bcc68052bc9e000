"""The load of `apply_segments` as a project: segctl.yaml, two sources over the generator's Parquet, fifty segments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from apply_segments import SEGMENTS, All, M, No, R, S, Some, T, Top

OPERATORS = {">=": "at_least", "<": "below", "=": "equals"}
PROPERTIES = {
    "product_id": "integer",
    "category": "text",
    "quantity": "integer",
    "value": {"type": "money", "round": True, "unit": "EUR"},
    "device": "text",
}
KINDS = (
    "page_view", "search", "product_view", "add_to_cart", "remove_from_cart", "wishlist_add", "login",
    "checkout_started", "order_completed", "product_purchased", "order_refunded", "email_sent", "email_opened",
    "email_clicked", "newsletter_subscribed",
)  # fmt: skip


def write_project(folder: Path, data: Path, *, copies: int = 1) -> None:
    """A project in `folder` over the generator's files in `data`.

    Args:
        folder: New or empty.
        data: As `make_events.py` wrote it.
        copies: How often the fifty segments are repeated, with other numbers to compare with; every second copy
            has windows of its own, so ten copies have twice the metrics.
    """
    for name in ("sources", "segments", "traits"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "segctl.yaml").write_text(dumped(_project()))
    (folder / "sources" / "people.yaml").write_text(dumped(_people(data)))
    (folder / "sources" / "shop.yaml").write_text(dumped(_shop(data)))
    traits: dict[str, Any] = {}
    for copy in range(copies):
        suffix = f"_{copy}" if copy else ""
        for name, (condition, top) in SEGMENTS.items():
            document: dict[str, Any] = {"segment": name + suffix, "where": said(condition, copy)}
            if top is not None:
                document["keep"] = _keep(top, f"{name}{suffix}_rank", traits, copy)
            (folder / "segments" / f"{name}{suffix}.yaml").write_text(dumped(document))
    (folder / "traits" / "ranks.yaml").write_text(dumped({"traits": traits}))


def dumped(document: Any) -> str:
    """YAML text."""
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def said(node: object, copy: int = 0) -> dict[str, Any]:
    """A condition in the segment language."""
    match node:
        case All(items):
            return {"all": [said(item, copy) for item in items]}
        case Some(items, 1):
            return {"any": [said(item, copy) for item in items]}
        case Some(items, n):
            return {"any": [said(item, copy) for item in items], "at_least": n}
        case No(item):
            return {"not": said(item, copy)}
        case R(name):
            return {"segment": f"{name}_{copy}" if copy else name}
        case T("birth_date", op, day):
            return {"trait": "birth_date", ("since" if op == ">=" else "before"): str(day)}
        case T(trait, "in", options):
            return {"trait": trait, "in": list(options)}
        case T(trait, _, value):
            return {"trait": trait, "equals": value}
        case S():
            first: dict[str, Any] = {"event": node.a, "within_last": f"{node.days + copy % 2} days"}
            if node.where:
                first["where"] = dict([node.where])
            found: dict[str, Any] = {
                "sequence": [first, {"then_not": {"event": node.b, "within": f"{node.hours} hours"}}]
            }
            return found | ({"same": [node.same]} if node.same else {})
        case M():
            return _event(node, copy)
    raise TypeError(node)


def _event(m: M, copy: int) -> dict[str, Any]:
    found = _selection(m, copy)
    operator = OPERATORS[m.op]
    if m.fn in ("first", "last"):
        return found | {m.fn: {"since": f"{m.than} days ago"}}
    if m.fn in ("count", "days"):
        return found | {m.fn: 0 if m.fn == "count" and (m.op, m.than) == ("=", 0) else {operator: m.than + copy}}
    literal = _literal(m)
    return found | {m.fn: {"of": m.of, operator: literal + copy if isinstance(literal, int) else literal}}


def _selection(m: M, copy: int) -> dict[str, Any]:
    found: dict[str, Any] = {"event": m.kind}
    if m.days is not None:
        found["within_last"] = f"{m.days + copy % 2} days"
    if m.where:
        found["where"] = dict([m.where])
    return found


def _literal(m: M) -> object:
    return m.than // 100 if m.of == "value" and isinstance(m.than, int) else m.than


def _keep(top: Top, trait: str, traits: dict[str, Any], copy: int) -> dict[str, Any]:
    measure: Any = {} if top.by.fn == "count" else {"of": top.by.of}
    traits[trait] = _selection(top.by, copy) | {top.by.fn: measure}
    return {"top": f"{top.percent} %", "by": trait} | ({"per": top.per} if top.per else {})


def _project() -> dict[str, Any]:
    return {
        "segctl": 1,
        "name": "bench",
        "timezone": "Europe/Berlin",
        "identifiers": {"customer_id": {"class": "known"}},
        "traits": {
            "country": "text",
            "gender": "text",
            "birth_date": "date",
            "newsletter_optin": "boolean",
            "loyalty_tier": "text",
        },
        "events": {kind: {"properties": PROPERTIES} for kind in KINDS},
    }


def _people(data: Path) -> dict[str, Any]:
    names = ("country", "gender", "birth_date", "newsletter_optin", "loyalty_tier")
    return {
        "source": "people",
        "kind": "file",
        "path": str(data / "profiles" / "*.parquet"),
        "key": {"customer_id": "profile_id"},
        "profiles": {name: name for name in names},
    }


def _shop(data: Path) -> dict[str, Any]:
    return {
        "source": "shop",
        "kind": "file",
        "path": str(data / "events" / "**" / "*.parquet"),
        "key": {"customer_id": "profile_id"},
        "events": [
            {
                "event": {"column": "event"},
                "time": "ts",
                "id": "event_id",
                "properties": {name: name for name in PROPERTIES},
            }
        ],
    }

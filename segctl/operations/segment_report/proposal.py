"""Lines for segctl.yaml that say what success is, guessed from the declared events; nothing is counted by a guess."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from segctl.model.types import Kind

if TYPE_CHECKING:
    from segctl.model.project import EventKind, Project

_BOUGHT = ("order_completed", "purchase", "order", "checkout", "bought", "transaction", "sale", "subscription")
_VALUES = ("value", "revenue", "total", "amount", "price", "sum")
_REACTED = ("open", "click", "visit", "reply", "answer")
_NOT = ("cancel", "refund", "return", "fail", "abandon", "start", "view", "add")


def proposal(project: Project) -> str | None:
    """A block `reports`; None when no declared event looks like a purchase or a reaction."""
    lines = []
    bought = _best(project.events, _BOUGHT)
    if bought is not None:
        lines.append(f"  conversion: {{event: {bought.name}}}")
        value = _value(bought)
        if value is not None:
            lines.append(f"  revenue: {{event: {bought.name}, sum: {{of: {value}}}}}")
    reacted = [one.name for one in project.events if any(word in one.name.lower() for word in _REACTED)]
    if reacted:
        lines.append(f"  engagement: {{events: [{', '.join(reacted)}]}}")
    return "\n".join(["reports:", *lines, ""]) if lines else None


def _best(events: Iterable[EventKind], words: tuple[str, ...]) -> EventKind | None:
    there = [one for one in events if not any(word in one.name.lower() for word in _NOT)]
    return next((one for word in words for one in there if word in one.name.lower()), None)


def _value(event: EventKind) -> str | None:
    numbers = [name for name, of in event.properties if of.kind in (Kind.MONEY, Kind.NUMBER, Kind.INTEGER)]
    money = [name for name, of in event.properties if of.kind is Kind.MONEY]
    named = next((name for word in _VALUES for name in numbers if word in name.lower()), None)
    return named if named is not None or not money else money[0]

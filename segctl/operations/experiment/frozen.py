"""What an experiment said when it started, and what of it must stay so that its result means what it says.

Weights, traffic, the end, money, words and metrics that do not decide may change; who takes part, what is compared,
and the figures that decide may not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import Field

    from segctl.model.experiments import Experiment

MAY_CHANGE = ("weights", "traffic (upwards)", "end", "size", "money", "titles", "metrics that are not primary")
"""In words, for hints."""
_KEPT = ("control", "same", "window", "strata", "looks", "look_shares", "confidence")
_FREE_OF_METRICS = frozenset({"title"})


def definition_of(experiment: Experiment) -> dict[str, Any]:
    """The whole definition as JSON values; what is left at its default is left out, as are places in files."""
    found: dict[str, Any] = _plain(experiment)
    return found


def frozen_digest(definition: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of what must not change."""
    text = json.dumps(_frozen(definition, str), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def changed(then: Mapping[str, Any], now: Mapping[str, Any], today: Callable[[str], str] = str) -> tuple[str, ...]:
    """Which parts that must not change differ, by the words of the file.

    Args:
        then: A definition on record.
        now: The definition of today.
        today: What a segment of then is called today.
    """
    before, after = _frozen(then, today), _frozen(now, str)
    return tuple(name for name in before if before[name] != after[name])


def _frozen(definition: Mapping[str, Any], today: Callable[[str], str]) -> dict[str, Any]:
    primary = [{key: value for key, value in one.items() if key not in _FREE_OF_METRICS}
               for one in definition["metrics"] if one.get("role") == "primary"]  # fmt: skip
    kept = {"unit" if name == "same" else name: definition.get(name) for name in _KEPT}
    return {
        "segment": today(definition["segment"]),
        "arms": sorted([arm["name"], arm.get("is_sent", True)] for arm in definition["arms"]),
        "layer": (definition.get("layer") or {}).get("layer"),
        "exclude": sorted(today(name) for name in definition.get("exclude", ())),
        "primary metrics": sorted(primary, key=lambda one: str(one["name"])),
        **kept,
    }


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON values
    if is_dataclass(value) and not isinstance(value, type):
        told = {one.name: _plain(getattr(value, one.name)) for one in fields(value)
                if one.compare and not _is_default(one, getattr(value, one.name))}  # fmt: skip
        return {"is": type(value).__name__, **told}
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _is_default(one: Field[Any], value: object) -> bool:
    # A field that a later version adds says nothing new about an experiment that was started before.
    if one.default_factory is not MISSING:
        return bool(value == one.default_factory())
    return one.default is not MISSING and bool(value == one.default)

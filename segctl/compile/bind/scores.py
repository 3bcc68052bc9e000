"""Scores among all profiles, and `rfm`: recency, frequency and monetary value in one entry."""

from __future__ import annotations

from typing import Literal, cast

from segctl.compile.bind import forms
from segctl.compile.bind.names import find_trait
from segctl.compile.bind.scope import Scope, describe_type, shown
from segctl.compile.bind.times import TIME_OPERATORS
from segctl.compile.source import Mapping, Node, Scalar
from segctl.model.conditions import ComputedTrait, Score, TraitValue
from segctl.model.types import INTEGER, Kind

SCORE_KEYS = ("score", "groups", "best", "with", "title", "description")
RFM_KEYS = ("event", "value", "where", "groups", *sorted(TIME_OPERATORS))
_MOST_GROUPS = 100
_MOST_DIGITS = 9
_ORDERED = (Kind.INTEGER, Kind.NUMBER, Kind.MONEY, Kind.REAL, Kind.DATE, Kind.TIME)
RFM_PARTS = ("last_at", "days", "count", "value", "recency", "frequency", "monetary")
_TITLES = {
    "last_at": "last", "days": "days since the last", "count": "frequency", "value": "monetary value",
    "recency": "recency score", "frequency": "frequency score", "monetary": "monetary score",
}  # fmt: skip


def bind_score(name: Scalar, node: Mapping, scope: Scope) -> ComputedTrait | None:
    """A computed trait such as `{score: lifetime_value, groups: 5, best: high}`."""
    of = _ranked(node.get("score"), scope)
    groups_node, best_node, beside_node = node.get("groups"), node.get("best"), node.get("with")
    groups = _groups(groups_node, scope, most=_MOST_GROUPS) if groups_node is not None else 5
    best = forms.choice(best_node, ("high", "low"), scope, "side that is `best`") if best_node is not None else None
    beside = find_trait(beside_node, scope) if beside_node is not None else None
    if best_node is None:
        forms.required(node, "best", scope, f"the score `{name.text[:60]}`", example="best: high")
    if of is None or groups is None or best is None or (beside_node is not None and beside is None):
        return None
    other = None if beside is None else TraitValue(beside.name)
    score = Score(TraitValue(of), groups, cast("Literal['high', 'low']", best), other)
    return ComputedTrait(name.text, INTEGER, formula=score, location=name.location)


def _ranked(node: Node | None, scope: Scope) -> str | None:
    found = find_trait(node, scope) if node is not None else None
    if found is None or node is None:
        return None
    if found.path or found.type.kind not in _ORDERED:
        name = ".".join((found.name, *found.path))
        message = f"a score ranks by a number, date or time; {shown(name)} is {describe_type(found.type)}"
        scope.error("SEG248", message, node.location)
        return None
    return found.name


def _groups(node: Node, scope: Scope, *, most: int) -> int | None:
    groups = forms.count(node, scope, "`groups`", least=2)
    if groups is not None and groups > most:
        scope.error("SEG248", f"`groups` is at most {most}, not {groups}", node.location)
        return None
    return groups


# --- rfm: one entry, written out as eight -----------------------------------------------------------------
def written_out(name: Scalar, node: Node, scope: Scope) -> list[tuple[Scalar, Node]]:
    """The traits that an entry declares: itself, or those of an `rfm`."""
    inner = node.get("rfm") if isinstance(node, Mapping) else None
    if inner is None or not isinstance(node, Mapping):
        return [(name, node)]
    what = f"the trait `{name.text[:60]}`"
    hint = "write `{rfm: {event: order_completed, value: value}}`"
    found = forms.mapping(inner, scope, "`rfm`", hint=hint)
    ok = forms.check_keys(node, ("rfm", "title", "description"), scope, what)
    if found is None or not forms.check_keys(found, RFM_KEYS, scope, "`rfm`") or not ok:
        return []
    if len(name.text) > 50:
        scope.error("SEG249", "the name of an `rfm` has at most 50 characters", name.location)
        return []
    event = forms.required(found, "event", scope, "`rfm`", example="event: order_completed")
    value = forms.required(found, "value", scope, "`rfm`", example="value: value")
    groups_node = found.get("groups")
    groups = _groups(groups_node, scope, most=_MOST_DIGITS) if groups_node is not None else 5
    if event is None or value is None or groups is None:
        return []
    return _Writer(name, node, found, value, groups).traits()


class _Writer:
    """Writes the traits of an `rfm` as a person would, all of them standing where the entry stands."""

    def __init__(self, name: Scalar, node: Mapping, rfm: Mapping, value: Node, groups: int) -> None:
        self._name, self._node, self._value, self._groups = name, node, value, groups
        self._events = tuple((key, of) for key, of in rfm.entries if key.text not in ("value", "groups"))

    def traits(self) -> list[tuple[Scalar, Node]]:
        """Eight traits: what is known of a profile's orders, the scores of that, and the scores as one number."""
        name = self._name.text
        parts = {part: f"{name}_{part}" for part in RFM_PARTS}
        together = f"100 * {parts['recency']} + 10 * {parts['frequency']} + {parts['monetary']}"
        own = [(key, of) for key, of in self._node.entries if key.text != "rfm"]
        return [
            self._part("last_at", *self._events, self._pair("last", "time")),
            self._part("days", self._pair("formula", f"days_since({parts['last_at']})")),
            self._part("count", *self._events, (self._text("count"), self._mapping())),
            self._part("value", *self._events, (self._text("sum"), self._mapping((self._text("of"), self._value)))),
            self._part("recency", *self._score(parts["days"], "low", parts)),
            self._part("frequency", *self._score(parts["count"], "high", parts)),
            self._part("monetary", *self._score(parts["value"], "high", parts)),
            (self._name, self._mapping(*own, self._pair("formula", together))),
        ]

    def _score(self, of: str, best: str, parts: dict[str, str]) -> list[tuple[Scalar, Node]]:
        said = {"score": of, "groups": str(self._groups), "best": best, "with": parts["last_at"]}
        return [self._pair(key, value) for key, value in said.items()]

    def _part(self, part: str, *entries: tuple[Scalar, Node]) -> tuple[Scalar, Node]:
        title = self._pair("title", f"{self._name.text}: {_TITLES[part]}")
        return self._text(f"{self._name.text}_{part}"), self._mapping(*entries, title)

    def _pair(self, key: str, value: str) -> tuple[Scalar, Node]:
        return self._text(key), self._text(value)

    def _text(self, text: str) -> Scalar:
        return Scalar(text, is_plain=True, location=self._name.location)

    def _mapping(self, *entries: tuple[Scalar, Node]) -> Mapping:
        return Mapping(entries, self._name.location)

"""Bound definitions as the YAML a person would write, so that the real binder can be asked for the same again."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from segctl.model import conditions as c
from segctl.model import times as t
from segctl.model.places import PointSpot, Spot
from segctl.model.types import ValueType


class Plain(str):
    """Text that stands without quotes."""

    __slots__ = ()


def flow(value: Any) -> str:
    """A value in YAML's flow style: texts quoted, numbers and truth values plain."""
    match value:
        case Plain():
            return str(value)
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            return format(value, "f")
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\x7f")
        case datetime() | date():
            return json.dumps(moment(value))
        case dict():
            return "{" + ", ".join(f"{flow(k)}: {flow(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(flow(v) for v in value) + "]"
    raise TypeError(value)


def segment(definition: c.SegmentDefinition) -> str:
    """A segment file."""
    lines = [f"segment: {definition.name}", f"where: {flow(condition(definition.where))}"]
    if definition.keep is not None:
        keep = definition.keep
        amount = keep.count if keep.count is not None else Plain(f"{keep.percent} %")
        made = {keep.best: amount, "by": keep.by}
        if keep.per is not None:
            made["per"] = keep.per
        if keep.keep_missing_group:
            made["missing"] = "keep"
        lines.append(f"keep: {flow(made)}")
    return "\n".join(lines) + "\n"


def computed(trait: c.ComputedTrait) -> dict[str, Any]:
    """An entry of a traits file."""
    if isinstance(trait.formula, c.Score):
        return score(trait.formula)
    if trait.formula is not None:
        return {"formula": formula(trait.formula)}
    assert trait.selection is not None
    assert trait.measure is not None
    if isinstance(trait.selection, c.RelatedSelection):
        return related(trait.selection) | measure_alone(trait.measure)
    return selection(trait.selection) | measure_alone(trait.measure)


def score(of: c.Score) -> dict[str, Any]:
    """A score among all profiles."""
    told: dict[str, Any] = {"score": of.of.trait, "groups": of.groups, "best": of.best}
    return told | ({"with": of.beside.trait} if of.beside is not None else {})


def formula(of: c.Formula) -> str:
    """A formula with all its brackets."""
    match of:
        case c.Number(value):
            return format(value, "f")
        case c.TraitValue(trait):
            return trait
        case c.Call("neg", (operand,)):
            return f"(-{formula(operand)})"
        case c.Call("+" | "-" | "*" | "/" as sign, (left, right)):
            return f"({formula(left)} {sign} {formula(right)})"
        case c.Call(function, operands):
            return f"{function}({', '.join(formula(o) for o in operands)})"
    raise TypeError(of)


def condition(of: c.Condition) -> dict[str, Any]:
    """A condition's mapping."""
    match of:
        case c.All(items, same):
            return {"all": [condition(i) for i in items]} | ({"same": list(same)} if same else {})
        case c.AnyOf(items, at_least):
            return {"any": [condition(i) for i in items]} | ({"at_least": at_least} if at_least != 1 else {})
        case c.NoneOf(items):
            return {"none": [condition(i) for i in items]}
        case c.Not(item):
            return {"not": condition(item)}
        case c.TraitCondition(trait, tested, path, missing):
            return {"trait": ".".join((trait, *path))} | test(tested) | rule(missing)
        case c.ChangedCondition(trait, old, new, window, missing):
            inner = {key: value for key, value in (("from", old), ("to", new)) if value is not None}
            return {"trait": trait, "changed": inner | window_of(window)} | rule(missing)
        case c.EventCondition(chosen, measured, tested, missing):
            return selection(chosen) | measure(measured, tested) | rule(missing)
        case c.SequenceCondition(steps, start, same):
            made = {"sequence": [step(s, first=i == 0) for i, s in enumerate(steps)], "start": start}
            return made | ({"same": list(same)} if same else {})
        case c.RelatedCondition(rows, measured, tested, missing):
            return related(rows) | measure(measured, tested) | rule(missing)
        case c.ColleaguesCondition(_, tested, where):
            asked = {} if where is None else {"where": condition(where)}
            return {"related": of.group} | asked | {"count": test(tested)}
        case c.SegmentCondition(name):
            return {"segment": name}
        case c.ConsentCondition(purpose, channel, status, window):
            return {"consent": purpose, "channel": channel, "status": status} | window_of(window)
        case c.NearCondition():
            return near(of)
        case c.SampleCondition(percent, salt):
            return {"sample": {"percent": percent, "salt": salt}}
        case c.ListCondition(name, column, identifier):
            return {"list": name, "identifier": identifier} | ({"column": column} if column else {})
    raise TypeError(of)


def near(of: c.NearCondition) -> dict[str, Any]:
    """A condition on a distance."""
    where = {"places": of.places} if of.places else spot(of.spots[0])
    place = of.place
    if isinstance(place, c.PointPlace):
        told = {"latitude": dotted(place.latitude), "longitude": dotted(place.longitude)}
    else:
        country = place.default_country if place.country is None else dotted(place.country)
        told = {"postal_code": dotted(place.code)} | ({"country": country} if country else {})
    length = f"{of.within.amount} {of.within.unit}"
    return {"near": where, "within": Plain(length), "trait": told} | rule(of.missing)


def spot(of: Spot) -> dict[str, Any]:
    """A place."""
    if isinstance(of, PointSpot):
        return {"latitude": of.latitude, "longitude": of.longitude}
    return {"postal_code": of.code} | ({"country": of.country} if of.country else {})


def dotted(of: c.PlaceTrait) -> str:
    """A trait with its path."""
    return ".".join((of.trait, *of.path))


def rule(missing: c.Missing | None) -> dict[str, Any]:
    """`missing`, where there is a rule."""
    return {} if missing is None else {"missing": missing}


def selection(of: c.EventSelection) -> dict[str, Any]:
    """Kinds, window, filter, newest."""
    made: dict[str, Any] = {"event": kinds(of.events)} | window_of(of.window) | where_of(of.where)
    return made | ({} if of.latest is None else {"latest": of.latest})


def related(of: c.RelatedSelection) -> dict[str, Any]:
    """Table and filter."""
    return {"related": of.table} | where_of(of.where)


def kinds(names: tuple[str, ...]) -> Any:
    """One name, or a list."""
    return names[0] if len(names) == 1 else list(names)


def where_of(tests: tuple[c.PropertyTest, ...]) -> dict[str, Any]:
    """`where`, where there is one."""
    return {"where": {".".join((x.property, *x.path)): test(x.test) for x in tests}} if tests else {}


def step(of: c.Step, *, first: bool) -> dict[str, Any]:
    """A step of a sequence."""
    inner = {"event": kinds(of.events)} | where_of(of.where) | window_of(of.window)
    if of.within is not None:
        inner["within"] = str(of.within)
    return inner if first else {"then_not" if of.negative else "then": inner}


def measure(of: c.Measure, tested: c.Test) -> dict[str, Any]:
    """A measure with its test."""
    alone = measure_alone(of)
    name, inner = next(iter(alone.items()))
    if isinstance(of, c.EdgeTime):
        inner = {}
    elif isinstance(of, c.Gap):
        inner = {"of": inner}
    return {name: inner | test(tested)}


def measure_alone(of: c.Measure) -> dict[str, Any]:
    """A measure as computed traits have it."""
    match of:
        case c.Count(None):
            return {"count": {}}
        case c.Count(c.FollowedBy(events, where, same, within)):
            inner = {"event": kinds(events)} | where_of(where) | ({"same": list(same)} if same else {})
            return {"count": {"followed_by": inner | ({"within": str(within)} if within else {})}}
        case c.Periods(unit):
            return {unit: {}}
        case c.Share(where):
            return {"share": where_of(where)}
        case c.EdgeTime(edge):
            return {edge: "time"}
        case c.EdgeValue(edge, name, path):
            return {f"{edge}_value": {"of": ".".join((name, *path))}}
        case c.MostFrequent(name, path):
            return {"most_frequent": {"of": ".".join((name, *path))}}
        case c.Gap(function):
            return {"gap": function}
        case c.Aggregate(function, name, path):
            return {function: {"of": ".".join((name, *path))}}
    raise TypeError(of)


def test(of: c.Test) -> dict[str, Any]:
    """One operator."""
    if not isinstance(of, c.ValueTest):
        return window_of(of)
    many = of.operator in ("in", "not_in", "any_of", "all_of", "none_of", "between")
    operands: Any = [operand(o) for o in of.operands]
    if of.operator == "size":
        operands = test(of.element[0][1])
    elif of.operator == "any_element":
        operands = {name: test(inner) for name, inner in of.element if name} or test(of.element[0][1])
    elif not many or isinstance(of.operands[0], c.ListOperand):
        operands = operands[0]
    return {of.operator: operands} | ({"ignore_case": True} if of.ignore_case else {})


test.__test__ = False


def operand(of: c.Operand) -> Any:
    """A literal, a trait, a list, a length."""
    match of:
        case c.TraitOperand(trait):
            return {"trait": trait}
        case c.ListOperand(name):
            return {"list": name}
        case t.Duration():
            return str(of)
    return of


def window_of(of: t.Window | None) -> dict[str, Any]:
    """A time operator."""
    match of:
        case None:
            return {}
        case t.WithinLast(length):
            return {"within_last": str(length)}
        case t.OlderThan(length):
            return {"older_than": str(length)}
        case t.WithinNext(length):
            return {"within_next": str(length)}
        case t.Between(start, end):
            return {"between": [point(start), point(end)]}
        case t.Since(start):
            return {"since": point(start)}
        case t.Before(end):
            return {"before": point(end)}
        case t.During(period):
            return {"during": period_text(period)}
        case t.Anniversary(length, direction):
            return {"anniversary": {direction: str(length)}}
    raise TypeError(of)


def point(of: t.TimePoint) -> Any:
    """A point in time."""
    match of:
        case t.Instant(at):
            return moment(at)
        case t.LocalTime(at):
            return at.isoformat(sep=" ")
        case t.LocalDay(day):
            return day.isoformat()
        case t.RelativeDay(offset) if offset in (-1, 0, 1):
            return ("yesterday", "today", "tomorrow")[offset + 1]
        case t.RelativeTime(None, _):
            return "now"
        case t.RelativeTime(length, sign):
            return f"{length} ago" if sign < 0 else f"in {length}"
        case t.TraitTime(trait):
            return {"trait": trait}
    raise TypeError(of)


def moment(at: date) -> str:
    """A date, or an instant in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(at, datetime) else at.isoformat()


def period_text(of: t.Period) -> str:
    """A calendar period."""
    if isinstance(of, t.RelativePeriod):
        return f"{('previous', 'this', 'next')[of.offset + 1]} {of.unit}"
    first = of.first_day
    match of.unit:
        case "week":
            return f"{first.isocalendar().year}-W{first.isocalendar().week:02}"
        case "month":
            return f"{first:%Y-%m}"
        case "quarter":
            return f"{first.year}-Q{(first.month + 2) // 3}"
        case "year":
            return f"{first.year}"
    return first.isoformat()


def traits_file(traits: dict[str, c.ComputedTrait]) -> str:
    """A file under `traits/`."""
    return "traits:\n" + "".join(f"  {name}: {flow(computed(trait))}\n" for name, trait in traits.items())


def types_of(traits: dict[str, c.ComputedTrait]) -> dict[str, ValueType]:
    """Types by name."""
    return {name: trait.type for name, trait in traits.items()}

"""The load's segments as segctl's intermediate representation."""

from __future__ import annotations

from apply_segments import SEGMENTS, All, M, No, R, S, Some, T

from segctl.compile import ir
from segctl.model.times import Duration, RelativeTime, Since, WithinLast
from segctl.model.types import BOOLEAN, DATE, INTEGER, TEXT, TIME, Kind, ValueType

MONEY = ValueType(Kind.MONEY, 2)
REAL = ValueType(Kind.REAL)
TRAITS = {"country": TEXT, "gender": TEXT, "birth_date": DATE, "newsletter_optin": BOOLEAN}
PROPERTIES = {"value": MONEY, "category": TEXT, "device": TEXT, "product_id": INTEGER, "quantity": INTEGER}
OPS = {">=": "ge", "<": "lt", "=": "eq"}


def lowered() -> list[ir.LoweredSegment]:
    """All segments."""
    found = []
    for name, (condition, top) in SEGMENTS.items():
        keep = None
        if top is not None:
            per = None if top.per is None else ir.StoredTrait(top.per, TRAITS[top.per])
            keep = ir.Keep("top", value(top.by), None, str(top.percent), per, keep_missing_group=False)
        found.append(ir.LoweredSegment(name, predicate(condition), keep))
    return found


def predicate(node: object) -> ir.Predicate:
    """One condition."""
    match node:
        case All(items):
            return ir.And(tuple(predicate(item) for item in items))
        case Some(items, 1):
            return ir.Or(tuple(predicate(item) for item in items))
        case Some(items, n):
            return ir.AtLeast(tuple(predicate(item) for item in items), n)
        case No(item):
            return ir.Not(predicate(item))
        case R(name):
            return ir.IsMember(name)
        case T(trait, "in", options):
            return ir.In(ir.StoredTrait(trait, TRAITS[trait]), options)
        case T(trait, op, literal):
            of = TRAITS[trait]
            return ir.Compare(OPS[op], ir.StoredTrait(trait, of), ir.Literal(literal, of))
        case M(fn="first" | "last", than=days):
            return ir.InWindow(value(node), Since(RelativeTime(Duration(days, "days"))))
        case M():
            of = value(node).type
            than = float(node.than) / 100 if of.kind is Kind.REAL else node.than
            return ir.Compare(OPS[node.op], value(node), ir.Literal(than, of))
        case S():
            first = ir.Step((node.a,), where(node.where), False, WithinLast(Duration(node.days, "days")), None)
            then = ir.Step((node.b,), None, True, None, Duration(node.hours, "hours"))
            same = ((node.same, PROPERTIES[node.same]),) if node.same else ()
            return ir.HasSequence(ir.Sequence((first, then), "any", same))
    raise TypeError(node)


def where(test: tuple[str, object] | None) -> ir.Predicate | None:
    """A condition on one property."""
    if test is None:
        return None
    of = PROPERTIES[test[0]]
    return ir.Compare("eq", ir.EventProperty(test[0], of), ir.Literal(test[1], of))


def value(m: M) -> ir.MetricValue:
    """A metric."""
    of = ir.EventProperty(m.of, PROPERTIES[m.of]) if m.of else None
    types = {"count": INTEGER, "distinct": INTEGER, "days": INTEGER, "first": TIME, "last": TIME, "average": REAL}
    value_type = types.get(m.fn) or PROPERTIES[m.of]
    function = {"first": "first_time", "last": "last_time"}.get(m.fn, m.fn)
    window = None if m.days is None else WithinLast(Duration(m.days, "days"))
    return ir.MetricValue(ir.Metric((m.kind,), ir.Measure(function, of), value_type, window, where(m.where)))

"""Measures of selected events, one profile at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from datetime import date, timedelta
from itertools import pairwise

from segctl.compile import ir, trace_sequences
from segctl.compile.trace_rows import EventRow, RowsAsked
from segctl.compile.zones import DAY, local_day, to_us

_PERIODS: dict[str, Callable[[date], Hashable]] = {
    "days": lambda day: day,
    "weeks": lambda day: day - timedelta(days=day.weekday()),
    "months": lambda day: (day.year, day.month),
    "years": lambda day: day.year,
}


def measure(rows: RowsAsked, metric: ir.Metric, events: Sequence[EventRow]) -> object:
    """The value of a metric over its selected events in working form; None when missing."""
    wanted = metric.measure
    match wanted.function:
        case "count":
            return len(deciding(rows, metric, events))
        case "days" | "weeks" | "months" | "years":
            period = _PERIODS[wanted.function]
            return len({period(local_day(to_us(e.ts), rows.zone)) for e in events})
        case "share":
            return len(_sharing(rows, metric, events)) / len(events) if events else None
        case "first_time":
            return to_us(events[0].ts) if events else None
        case "last_time":
            return to_us(events[-1].ts) if events else None
        case "gap_average" | "gap_max" | "gap_last":
            return _gap(wanted.function, [to_us(e.ts) for e in events])
    assert wanted.of is not None, f"{wanted.function} measures a property"
    return _of_values(wanted, [rows.value(wanted.of, e) for e in events])


def deciding(rows: RowsAsked, metric: ir.Metric, events: Sequence[EventRow]) -> list[EventRow]:
    """Those of the selected events that make the value: the followed ones, the first, the last, those of the share."""
    wanted = metric.measure
    match wanted.function:
        case "count" if wanted.followed is not None:
            return [e for e in events if trace_sequences.follower(rows, e, wanted.followed) is not None]
        case "share":
            return _sharing(rows, metric, events)
        case "first_time" | "first_value":
            return list(events[:1])
        case "last_time" | "last_value":
            return list(events[-1:])
        case "min" | "max" if wanted.of is not None:
            extreme = measure(rows, metric, events)
            return [e for e in events if extreme is not None and rows.value(wanted.of, e) == extreme]
    return list(events)


def _sharing(rows: RowsAsked, metric: ir.Metric, events: Sequence[EventRow]) -> list[EventRow]:
    where = metric.measure.where
    return [e for e in events if where is None or rows.truth(where, e) is True]


def _gap(function: str, instants: Sequence[int]) -> float | None:
    if len(instants) < 2:
        return None
    steps = [later - earlier for earlier, later in pairwise(instants)]
    if function == "gap_average":
        return (instants[-1] - instants[0]) / len(steps) / float(DAY)
    return (max(steps) if function == "gap_max" else steps[-1]) / float(DAY)


def _of_values(wanted: ir.Measure, values: Sequence[object]) -> object:
    if wanted.function in ("first_value", "last_value"):
        return values[0 if wanted.function == "first_value" else -1] if values else None
    present = [v for v in values if v is not None]
    if wanted.function == "distinct":
        return len({(type(v).__name__, v) for v in present})
    if wanted.function == "most_frequent":
        counts = Counter(present)
        # Of equal counts the value seen latest wins, so the newest is looked at first.
        return max(reversed(present), key=lambda v: counts[v]) if present else None
    numbers = [v for v in present if isinstance(v, int | float)]
    if wanted.function == "sum":
        return sum(numbers)
    if wanted.function == "average":
        assert wanted.of is not None, "an average measures a property"
        return float(sum(numbers)) / float(len(numbers) * 10**wanted.of.type.scale) if numbers else None
    pick = min if wanted.function == "min" else max
    return pick(present) if present else None  # type: ignore[type-var]  # values of one column compare

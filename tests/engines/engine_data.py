"""Small worlds for engine tests: events and profiles written down by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from segctl.compile import ir
from segctl.compile.plan import Output, plan
from segctl.engines.base import Engine, EngineInput, Evaluation, EventPart
from segctl.engines.physical import stored_dtype
from segctl.model.types import INTEGER, TEXT, Kind, ValueType, stored_column

MONEY = ValueType(Kind.MONEY, 2)
REAL = ValueType(Kind.REAL)
AS_OF = datetime(2026, 1, 31, 12, tzinfo=UTC)
VALUE = ir.EventProperty("value", MONEY)
ITEM = ir.EventProperty("item", TEXT)
PROPERTIES = {"value": MONEY, "item": TEXT}
PROFILES = pl.DataFrame({"subject": [0, 1, 2], "profile_id": ["a", "b", "c"]}, schema_overrides={"subject": pl.Int32})


@dataclass(frozen=True)
class Happening:
    """One event of a small world; `at` is a day of January 2026, or an instant."""

    subject: int
    kind: str
    at: int | datetime
    properties: dict[str, Any] = field(default_factory=dict)
    event_id: str = ""
    source: str = "web"


def happened(subject: int, kind: str, at: int | datetime, event_id: str = "", **properties: Any) -> Happening:
    return Happening(subject, kind, at, properties, event_id)


def part(
    folder: Path, events: Sequence[Happening], types: dict[str, ValueType] = PROPERTIES, *, is_sorted: bool = False
) -> EventPart:
    """The events as one file with several kinds."""
    rows = [
        {
            "subject": e.subject,
            "ts": e.at if isinstance(e.at, datetime) else datetime(2026, 1, e.at, tzinfo=UTC),
            "source": e.source,
            "event_id": e.event_id or f"{number:03}",
            "kind": e.kind,
            **{stored_column(name, of): e.properties.get(name) for name, of in types.items()},
        }
        for number, e in enumerate(events)
    ]
    schema: dict[str, Any] = {
        "subject": pl.Int32, "ts": pl.Datetime("us", "UTC"), "source": pl.String, "event_id": pl.String,
        "kind": pl.String, **{stored_column(name, of): stored_dtype(of) for name, of in types.items()},
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema)
    if is_sorted:
        frame = frame.sort("subject", "ts", "source", "event_id")
    path = folder / f"events-{len(list(folder.iterdir()))}.parquet"
    frame.write_parquet(path)
    kinds = tuple(sorted({e.kind for e in events}))
    lo, hi = (frame["ts"].min(), frame["ts"].max()) if rows else (None, None)
    return EventPart(str(path), len(rows), kinds, tuple(schema), is_sorted=is_sorted, min_ts=lo, max_ts=hi)


def ask(
    engine: Engine,
    folder: Path,
    events: Sequence[Happening],
    *outputs: ir.Predicate | ir.Expression,
    profiles: pl.DataFrame = PROFILES,
    segments: Sequence[ir.LoweredSegment] = (),
    as_of: datetime = AS_OF,
    zone: str = "Europe/Berlin",
    is_sorted: bool = False,
    types: dict[str, ValueType] = PROPERTIES,
    only: Sequence[int] | None = None,
    **data: Any,
) -> Evaluation:
    parts = (part(folder, events, types, is_sorted=is_sorted),) if events else ()
    named = [Output(f"out{number}", output) for number, output in enumerate(outputs)]
    given = EngineInput(profiles, parts, **data)
    return engine.evaluate(plan(segments, named), given, as_of=as_of, zone=zone, only=only)


def column(evaluation: Evaluation, name: str = "out0") -> list[Any]:
    return evaluation.answers.get_column(name).to_list()


def metric(
    function: Any,
    kinds: tuple[str, ...] = ("order",),
    value_type: ValueType = INTEGER,
    of: ir.Expression | None = None,
    *,
    measure_where: ir.Predicate | None = None,
    followed: ir.Followed | None = None,
    **selection: Any,
) -> ir.MetricValue:
    return ir.MetricValue(ir.Metric(kinds, ir.Measure(function, of, measure_where, followed), value_type, **selection))


def at_least(value: ir.Expression, number: Any) -> ir.Compare:
    return ir.Compare("ge", value, ir.Literal(number, value.type))


def equals(value: ir.Expression, literal: Any) -> ir.Compare:
    return ir.Compare("eq", value, ir.Literal(literal, value.type))


def step(kind: str | tuple[str, ...], *, negative: bool = False, within: Any = None, window: Any = None) -> ir.Step:
    return ir.Step((kind,) if isinstance(kind, str) else kind, None, negative, window, within)

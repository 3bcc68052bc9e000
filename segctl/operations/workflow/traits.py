"""Traits that workflows set: records of a source of their own, one for each trait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from segctl.compile.zones import from_us, instant_of
from segctl.model.times import Instant, LocalDay, LocalTime
from segctl.model.types import EXACT, Kind, ValueType, stored_column

if TYPE_CHECKING:
    from segctl.model.workflows import Act
    from segctl.operations.session import Session

SOURCE = "workflows:{}"
"""Source that the records of a trait name."""
_ARRIVAL = "arrival"


def set_trait(session: Session, act: Act, roots: Sequence[int], *, now: int) -> None:
    """Writes a record for each profile; the same again changes nothing more."""
    import polars as pl

    from segctl.engines.physical import stored_dtype

    of = next(trait.type for trait in session.project.traits if trait.name == act.trait)
    workspace, column = session.workspace, stored_column(act.trait or "", of)
    first = workspace.reserve(_ARRIVAL, len(roots))
    instant = pl.lit(from_us(now)).cast(pl.Datetime("us", "UTC"))
    frame = pl.DataFrame({"subject": pl.Series(list(roots), dtype=pl.Int32)}).select(
        "subject",
        instant.alias("valid_from"),
        instant.alias("arrived_at"),
        pl.int_range(first, first + len(roots), dtype=pl.Int64).alias("arrival"),
        pl.lit(value=False).alias("gone"),
        pl.lit(stored(act.value, of, session.project.timezone)).cast(stored_dtype(of)).alias(column),
    )
    meta = {"columns": frame.columns, "min_arrival": first, "max_arrival": first + len(roots) - 1, "gone": 0}
    file = workspace.write(f"records/{SOURCE.format(act.trait)}", frame, meta)
    workspace.commit("workflow", add=[file], note={"trait": act.trait, "people": len(roots)})


def stored(value: object, of: ValueType, zone: str) -> object:
    """A written value in the form in which it is stored."""
    match value:
        case Instant(at):
            return at.astimezone(UTC)
        case LocalTime(at):
            return from_us(instant_of(at, zone))
        case LocalDay(day):
            return (
                day if of.kind is Kind.DATE else from_us(instant_of(datetime.combine(day, datetime.min.time()), zone))
            )
        case Decimal() if of.kind in EXACT and of.kind is not Kind.INTEGER:
            return int(value * 10**of.scale)
        case date() | bool() | int() | float() | str():
            return value
    return value

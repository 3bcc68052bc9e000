"""Fields that a destination is told of people: stored traits, and computed ones as of now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from segctl.compile.lower import lower_trait
from segctl.compile.plan import Output
from segctl.model.experiments import ARM
from segctl.model.types import TEXT, Kind, ValueType

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.destinations import Destination
    from segctl.operations.audience.contacts import Contacts
    from segctl.operations.session import Session


def fields_of(session: Session, contacts: Contacts, destination: Destination) -> dict[str, pl.Series]:
    """Field there → values, one row per profile of `contacts`; without the arm, which depends on the segment."""
    pairs = [(field, name) for field, name in destination.fields if name != ARM]
    traits = {trait.name: trait.type for trait in session.project.traits}
    computed = sorted({name for _, name in pairs if name in session.definitions.computed})
    contacts.read(name for _, name in pairs if name not in computed)
    values = _computed(session, contacts, tuple(computed)) if computed else {}
    return {
        field: values[name] if name in values else told_values(contacts.best(name), traits.get(name, TEXT))
        for field, name in pairs
    }


def told_values(values: pl.Series, of: ValueType) -> pl.Series:
    """A trait's column as destinations are told it: text, numbers, booleans or dates.

    Numbers and money are floats, instants ISO 8601 in UTC, a list its elements with ``;`` between, a struct JSON.
    """
    import polars as pl

    if of.kind in (Kind.NUMBER, Kind.MONEY):
        return values.cast(pl.Float64) / float(10**of.scale)
    if of.kind is Kind.TIME:
        return values.dt.to_string("%Y-%m-%dT%H:%M:%SZ")
    if of.kind is Kind.LIST:
        parts = pl.DataFrame({"v": values}).with_row_index("row").explode("v", empty_as_null=True)
        told = parts.with_columns(told_values(parts["v"], of.element or TEXT).cast(pl.String).alias("v"))
        joined = told.group_by("row", maintain_order=True).agg(pl.col("v").drop_nulls().str.join(";"))
        return joined["v"].set(values.is_null(), None)
    if of.kind is Kind.STRUCT:
        return values.struct.json_encode().set(values.is_null(), None)
    return values


def _computed(session: Session, contacts: Contacts, names: tuple[str, ...]) -> Mapping[str, pl.Series]:
    """Computed traits of the profiles; null for those who are no part of the population."""
    from segctl.operations.evaluation import evaluate

    outputs = [Output(f"value:{name}", lower_trait(name, session.definitions, lists=session.lists)) for name in names]
    answers = evaluate(session, (), as_of=contacts.now, snapshot=contacts.snapshot, outputs=outputs)
    everyone = contacts.profiles.to_frame("subject").join(
        answers.frame, on="subject", how="left", maintain_order="left"
    )
    types = {name: session.definitions.computed[name].type for name in names}
    return {name: told_values(everyone[f"value:{name}"], types[name]) for name in names}

"""Sub-segments of the analysed units: by stratum, by a trait or by a segment, as all of it was before exposure.

What is known only after exposure may be a consequence of it, and groups made of consequences compare unlike people.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from segctl.compile.zones import from_us
from segctl.model.errors import UsageError
from segctl.model.types import Kind

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.types import ValueType
    from segctl.operations.ab.trial import Trial

STRATA = "strata"
MOST_GROUPS = 12
"""Groups that are compared; smaller ones beyond are counted."""
_MOST_INSTANTS = 6
"""So many different exposures are looked at one by one; of more, the first stands for all."""
_BANDS = 4


def group_of_units(of: Trial, by: str) -> pl.Series:
    """The group of every analysed unit, String; null where the value is missing.

    Raises:
        UsageError: Neither a trait nor a segment, or one with personal data.
    """
    if by == STRATA:
        return of.units.analysed["stratum"].alias("group")
    if by in of.session.definitions.segments:
        return _texts(_values(of, by, is_segment=True), None)
    of_type = _type_of(of, by)
    return _texts(_values(of, by, is_segment=False), of_type)


def _type_of(of: Trial, by: str) -> ValueType:
    from segctl.compile.suggest import nearest

    definitions = of.session.definitions
    stored = of.session.project.trait(by)
    if stored is not None and stored.personal:
        hint = "name a trait that many people share, such as a country"
        raise UsageError("SEG968", f"`{by}` is personal data; nothing is reported by it", hint=hint)
    if stored is not None:
        return stored.type
    if by in definitions.computed:
        return definitions.computed[by].type
    names = [*definitions.segments, *definitions.computed, *(trait.name for trait in of.session.project.traits)]
    near = nearest(by, names)
    hint = f"did you mean `{near}`?" if near else "`segctl ls traits` and `segctl ls segments` list them"
    raise UsageError("SEG967", f"`{by}` is neither a trait nor a segment", hint=hint)


def _values(of: Trial, by: str, *, is_segment: bool) -> pl.Series:
    """Value of the unit's first profile at its exposure."""
    import polars as pl

    from segctl.compile.plan import Output
    from segctl.operations.evaluation import evaluate

    units = of.units.analysed.select("person", "exposed").with_row_index("position")
    instants = units["exposed"].unique().sort()
    if units.is_empty():
        return pl.Series("value", [], dtype=pl.Boolean if is_segment else pl.Int64)
    if len(instants) > _MOST_INSTANTS:
        instants = instants.head(1)
        units = units.with_columns(exposed=pl.lit(instants[0]))
    outputs = [] if is_segment else [Output("value", of.source.lowering.trait(by))]
    parts = []
    for at in instants:
        answers = evaluate(
            of.session, [by] if is_segment else [], as_of=from_us(at - 1), snapshot=of.snapshot, outputs=outputs
        )
        found = answers.frame.select(person="subject", value=by if is_segment else "value")
        mine = units.filter(pl.col("exposed") == at)
        parts.append(mine.join(found, on="person", how="left", maintain_order="left"))
    return pl.concat(parts).sort("position")["value"]


def _texts(values: pl.Series, of_type: ValueType | None) -> pl.Series:
    """Values as names of groups; numbers with many values in four bands of equal size."""
    import polars as pl

    if of_type is None:
        named = pl.when(pl.col("value")).then(pl.lit("in")).otherwise(pl.lit("out"))
        return values.alias("value").to_frame().select(group=named)["group"]
    if of_type.kind in (Kind.INTEGER, Kind.NUMBER, Kind.MONEY, Kind.REAL):
        numbers = values.cast(pl.Float64) / 10.0**of_type.scale
        return _bands(numbers) if numbers.n_unique() > MOST_GROUPS else _plain(numbers)
    return values.cast(pl.String).alias("group")


def _bands(numbers: pl.Series) -> pl.Series:
    import polars as pl

    edges = [numbers.quantile(k / _BANDS, interpolation="lower") for k in range(_BANDS + 1)]
    found = pl.repeat(None, len(numbers), dtype=pl.String, eager=True)
    bands = [(low, high) for low, high in pairwise(edges) if low is not None and high is not None]
    for place, (low, high) in enumerate(bands):
        inside = (numbers <= high) if not place else (numbers > low) & (numbers <= high)
        inside = inside.fill_null(value=False)
        found = found.zip_with(~inside, pl.Series([f"{low:g} … {high:g}"]))
    return found.alias("group")


def _plain(numbers: pl.Series) -> pl.Series:
    import polars as pl

    texts = {number: f"{number:g}" for number in numbers.drop_nulls().unique()}
    return numbers.replace_strict(texts, return_dtype=pl.String, default=None).alias("group")

"""Who is analysed: units on record as they are known now, with the window of each.

Merges since the assignment can put one person into two arms; such units leave both arms alike. Units without an
exposure, or whose window is not complete, are counted and left out in every arm, so that all arms have the same age.
So are those who came after the planned end: else every later look would be another test of more units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from segctl.compile.zones import to_us
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.times import Duration

Standing = Literal["analysed", "young", "beyond", "unexposed", "two_arms"]


@dataclass(frozen=True, slots=True)
class Units:
    """Units of one experiment.

    Attributes:
        everybody: One row per unit and arm: ``unit`` (text of the assignment), ``arm``, ``stratum``, ``epoch``,
            ``assigned`` and ``exposed`` (microseconds, the latter null without exposure), ``last`` (end of its window,
            null without one and beyond the plan),
            ``profiles`` (number, merged ones once), ``person`` (subject of its first profile) and ``standing``.
        analysed: The rows whose figures count, in the order of their positions.
        unit_of: Subject → position among the analysed, Int32; null for all others.
        merged: Arm → people on record who turned out to be somebody else of the same arm; they count once.
    """

    everybody: pl.DataFrame
    analysed: pl.DataFrame
    unit_of: pl.Series
    merged: Mapping[str, int] = field(default_factory=dict)

    def counts(self, standing: Standing) -> dict[str, int]:
        """Arm → units that stand so."""
        found = self.everybody.filter(standing=standing).group_by("arm").len()
        return dict(found.iter_rows())


def units(
    assigned: pl.DataFrame,
    owners: pl.Series | None,
    subjects: int,
    *,
    window: Duration | datetime,
    as_of: datetime,
    zone: str,
    by_profile: bool,
    cut: datetime | None = None,
    size: int | None = None,
    end: datetime | None = None,
) -> Units:
    """The units of an experiment as they are known now.

    Args:
        assigned: As of `segctl.state.assignments`, one row per profile, oldest first.
        owners: Subject → subject of its profile; None when each is its own.
        subjects: Their number.
        window: From exposure; or the instant until which everybody is watched.
        as_of: Assignments and exposures after it have not happened.
        zone: The project's.
        by_profile: Profiles are the unit, so that those merged since are one; else the unit's text is.
        cut: Windows that were open then stay incomplete.
        size: Units that the plan asks for: the first by exposure, with all of the same instant as the last of them.
        end: Units exposed after it are not part of the plan.
    """
    import polars as pl

    rows = _rows(assigned, owners, as_of, by_profile=by_profile)
    is_single = rows["person"].n_unique() == len(rows) and (by_profile or rows["key"].n_unique() == len(rows))
    rows = rows if is_single else rows.sort("assigned", maintain_order=True)
    everybody = rows.with_columns(profiles=pl.lit(1, pl.Int64)) if is_single else _together(rows)
    everybody = everybody.with_columns(is_torn=_torn(None if is_single else rows))
    exposed = _planned(everybody, size, end)
    everybody = everybody.with_columns(last=_ends(exposed, window, zone)).with_columns(
        standing=_standing(min(to_us(as_of), to_us(cut or as_of) - (cut is not None)))
    )
    # By arm, so that an arm is a slice.
    analysed = everybody.filter(standing="analysed").sort("arm", maintain_order=True).with_row_index("position")
    placed = analysed.select("person", "position") if is_single else _placed(rows, analysed)
    of_person = pl.repeat(None, subjects, dtype=pl.Int32, eager=True)
    of_person = of_person.scatter(placed["person"], placed["position"].cast(pl.Int32))
    unit_of = of_person if owners is None else of_person.gather(owners)
    return Units(
        everybody.drop("key", "is_torn"), analysed.drop("key", "is_torn", "position", "standing"),
        unit_of.alias("unit"), {} if is_single else _merged(rows),
    )  # fmt: skip


def _together(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per unit and arm."""
    import polars as pl

    return rows.group_by("key", "arm", maintain_order=True).agg(
        pl.col("unit", "stratum", "epoch", "assigned").first(),
        pl.col("exposed").min(),
        pl.col("person").first(),
        pl.col("person").n_unique().cast(pl.Int64).alias("profiles"),
    )


def _merged(rows: pl.DataFrame) -> dict[str, int]:
    """Rows of an arm beyond one of each person."""
    import polars as pl

    counts = rows.group_by("arm").agg((pl.len() - pl.col("person").n_unique()).cast(pl.Int64).alias("merged"))
    return {arm: merged for arm, merged in counts.sort("arm").iter_rows() if merged}


def _placed(rows: pl.DataFrame, analysed: pl.DataFrame) -> pl.DataFrame:
    """Every person of an analysed unit, and its position."""
    places = rows.join(analysed.select("key", "arm", "position"), on=["key", "arm"], maintain_order="left")
    # A person of two units of one arm belongs to that of the older assignment, which stands first.
    return places.unique("person", keep="first", maintain_order=True)


def _rows(assigned: pl.DataFrame, owners: pl.Series | None, as_of: datetime, *, by_profile: bool) -> pl.DataFrame:
    """One row per profile: its person as known now, and the key of its unit."""
    import polars as pl

    person = assigned["subject"] if owners is None else owners.gather(assigned["subject"])
    known = assigned.with_columns(person=person).filter(pl.col("assigned_at") <= as_of)
    exposed = pl.when(pl.col("exposed_at") <= as_of).then(pl.col("exposed_at"))
    key = pl.col("person") if by_profile else pl.col("unit")
    return known.select(
        key.alias("key"), "unit", "arm", "stratum", "epoch", "person",
        assigned=pl.col("assigned_at").cast(pl.Int64), exposed=exposed.cast(pl.Int64),
    )  # fmt: skip


def _ends(exposed: pl.Series, window: Duration | datetime, zone: str) -> pl.Series:
    import polars as pl

    from segctl.engines.exposures import later

    if isinstance(window, datetime):
        return pl.repeat(to_us(window), len(exposed), dtype=pl.Int64, eager=True).zip_with(
            exposed.is_not_null(), pl.Series([None], dtype=pl.Int64)
        )
    return later(exposed, window, zone)


def _torn(rows: pl.DataFrame | None) -> pl.Expr:
    """Units with a person who is in two arms; `rows` where a person may be in several units."""
    import polars as pl

    if rows is None:
        return pl.lit(value=False)
    torn = rows.group_by("person").agg(pl.col("arm").n_unique().alias("arms")).filter(pl.col("arms") > 1)
    return pl.col("key").is_in(rows.join(torn, on="person", how="semi")["key"].unique().implode())


def _planned(everybody: pl.DataFrame, size: int | None, end: datetime | None) -> pl.Series:
    """Exposures that the plan asks for; null for all others."""
    exposed = everybody["exposed"].set(everybody["is_torn"], None)
    ends = [] if end is None else [to_us(end)]
    if size is not None and len(exposed) - exposed.null_count() >= size > 0:
        ends.append(exposed.drop_nulls().sort()[size - 1])
    if not ends:
        return everybody["exposed"]
    return everybody["exposed"].set((everybody["exposed"] > min(ends)).fill_null(value=False), None)


def _standing(as_of: int) -> pl.Expr:
    """The word for each unit."""
    import polars as pl

    return (
        pl.when(pl.col("is_torn"))
        .then(pl.lit("two_arms"))
        .when(pl.col("exposed").is_null())
        .then(pl.lit("unexposed"))
        .when(pl.col("last").is_null())
        .then(pl.lit("beyond"))
        .when(pl.col("last") > as_of)
        .then(pl.lit("young"))
        .otherwise(pl.lit("analysed"))
    )

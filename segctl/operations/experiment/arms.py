"""Who gets which arm: those on record keep theirs, new units come by their hashes, and nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.operations.audience.fields import told_values
from segctl.state.assignments import schema
from segctl.stats.assignment import (
    Allocation,
    allocation_after,
    arms_of,
    arms_salt,
    dealt,
    layer_salt,
    points,
    traffic_salt,
    universal_salt,
    within,
)

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.model.experiments import UniversalHoldout
    from segctl.operations.audience.contacts import Contacts
    from segctl.operations.experiment.running import Running

HELD_OUT, OPEN = "held_out", "open"
"""Arms of the universal holdout."""
ALONE = "profile:"
"""Begins the unit of somebody who has no value of the trait that makes the units."""
_UNKNOWN = "–"
"""Stands in a stratum for a missing value."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How new units are assigned.

    Attributes:
        name: On record.
        salt: Of the arms.
        divided: How the line is divided among them.
        weights: For dealing within strata.
        epoch: Number of the weights.
        same: Trait whose value is the unit; None for profiles.
        ranges: Reason, salt, low and high of each range that a unit has to lie in, in the order in which they decide.
        strata: Traits within whose values units are dealt.
        wins: Of two arms of one person this one counts; None for the older assignment.
        silent: Arms that are sent nothing; of two assignments of one moment such a one counts.
    """

    name: str
    salt: str
    divided: Allocation
    weights: Mapping[str, Decimal]
    epoch: int = 1
    same: str | None = None
    ranges: tuple[tuple[str, str, Decimal, Decimal], ...] = ()
    strata: tuple[str, ...] = ()
    wins: str | None = None
    silent: tuple[str, ...] = ()


def rules_of(running: Running, project: str) -> Rules:
    """The rules of an experiment."""
    one, epoch = running.experiment, running.epoch
    past = [then.weights for then in running.record.epochs]
    ranges = [("traffic", traffic_salt(project, one.key), Decimal(0), epoch.traffic)] if epoch.traffic < 1 else []
    if epoch.layer is not None:
        ranges.insert(0, ("layer", layer_salt(project, epoch.layer), epoch.low, epoch.high))
    return Rules(
        name=one.key,
        salt=arms_salt(project, one.key),
        divided=allocation_after([*past, epoch.weights] if running.is_new else past),
        weights=epoch.weights,
        epoch=epoch.number,
        same=one.same,
        ranges=tuple(ranges),
        strata=one.strata,
        silent=tuple(arm.name for arm in one.arms if not arm.is_sent),
    )


def universal_rules(holdout: UniversalHoldout, project: str, name: str) -> Rules:
    """The rules of a generation of the universal holdout; of merged people one who is held out is enough."""
    weights = {HELD_OUT: holdout.share, OPEN: 1 - holdout.share}
    return Rules(
        name, universal_salt(project, holdout.name), allocation_after([weights]), weights, wins=HELD_OUT
    )  # fmt: skip


class Arms:
    """The arms of one experiment, by rows of `Contacts`; what is new in it waits to be written.

    Args:
        rules: For new units.
        contacts: Whose rows are asked for.
        stored: The experiment's `assignments`.
        excluded: Rows that do not take part unless they are on record.
        now: When somebody new is assigned.
    """

    def __init__(
        self, rules: Rules, contacts: Contacts, stored: pl.DataFrame, excluded: pl.Series, now: datetime
    ) -> None:
        import polars as pl

        self.rules, self._contacts, self._excluded, self._now = rules, contacts, excluded, now
        length = len(contacts.profiles)
        self._arms, self._why = (pl.repeat(None, length, dtype=pl.String, eager=True) for _ in range(2))
        stored = stored.with_columns(contacts.places_of(stored["subject"]).alias("row"))
        self._all = stored
        here = stored.filter(pl.col("row") >= 0)
        if here["row"].n_unique() < here.height:
            if rules.wins is not None:
                here = here.sort(pl.col("arm") != rules.wins, maintain_order=True)
            elif rules.silent:
                here = here.sort("assigned_at", ~pl.col("arm").is_in(rules.silent), maintain_order=True)
            here = here.unique("row", keep="first", maintain_order=True)
        self._stored = here
        self._arms = self._arms.scatter(self._stored["row"], self._stored["arm"])
        self._new = stored.clear()

    def of(self, rows: pl.Series) -> pl.Series:
        """Arms of some rows; null for those who do not take part. Who is asked for the first time is assigned."""
        new = rows.filter(self._arms.gather(rows).is_null() & self._why.gather(rows).is_null())
        if len(new):
            self._assign(new)
        return self._arms.gather(rows)

    @cached_property
    def _units(self) -> pl.DataFrame:
        """What is on record of each unit: ``unit``, ``arm``, ``stratum``, ``epoch``."""
        return self._all.select("unit", "arm", "stratum", "epoch").unique("unit", keep="first", maintain_order=True)

    @property
    def every(self) -> pl.Series:
        """Arms of all rows of `Contacts` as far as they are known; assigns nobody."""
        return self._arms

    def known(self, rows: pl.Series) -> pl.Series:
        """Arms of some rows without assigning anybody."""
        return self._arms.gather(rows)

    def why(self, rows: pl.Series) -> pl.Series:
        """Why rows do not take part: ``layer``, ``traffic`` or ``exclude``; null for those who do."""
        return self._why.gather(rows)

    def due(self, rows: pl.Series) -> pl.DataFrame:
        """Of some rows the assignments that are not on record, or were never exposed; columns of `assignments`."""
        import polars as pl

        waiting = self._stored.filter(pl.col("exposed_at").is_null())
        found = pl.concat([waiting, self._new]) if waiting.height else self._new
        return found.filter(found["row"].is_in(rows.implode())).drop("row")

    def _assign(self, rows: pl.Series) -> None:
        import polars as pl

        frame = pl.DataFrame({"row": rows, "unit": self._unit(rows)})
        frame = frame.join(self._units, on="unit", how="left", maintain_order="left")
        out = self._outside(frame)
        self._why = self._why.scatter(frame["row"].filter(out.is_not_null()), out.drop_nulls())
        frame = frame.filter(out.is_null())
        fresh = frame.filter(pl.col("arm").is_null()).select("row", "unit")
        if fresh.height:
            units = self._dealt(fresh)
            self._units = pl.concat([self._units, units])
            joined = fresh.join(units, on="unit", maintain_order="left").select(frame.columns)
            frame = pl.concat([frame.filter(pl.col("arm").is_not_null()), joined])
        self._arms = self._arms.scatter(frame["row"], frame["arm"])
        self._new = pl.concat([self._new, self._written(frame)])

    def _written(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Rows of `assignments`, with ``row``, of profiles that get their arm now."""
        import polars as pl

        instant, ids = pl.Datetime("us", "UTC"), self._contacts.ids.gather(frame["row"])
        return frame.select(
            pl.lit(self.rules.name).alias("experiment"),
            "unit",
            ids.alias("profile_id"),
            self._contacts.profiles.gather(frame["row"]).alias("subject"),
            "arm",
            "stratum",
            pl.lit(self._now).cast(instant).alias("assigned_at"),
            pl.lit(None, instant).alias("exposed_at"),
            "epoch",
            pl.lit(None, pl.String).alias("push"),
            "row",
        )

    def _unit(self, rows: pl.Series) -> pl.Series:
        """What is hashed for each row."""
        ids = self._contacts.ids.gather(rows)
        if self.rules.same is None:
            return ids.alias("unit")
        values = self._text(self.rules.same).gather(rows)
        return values.fill_null(ALONE + ids).alias("unit")

    def _outside(self, frame: pl.DataFrame) -> pl.Series:
        """Why rows stay outside; null for those who come in. A unit on record is in, however its hash lies today."""
        import polars as pl

        def reasoned(out: pl.Series, comes_in: pl.Series, reason: str) -> pl.Series:
            word = pl.repeat(reason, frame.height, dtype=pl.String, eager=True)
            return out.zip_with(out.is_not_null() | comes_in, word)

        units, is_known = frame["unit"].to_list() if self.rules.ranges else [], frame["arm"].is_not_null()
        out = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
        for reason, salt, low, high in self.rules.ranges:
            out = reasoned(out, is_known | pl.Series(within(points(salt, units), low, high)), reason)
        return reasoned(out, ~frame["row"].is_in(self._excluded.implode()), "exclude")

    def _dealt(self, fresh: pl.DataFrame) -> pl.DataFrame:
        """Arms of units that have none: ``unit``, ``arm``, ``stratum``, ``epoch``.

        A household's stratum is that of its first profile.
        """
        import polars as pl

        if self.rules.same is not None:
            fresh = fresh.with_columns(self._contacts.ids.gather(fresh["row"]).alias("id")).sort("id")
            fresh = fresh.unique("unit", keep="first", maintain_order=True)
        places, strata = points(self.rules.salt, fresh["unit"].to_list()), self._stratum(fresh["row"])
        if self.rules.strata:
            arms = dealt(places, strata.to_list(), self.rules.weights)
        else:
            arms = arms_of(places, self.rules.divided)
        return pl.DataFrame(
            {"unit": fresh["unit"], "arm": arms, "stratum": strata, "epoch": [self.rules.epoch] * fresh.height},
            schema={name: schema()[name] for name in ("unit", "arm", "stratum", "epoch")},
        )

    def _stratum(self, rows: pl.Series) -> pl.Series:
        import polars as pl

        if not self.rules.strata:
            return pl.repeat(None, len(rows), dtype=pl.String, eager=True)
        values = [self._text(name).gather(rows).fill_null(_UNKNOWN).alias(name) for name in self.rules.strata]
        return pl.DataFrame(values).select(pl.concat_str(pl.all(), separator=" · ")).to_series()

    def _text(self, name: str) -> pl.Series:
        """A stored trait as text, one row per profile."""
        import polars as pl

        types = {trait.name: trait.type for trait in self._contacts.session.project.traits}
        values = self._contacts.best(name)
        return (told_values(values, types[name]) if name in types else values).cast(pl.String)

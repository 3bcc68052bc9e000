"""Controls that stand at a destination all the same: in the mode `update` nobody leaves, and some can take nobody out.

They are told nothing by a push, but whatever is sent from there goes to them too, so that they are no control.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.operations.ab.told import contacts_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import polars as pl

    from segctl.operations.ab.trial import Trial


def standing(of: Trial, quiet: Collection[str], segments: Collection[str]) -> Mapping[str, frozenset[int]]:
    """Destination → positions of the analysed units of quiet arms that may be in the audience of a segment there.

    Whom a push put there after the stop, or later than what is reported, does not count.

    Args:
        of: The experiment.
        quiet: Arms that are told nothing.
        segments: Names of the experiment's segment, of today and of former times.
    """
    import polars as pl

    from segctl.state.deliveries import ledger_audiences, profiles_there
    from segctl.state.subjects import Subjects

    workspace = of.session.workspace
    there = {one.destination: profiles_there(workspace, one.id)
             for one in ledger_audiences(workspace) if one.segment in segments}  # fmt: skip
    if not any(len(profiles) for profiles in there.values()):
        return {}
    arms = of.units.analysed["arm"]
    positions = pl.DataFrame({"position": of.units.unit_of}).with_row_index("subject").drop_nulls()
    positions = positions.filter(arms.gather(positions["position"]).is_in(list(quiet)))
    known = Subjects(workspace).table().select("profile_id", pl.col("subject").cast(pl.UInt32)).collect()
    controls = positions.filter(~pl.col("position").is_in(_later(of, segments).implode())).join(known, on="subject")
    found = {
        to: frozenset(controls.filter(pl.col("profile_id").is_in(profiles.implode()))["position"].to_list())
        for to, profiles in there.items()
    }
    return {to: units for to, units in sorted(found.items()) if units}


def _later(of: Trial, segments: Collection[str]) -> pl.Series:
    """Positions of the units that were told after the stop, or after as_of."""
    import polars as pl

    from segctl.compile.zones import to_us

    stopped = of.record.stopped if of.record is not None else None
    until = of.as_of if stopped is None else min(stopped, of.as_of)
    contacts = contacts_of(of.source.events, None).filter(
        pl.col("segment").is_in(list(segments)), pl.col("ts") >= to_us(until)
    )
    return of.units.unit_of.gather(contacts["subject"]).drop_nulls().unique()

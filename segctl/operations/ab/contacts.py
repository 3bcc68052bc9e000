"""Who was told something: messages of the experiment by arm, and controls that were reached all the same.

Only the experiment's own segment contaminates: a control that a push of it reached, or that shares a contact point with
somebody it was sent to. What other segments send comes to all arms alike; it is shown, and warned of where it does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.operations.ab.parts import Check, Level
from segctl.operations.ab.standing import standing
from segctl.operations.ab.told import contacts_of

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.operations.ab.trial import Trial
    from segctl.operations.session import Session

EVERY = "*"
"""Segment of what is no campaign but all of them: every push counts as its own."""
UNEVEN = 0.001
"""P under which other segments reach the arms unevenly."""


@dataclass(frozen=True, slots=True)
class Reached:
    """Contacts of the analysed units within their windows.

    Attributes:
        rows: One per unit and segment: ``position``, ``arm``, ``segment``, ``messages``.
        own: Units by arm that a push of the experiment's segment reached.
        messages: Contacts by arm, by pushes of the experiment's segment.
        told: Profiles by arm that these pushes reached.
        refused: Profiles by arm that no push reached and whose rows a destination did not accept.
    """

    rows: pl.DataFrame
    own: Mapping[str, int]
    messages: Mapping[str, int]
    told: Mapping[str, int]
    refused: Mapping[str, int]


def reached(of: Trial) -> Reached:
    """Contacts on record of the analysed units."""
    import polars as pl

    units = of.units.analysed.select("arm", "exposed", "last").with_row_index("position")
    contacts = contacts_of(of.source.events, of.as_of)
    segment = is_own(of)
    placed = contacts.with_columns(position=of.units.unit_of.gather(contacts["subject"]).cast(pl.UInt32))
    inside = placed.drop_nulls("position").join(units, on="position")
    inside = inside.filter(pl.col("ts").is_between(pl.col("exposed"), pl.col("last")))
    rows = inside.group_by("position", "arm", "segment").agg(pl.len().alias("messages"))
    mine = rows.filter(segment).group_by("arm").agg(pl.len(), pl.col("messages").sum()).rows()
    told = inside.filter(segment).select("arm", person=_person(of, inside.filter(segment)["subject"])).unique()
    return Reached(
        rows, {arm: n for arm, n, _ in mine}, {arm: sent for arm, _, sent in mine},
        dict(told.group_by("arm").len().iter_rows()), _refused(of, told["person"]),
    )  # fmt: skip


def _person(of: Trial, subjects: pl.Series) -> pl.Series:
    return subjects if of.owners is None else of.owners.gather(subjects)


def _refused(of: Trial, told: pl.Series) -> dict[str, int]:
    """Profiles by arm whose rows a destination did not accept, without those that were told all the same."""
    import polars as pl

    from segctl.state.deliveries import failures
    from segctl.state.subjects import Subjects

    if of.experiment.segment == EVERY:
        return {}
    workspace = of.session.workspace
    ids = [one.profile for name in names_of(of.session, of.experiment.segment)
           for one in failures(workspace, segment=name)
           if one.profile is not None and one.action != "remove" and one.state in ("invalid", "rejected")]  # fmt: skip
    if not ids:
        return {}
    known = Subjects(workspace).table().filter(pl.col("profile_id").is_in(ids)).select("subject").collect()
    people = _person(of, known["subject"]).unique()
    positions = of.units.unit_of.gather(people.filter(~people.is_in(told.implode()))).drop_nulls()
    arms = of.units.analysed["arm"].gather(positions)
    return dict(arms.to_frame().group_by("arm").len().iter_rows())


def is_own(of: Trial) -> pl.Expr:
    """Whether a contact is one of the experiment's segment."""
    import polars as pl

    own = of.experiment.segment
    return pl.lit(value=True) if own == EVERY else pl.col("segment").is_in(names_of(of.session, own))


def names_of(session: Session, segment: str) -> list[str]:
    """Names of a segment of today and of former times."""
    today = session.definitions.segments.get(segment)
    return [segment, *(today.formerly if today is not None else ())]


def told_after(
    session: Session, segment: str, people: pl.Series, owners: pl.Series | None, *, stopped: datetime, as_of: datetime,
    snapshot: int,
) -> datetime | None:  # fmt: skip
    """When a push of the segment first reached somebody of an experiment that had been stopped.

    From then on nobody is held out, so that windows which are open then no longer compare anything.

    Args:
        session: Open project and workspace.
        segment: Of the experiment.
        people: Subjects on record.
        owners: Subject → subject of its profile; None when each is its own.
        stopped: When it was.
        as_of: What comes after it has not happened.
        snapshot: Which files are seen.

    Returns:
        None when nobody was told since.
    """
    import polars as pl

    from segctl.compile.zones import from_us, to_us
    from segctl.operations.evaluation import event_part

    parts = [event_part(file) for file in session.workspace.files("events", snapshot)]
    known = people if owners is None else owners.gather(people)
    found = contacts_of(parts, as_of).filter(
        pl.col("ts") >= to_us(stopped), pl.col("segment").is_in(names_of(session, segment))
    )
    reached = found["subject"] if owners is None else owners.gather(found["subject"])
    first = found["ts"].filter(reached.is_in(known.unique().implode())).min()
    return from_us(first) if isinstance(first, int) else None


def messages(of: Trial, found: Reached, arm: str) -> int:
    """Messages of an arm: those on record, and one for each exposed profile of a sent arm that has none there.

    Whoever is at the destination already, or is told by other means, is messaged without a contact on record; only
    whose row was not accepted is known not to be.
    """
    on_record = int(found.messages.get(arm, 0))
    is_sent = next(one.is_sent for one in of.experiment.arms if one.name == arm)
    if not is_sent or of.experiment.segment == EVERY:
        return on_record
    return on_record + max(of.profiles[arm] - found.told.get(arm, 0) - found.refused.get(arm, 0), 0)


def contamination(of: Trial, found: Reached) -> Check:
    """Controls that the campaign reached, and what else reached the arms unevenly."""
    import polars as pl

    quiet = [arm.name for arm in of.experiment.arms if not arm.is_sent]
    units = sum(of.analysed[arm] for arm in quiet)
    cut = _cut(of)
    if cut and not sum(of.analysed.values()):
        return Check("contamination", "fail", "told_after_stop", {"cut": cut, "controls": 0, "reached": 0})
    if not quiet or not units:
        return Check("contamination", "ok", None, {"controls": units, "reached": 0, "share": 0.0, "is_sent": not quiet})
    leaked = found.rows.filter(is_own(of), pl.col("arm").is_in(quiet))
    own = set(leaked["position"].to_list())
    there = standing(of, quiet, names_of(of.session, of.experiment.segment))
    staying = {unit for units in there.values() for unit in units} - own
    shared = _sharing(of, quiet) - own - staying
    number = len(own | shared | staying)
    share = number / units
    others = _others(of, found, quiet)
    figures: dict[str, object] = {
        "controls": units,
        "reached": number,
        "share": share,
        "by_push": len(own),
        "by_contact_point": len(shared),
        "staying": len(staying),
    }
    mine = [
        {"segment": segment, "controls": reached, "share": reached / units, "is_own": True}
        for segment, reached in leaked.group_by("segment").agg(pl.len()).sort("segment").iter_rows()
    ]
    mine += [
        {
            "segment": f"{of.experiment.segment} ({to})",
            "controls": len(here),
            "share": len(here) / units,
            "is_own": True,
        }
        for to, here in there.items()
    ]
    level, reason = _judged(number, units, others)
    if staying and reason == "controls_reached":
        reason = "controls_stay"
    if cut:
        figures |= {"cut": cut}
        level, reason = ("note", "told_after_stop") if level == "ok" else (level, reason)
    return Check("contamination", level, reason, figures, (*mine, *others), decides=level == "fail")


def _cut(of: Trial) -> int:
    """Units whose window was open when people were told after the stop, and would be complete by now."""
    import polars as pl

    from segctl.compile.zones import to_us

    if of.cut is None:
        return 0
    return of.units.everybody.filter(pl.col("standing") == "young", pl.col("last") <= to_us(of.as_of)).height


def _judged(number: int, units: int, others: tuple[Mapping[str, object], ...]) -> tuple[Level, str | None]:
    from segctl.stats.contamination import contamination as judged

    level = judged(number, units).level
    if level in ("fail", "warn"):
        return level, "controls_reached"
    if any(row["is_uneven"] for row in others):
        return "warn", "others_uneven"
    if number:
        return "note", "controls_reached"
    return ("note", "others_reach_all") if others else ("ok", None)


def _others(of: Trial, found: Reached, quiet: list[str]) -> tuple[Mapping[str, object], ...]:
    """Segments that reached controls otherwise, with the shares of both sides."""
    import polars as pl

    from segctl.stats.rates import pooled_z
    from segctl.stats.special import normal_sf
    from segctl.stats.values import Counts

    silent = sum(of.analysed[arm] for arm in quiet)
    sent = sum(of.analysed.values()) - silent
    rows = []
    others = found.rows.filter(~is_own(of)).with_columns(quiet=pl.col("arm").is_in(quiet))
    for segment in others["segment"].unique().sort():
        counts = others.filter(pl.col("segment") == segment)["quiet"]
        inside = int(counts.sum())
        z, _, _ = pooled_z(Counts(silent, inside), Counts(sent, len(counts) - inside))
        p = None if z is None else 2 * normal_sf(abs(z))
        rows.append({
            "segment": segment, "controls": inside, "share": inside / silent, "is_own": False,
            "treated": len(counts) - inside, "treated_share": (len(counts) - inside) / sent if sent else None, "p": p,
            "is_uneven": p is not None and p < UNEVEN,
        })  # fmt: skip
    return tuple(row for row in rows if row["controls"] or row["is_uneven"])


def _sharing(of: Trial, quiet: list[str]) -> set[int]:
    """Positions of controls that share a contact point with a unit that was sent something."""
    import polars as pl

    from segctl.operations.audience.contacts import Contacts

    declared = of.session.project.contact_points
    placed = pl.DataFrame({"subject": pl.int_range(len(of.units.unit_of), dtype=pl.Int32, eager=True)})
    placed = placed.with_columns(position=of.units.unit_of).drop_nulls()
    people = placed["subject"] if of.owners is None else of.owners.gather(placed["subject"]).unique().sort()
    if not declared or people.is_empty():
        return set()
    contacts = Contacts(of.session, people, of.owners, now=of.as_of)
    positions = of.units.unit_of.gather(people)
    is_quiet = of.units.analysed["arm"].gather(positions).is_in(quiet)
    found: set[int] = set()
    for kind, names in declared:
        points = contacts.points(kind, names)
        known = points.with_columns(position=positions.gather(points["row"]), quiet=is_quiet.gather(points["row"]))
        both = known.filter(pl.col("quiet").n_unique().over("value") > 1).filter("quiet")
        found |= set(both["position"].to_list())
    return found

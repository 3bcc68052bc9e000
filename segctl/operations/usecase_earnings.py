"""What a journey brought: people it acted on against its own control group, from the moment of entry.

Both arms are all who entered, whether or not anybody could be written to (intention to treat), each person once, at
the first entry, and only those whose window is complete.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.model.types import stored_column

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.session import Session
    from segctl.stats.values import Interval

WINDOW_DAYS = 14
LEAST_IN_ARM = 30


@dataclass(frozen=True, slots=True)
class Earnings:
    """Of one journey.

    Attributes:
        treated: People of whom something was wanted, with complete windows.
        held: Of the control group, likewise.
        lift: Relative change of the share that did what `reports.conversion` says.
        extra: Revenue of all treated together that the control group did not have; None without `reports.revenue`.
    """

    treated: int
    held: int
    lift: Interval | None
    extra: Interval | None
    currency: str | None

    @property
    def is_enough(self) -> bool:
        """Whether the arms are large enough to tell anything."""
        return min(self.treated, self.held) >= LEAST_IN_ARM


def earnings(session: Session, workflow: str, *, now: datetime) -> Earnings | None:
    """What a workflow brought; None before anybody has entered it, or where no report says what counts."""
    entries = _entries(session, workflow, now)
    settings = session.project.reports
    if entries is None or settings is None:
        return None
    done = entries.filter(done=True)
    treated, held = (done.filter(arm=arm).height for arm in ("in", "control"))
    currency = settings.unit
    return Earnings(treated, held, _lift(session, done, now), _extra(session, done, now), currency)


def _entries(session: Session, workflow: str, now: datetime) -> pl.DataFrame | None:
    """One row per person: ``subject``, ``arm``, ``entered``, and ``done`` when the window is complete."""
    import polars as pl

    from segctl.operations.content.values import owners_of

    rows = session.workspace.query(
        "SELECT subject, arm, entered FROM workflow_instances WHERE workflow = ? ORDER BY entered, subject, arm",
        (workflow,),
    )
    if not rows:
        return None
    owners = owners_of(session, [row["subject"] for row in rows], session.workspace.snapshot())
    found = pl.DataFrame(
        {
            "subject": pl.Series([owners[row["subject"]] for row in rows], dtype=pl.Int32),
            "arm": [row["arm"] for row in rows],
            "entered": pl.Series(
                [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=row["entered"]) for row in rows],
                dtype=pl.Datetime("us", "UTC"),
            ),
        }
    )
    # People that were merged since are one person, and count from the first entry of either.
    found = found.unique("subject", keep="first", maintain_order=True)
    return found.with_columns(done=pl.col("entered") <= now - timedelta(days=WINDOW_DAYS))


def _lift(session: Session, done: pl.DataFrame, now: datetime) -> Interval | None:
    from segctl.stats.rates import compare_rates
    from segctl.stats.values import Counts

    selection = session.project.reports.purchase if session.project.reports else None
    if selection is None:
        return None
    values = _within(session, done, selection.events, None, now)
    counts = [
        Counts(arm.height, int((arm["value"] > 0).sum()))
        for arm in (values.filter(arm=name) for name in ("control", "in"))
    ]
    return compare_rates(*counts).lift


def _extra(session: Session, done: pl.DataFrame, now: datetime) -> Interval | None:
    from segctl.stats.means import compare_means
    from segctl.stats.moments import of_rows

    revenue = session.project.reports.revenue if session.project.reports else None
    if revenue is None:
        return None
    selection, aggregate = revenue
    values = _within(session, done, selection.events, aggregate.of, now)
    arms = [values.filter(arm=name)["value"].to_list() for name in ("control", "in")]
    found = compare_means(*(of_rows({"value": arm}) for arm in arms)).difference
    return found.scaled(len(arms[1]))


def _within(
    session: Session, done: pl.DataFrame, kinds: tuple[str, ...], of: str | None, now: datetime
) -> pl.DataFrame:
    """One row per person with ``arm`` and ``value``: how many events in the window, or the sum of a property."""
    import polars as pl

    from segctl.operations.content.events import kind_rows

    people = done["subject"].to_list()
    snapshot = session.workspace.snapshot()
    parts = [pl.DataFrame(schema={"subject": pl.Int32, "value": pl.Float64})]
    for kind in kinds:
        declared = session.project.event(kind)
        of_type = None if declared is None or of is None else declared.property_type(of)
        rows = kind_rows(session, kind, people, as_of=now, snapshot=snapshot, only=() if of is None else (of,))
        inside = rows.join(done.select("subject", "entered"), on="subject").filter(
            (pl.col("ts") > pl.col("entered")) & (pl.col("ts") <= pl.col("entered") + timedelta(days=WINDOW_DAYS))
        )
        value = pl.lit(1.0)
        if of is not None and of_type is not None:
            value = pl.col(stored_column(of, of_type)).cast(pl.Float64).fill_null(0.0) / 10**of_type.scale
        parts.append(inside.select("subject", value.alias("value")))
    sums = pl.concat(parts).group_by("subject").agg(pl.col("value").sum())
    return done.join(sums, on="subject", how="left").with_columns(pl.col("value").fill_null(0.0)).sort("subject")

"""Whom segments reach: members after the gate, what pushes told them, what that cost, and who reacted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from segctl.model.contacted import CONTACTED
from segctl.operations.segment_report.values import Contacts, Reach

if TYPE_CHECKING:
    import polars as pl

    from segctl.compile.selection import Selection
    from segctl.engines.base import EventPart
    from segctl.model.audience import Step
    from segctl.model.reports import ReportSettings
    from segctl.operations.segment_report.scan import Doings
    from segctl.operations.session import Session

_FAR = datetime(9999, 1, 1, tzinfo=UTC)
_CONSENT = ("identifier", "consent", "suppression")


def reach(session: Session, selection: Selection, *, now: datetime) -> dict[str, tuple[Reach, ...]]:
    """Segment → what is left of its members at each destination it is sent to.

    Raises:
        UsageError: A holdout that was never evaluated.
        IntegrityError: A key of the ledger of consent is gone.
    """
    from segctl.operations.audience.audience import counted
    from segctl.operations.gate import Gate

    segments = session.definitions.segments
    if not any(one.send_to and one.status != "draft" for one in segments.values()):
        return {}
    gate = Gate.open(session, now=now)
    found: dict[str, list[Reach]] = {}
    for one in counted(session, gate, selection=selection, now=now):
        steps = {step.name: step for step in one.waterfall}
        found.setdefault(one.segment, []).append(
            Reach(
                destination=one.destination,
                channel=one.channel,
                members=steps["members"].left,
                allowed=steps["suppression"].left,
                reachable=steps["priority"].left,
                reasons={key: count for step in one.waterfall for key, count in _reasons(step).items()},
            )
        )
    return {name: tuple(several) for name, several in found.items()}


def _reasons(step: Step) -> dict[tuple[str, str, str | None], int]:
    if step.name in ("members", "change", "accepted"):
        return {}
    found: dict[tuple[str, str, str | None], int] = {
        (step.name, reason, detail): count for (reason, detail), count in step.details.items()
    }
    told = {reason for reason, _ in step.details}
    return found | {(step.name, reason, None): n for reason, n in step.reasons.items() if reason not in told}


def contacts(doings: Doings, settings: ReportSettings, *, now: datetime) -> dict[str, Contacts]:
    """Segment → whom pushes told since the window began; segments that told nobody are left out.

    A reaction is an event of engagement after the first contact through the segment. Messages go out after the newest
    run, so both are counted up to now.
    """
    import polars as pl

    rows = contact_rows(doings, until=now)
    if rows.is_empty():
        return {}
    people = rows.group_by("segment", "subject").agg(pl.col("ts").min())
    counts = dict(people.group_by("segment").len().iter_rows())
    newest = max((part.max_ts for part in doings.event_parts if _is_heard(part) and part.max_ts), default=doings.since)
    heard = dict(people.filter(pl.col("ts") < newest).group_by("segment").len().iter_rows())
    engaged: Mapping[str, int] | None = None
    once = people.group_by("subject").agg(pl.col("ts").min())
    others, others_reacted = _elsewhere(people, once.filter(pl.col("ts") < newest)), dict.fromkeys(counts, 0)
    if settings.engagement is not None:
        last = doings.engaged_last(now)
        reacted = people.join(last, on="subject").filter(pl.col("last") > pl.col("ts"))
        engaged = dict(reacted.group_by("segment").len().iter_rows())
        others_reacted = _elsewhere(people, once.join(last, on="subject").filter(pl.col("last") > pl.col("ts")))
    told: dict[str, dict[str, int]] = {}
    for segment, destination, count in rows.group_by("segment", "destination").len().sort("destination").iter_rows():
        told.setdefault(segment, {})[destination] = count
    costs = dict(_costs(doings, rows, {key: float(value) for key, value in settings.costs}))
    return {
        name: Contacts(
            messages=told[name],
            people=counts[name],
            reacted=None if engaged is None or not heard.get(name) else engaged.get(name, 0),
            cost=costs.get(name),
            heard=heard.get(name, 0),
            others=others[name],
            others_reacted=others_reacted[name],
        )
        for name in sorted(told)
    }


def _elsewhere(people: pl.DataFrame, some: pl.DataFrame) -> dict[str, int]:
    """Segment → of some different persons, those whom it has not told."""
    import polars as pl

    among = people.group_by("segment").agg(pl.col("subject").is_in(some["subject"].implode()).sum())
    return {name: some.height - count for name, count in among.iter_rows()}


def _is_heard(part: EventPart) -> bool:
    """Holds events that somebody else has told us of."""
    return any(kind != CONTACTED for kind in part.kinds)


def contact_rows(doings: Doings, *, until: datetime) -> pl.DataFrame:
    """Contacts since the window began: ``subject`` of the person, ``ts``, ``segment``, ``destination``, ``channel``."""
    import polars as pl

    from segctl.model.types import TEXT, stored_column

    names = {name: stored_column(name, TEXT) for name in ("segment", "destination", "channel")}
    schema = {"subject": pl.Int32(), "ts": pl.Datetime("us", "UTC"), **dict.fromkeys(names, pl.String())}
    parts = [pl.DataFrame(schema=schema)]
    for part in doings.event_parts:
        if CONTACTED not in part.kinds or not set(names.values()) <= set(part.columns):
            continue
        frame = pl.scan_parquet(part.path, glob=False, hive_partitioning=False)
        frame = frame.filter(pl.col("kind") == CONTACTED) if "kind" in part.columns else frame
        within = (pl.col("ts") > doings.since) & (pl.col("ts") <= until)
        parts.append(
            frame.filter(within)
            .select("subject", "ts", *(pl.col(stored).alias(name) for name, stored in names.items()))
            .collect()
        )
    rows = pl.concat(parts)
    if doings.owners is not None:
        rows = rows.with_columns(doings.owners.gather(rows["subject"]).alias("subject"))
    return rows


def _costs(doings: Doings, rows: pl.DataFrame, costs: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """Segment and cost of its messages, where anybody said what one costs.

    What a message of an arm costs, its experiment says; of all others the destination's cost counts.
    """
    import polars as pl

    prices = rows["destination"].replace_strict(costs, default=None, return_dtype=pl.Float64)
    priced = rows.select("subject", "ts", "segment", price=prices).with_row_index("message")
    arms = pl.concat([_arm_prices(doings, segment) for segment in rows["segment"].unique().sort()])
    told = priced.join(arms, on=["segment", "subject"]).filter(pl.col("ts").is_between("begin", "end"))
    told = told.sort("begin").unique("message", keep="last")
    both = priced.join(told.select("message", "arm_price"), on="message", how="left")
    paid = both.with_columns(price=pl.coalesce("arm_price", "price")).drop_nulls("price")
    return paid.group_by("segment").agg(pl.col("price").sum()).sort("segment").iter_rows()


def _arm_prices(doings: Doings, segment: str) -> pl.DataFrame:
    """People in arms of experiments on the segment: ``segment``, ``subject``, ``begin``, ``end``, ``arm_price``."""
    import polars as pl

    from segctl.state.assignments import assignments
    from segctl.state.experiments import record

    workspace, instant = doings.session.workspace, pl.Datetime("us", "UTC")
    schema = {
        "segment": pl.String(),
        "subject": pl.Int32(),
        "begin": instant,
        "end": instant,
        "arm_price": pl.Float64(),
    }
    found = [pl.DataFrame(schema=schema)]
    for one in doings.session.definitions.experiments.values():
        prices = {arm.name: float(arm.cost) for arm in one.arms if arm.cost is not None}
        known = record(workspace, one.key) if one.segment == segment and prices else None
        if known is None:
            continue
        stored = assignments(workspace, one.key, doings.snapshot).drop_nulls("exposed_at")
        stored = stored.filter(pl.col("arm").is_in(list(prices)))
        people = stored["subject"] if doings.owners is None else doings.owners.gather(stored["subject"])
        found.append(pl.DataFrame({
            "segment": [segment] * stored.height, "subject": people, "begin": stored["exposed_at"],
            "end": [known.stopped or _FAR] * stored.height,
            "arm_price": stored["arm"].replace_strict(prices, return_dtype=pl.Float64),
        }, schema=schema))  # fmt: skip
    return pl.concat(found)

"""Why somebody is or is not in an audience: the waterfall of a segment at each destination, with ids at each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segctl.compile.selection import Selection
from segctl.compile.suggest import nearest, one_of
from segctl.model.audience import STEPS, Step, StepName
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.model.project import Language
    from segctl.operations.audience.audience import Audience
    from segctl.operations.gate import Gate
    from segctl.operations.session import Session
    from segctl.state.deliveries_log import Push


@dataclass(frozen=True, slots=True)
class Explained:
    """One segment at one destination.

    Attributes:
        steps: With ``accepted`` as the last push left it, when there was one.
        last: That push.
        out: One row per profile that fell out: ``profile_id``, ``step``, ``reason``, ``detail``, in order of steps.
        told: Profile ids of those who may be told.
    """

    segment: str
    destination: str
    purpose: str | None
    channel: str
    steps: tuple[Step, ...]
    last: Push | None
    out: pl.DataFrame
    told: pl.Series


def explained(
    session: Session, segment: str, *, now: datetime, destination: str | None = None
) -> tuple[Explained, ...]:
    """The waterfall of a segment as a push would have it now, for each of its destinations.

    Raises:
        UsageError: No such segment or destination, or it is sent nowhere, or was never evaluated.
    """
    from segctl.operations.audience.audience import audiences
    from segctl.operations.gate import Gate
    from segctl.state.memberships import members

    _check(session, segment, destination)
    gate = Gate.open(session, now=now)
    to = None if destination is None else (destination,)
    found = tuple(
        _explained(session, gate, one)
        for one in audiences(session, gate, selection=Selection((segment,)), destinations=to, now=now)
    )
    if not found:
        members(session.workspace, segment)  # says that it was never evaluated
    return found


def step_named(word: str) -> StepName:
    """A step by its name.

    Raises:
        UsageError: No such step.
    """
    found = next((step for step in STEPS if step == word), None)
    if found is None:
        near = nearest(word, STEPS)
        hint = f"did you mean `{near}`?" if near else f"use one of {one_of(STEPS)}"
        raise UsageError("SEG852", f"`{word}` is no step of a waterfall", hint=hint)
    return found


def with_words(out: pl.DataFrame, language: Language) -> list[tuple[Any, ...]]:
    """Rows of `Explained.out` with the reason in words behind."""
    from segctl.operations.audience.words import reason_words

    said: dict[tuple[StepName, str, str | None], str] = {}
    rows = []
    for profile_id, step, reason, detail in out.iter_rows():
        key = (step, reason, detail)
        if key not in said:
            said[key] = reason_words(step, reason, detail, language)
        rows.append((profile_id, step, reason, detail, said[key]))
    return rows


def _check(session: Session, segment: str, destination: str | None) -> None:
    segments = session.definitions.segments
    if segment not in segments:
        near = nearest(segment, segments)
        raise UsageError("SEG510", f"there is no segment `{segment}`", hint=f"did you mean `{near}`?" if near else None)
    there = [name for name in segments[segment].send_to if name in session.definitions.destinations]
    if not there:
        raise UsageError(
            "SEG853", f"`{segment}` is sent to no destination, so it has no audience",
            hint="name destinations under `send_to`, and declare them in `destinations/`",
        )  # fmt: skip
    if destination is not None and destination not in there:
        raise UsageError(
            "SEG853", f"`{segment}` is not sent to `{destination}`", hint=f"it is sent to {one_of(there, last='and')}"
        )


def _explained(session: Session, gate: Gate, audience: Audience) -> Explained:
    import polars as pl

    from segctl.operations.plan.push import part_of
    from segctl.state.deliveries import failures
    from segctl.state.deliveries_log import last_push

    to = audience.destination.name
    last = last_push(session.workspace, to, audience.segment)
    part = part_of(session, gate, audience)
    delta = part.delta
    parts = [audience.dropped.drop("subject")]
    if delta is not None:
        changed = pl.concat([delta.adds, delta.updates])
        still = delta.rows.with_row_index("row").filter(~pl.col("row").is_in(changed.implode()))
        why = next((name for step in part.waterfall if step.name == "change" for name in step.reasons), "unchanged")
        parts.append(_rows(still["profile_id"], "change", pl.lit(why)))
    failed = failures(session.workspace, to, audience.segment)
    ids = pl.Series("profile_id", [one.profile for one in failed], dtype=pl.String)
    states = pl.Series("reason", [one.state for one in failed], dtype=pl.String)
    parts.append(_rows(ids, "accepted", states))
    return Explained(
        segment=audience.segment,
        destination=to,
        purpose=audience.purpose,
        channel=audience.channel,
        steps=(*part.waterfall, *_accepted(last, to, audience.segment)),
        last=last,
        out=pl.concat(parts),
        told=audience.rows["profile_id"].sort(),
    )


def _rows(ids: pl.Series, step: StepName, reason: Any) -> pl.DataFrame:  # noqa: ANN401 - a column or an expression
    import polars as pl

    words = (pl.lit(step).alias("step"), reason.alias("reason"), pl.lit(None, pl.String).alias("detail"))
    return ids.alias("profile_id").to_frame().with_columns(*words).sort("profile_id")


def _accepted(last: Push | None, destination: str, segment: str) -> tuple[Step, ...]:
    """The last step, as the last push left it."""
    for part in last.parts if last is not None else ():
        if (part.destination, part.segment) == (destination, segment):
            for name, left, dropped, reasons in part.counts.get("waterfall", ()):
                if name == "accepted":
                    return (Step("accepted", int(left), int(dropped), dict(reasons)),)
    return ()

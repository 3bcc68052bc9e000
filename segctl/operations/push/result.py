"""What a push did, or would do: one outcome per audience, and the exit code that follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass
from segctl.model.exits import ExitCode, worst
from segctl.operations.push.work import Part, Tally

if TYPE_CHECKING:
    from segctl.connectors.destinations.base import Recorded
    from segctl.model.audience import Step
    from segctl.model.errors import SegctlError
    from segctl.state.deliveries_log import PartStatus

_COUNTS = (
    "added", "updated", "removed", "invalid", "rejected", "unknown", "denied", "overtaken", "withdrawn", "waiting",
    "held", "calls", "removals_failed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one audience.

    Attributes:
        status: ``ok``, ``partial``, ``refused``, ``stopped`` or ``paused``.
        purpose: What it is for.
        counts: `Tally` by name, ``unchanged`` and ``delivered`` (people there afterwards, as far as is known).
        waterfall: Steps of the audience, ``accepted`` with them.
        reasons: Reason → rows that were not accepted for it.
        stuck: People who should be taken out, which the destination cannot do.
        reason: Why it was refused, stopped or paused.
        is_minimum_missed: Fewer people than the destination makes a usable audience of.
    """

    segment: str
    destination: str
    status: str
    mode: str
    purpose: str | None
    counts: Mapping[str, int]
    seconds: float
    waterfall: tuple[Step, ...] = ()
    reasons: Mapping[str, int] = field(default_factory=dict)
    stuck: int = 0
    reason: str | None = None
    is_minimum_missed: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """What a dry run would have sent to one destination.

    Attributes:
        calls: Requests, by what they are.
        examples: The first of them, as they would be sent.
        minutes: What they would take; None where no earlier push tells how long a call takes there.
    """

    destination: str
    calls: int
    rows: int
    examples: Sequence[Recorded]
    minutes: float | None


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did, or would do.

    Attributes:
        id: Of the push on record; None for a dry run, or when there was nothing to send.
        errors: Destination → what ended it.
        unevaluated: Segments that no run has brought into force.
        recordings: Of a dry run.
        seconds: Of the whole push.
        notes: What a person may want to know.
    """

    id: str | None
    outcomes: tuple[Outcome, ...]
    errors: Mapping[str, SegctlError] = field(default_factory=dict)
    unevaluated: tuple[str, ...] = ()
    recordings: tuple[Recording, ...] = ()
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def exit(self) -> ExitCode:
        """What the caller should do next."""
        return worst(_codes(self))


def _codes(pushed: Pushed) -> Iterable[ExitCode]:
    yield from (error.exit_code for name, error in pushed.errors.items()
                if all(one.destination != name for one in pushed.outcomes))  # fmt: skip
    for one in pushed.outcomes:
        told = one.counts["added"] + one.counts["updated"] + one.counts["removed"]
        if one.status == "refused":
            yield ExitCode.REFUSED
        elif one.status == "stopped":
            error = pushed.errors.get(one.destination)
            nothing = error.exit_code if error is not None else ExitCode.TEMPORARY
            yield ExitCode.PARTIAL if told else nothing
        if one.status == "partial" or one.stuck:
            yield ExitCode.PARTIAL


def outcome(part: Part, *, minimum: int | None = None) -> Outcome:
    """What became of a part, once nothing more is sent."""
    from segctl.model.audience import Step

    tally, delta = part.tally, part.delta
    before = delta.before if delta is not None else 0
    accepted = (delta.unchanged if delta is not None else 0) + tally.added + tally.updated
    counts = {name: getattr(tally, name) for name in _COUNTS}
    counts |= {"unchanged": delta.unchanged if delta is not None else 0, "before": before}
    steps = part.waterfall
    if steps:
        lost = max(0, steps[-1].left - tally.added - tally.updated)
        steps = (*steps, Step("accepted", tally.added + tally.updated, lost, _not_accepted(tally, lost)))
    size = before + tally.added - tally.removed
    return Outcome(
        segment=part.segment,
        destination=part.destination,
        status=status(part),
        mode=part.mode,
        purpose=part.purpose,
        counts=counts,
        seconds=round(tally.seconds, 3),
        waterfall=steps,
        reasons=dict(sorted(part.reasons.items())),
        stuck=part.stuck,
        reason=part.refused or part.stopped or part.paused,
        is_minimum_missed=minimum is not None and 0 < max(size, accepted) < minimum,
    )


def status(part: Part) -> PartStatus:
    """The word for what became of a part."""
    if part.refused is not None:
        return "refused"
    if part.stopped is not None:
        return "stopped"
    if not part.tally.is_whole or part.stuck:
        return "partial"
    return "paused" if part.paused is not None else "ok"


def _not_accepted(tally: Tally, lost: int) -> dict[str, int]:
    found = {name: getattr(tally, name) for name in ("invalid", "rejected", "unknown", "denied", "held", "waiting")}
    known = {name: rows for name, rows in found.items() if rows}
    rest = lost - sum(known.values())
    return known | ({"other": rest} if rest > 0 else {})


def recorded_counts(one: Outcome) -> dict[str, Any]:
    """The counts that the ledger keeps of a part."""
    steps = [[step.name, step.left, step.dropped, dict(step.reasons)] for step in one.waterfall]
    return {**one.counts, "seconds": one.seconds, "stuck": one.stuck, "waterfall": steps}

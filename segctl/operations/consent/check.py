"""Questions about one person: what is allowed and why not, what is on record, and the evidence for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.model.consent import DENYING, GIVEN, Decision, Use
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.operations.consent.keys import keyring
from segctl.operations.consent.people import Asked, ContactPoint, asked_about

if TYPE_CHECKING:
    from segctl.operations.gate import Gate
    from segctl.operations.session import Session
    from segctl.state.consents import StoredConsent


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether one use is allowed.

    Attributes:
        decision: For the person; `points` says what each contact point of the channel has by itself.
    """

    use: Use
    decision: Decision
    points: tuple[tuple[ContactPoint, Decision], ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """All that was asked about one person."""

    asked: Asked
    answers: tuple[Answer, ...]

    @property
    def is_allowed(self) -> bool:
        """Every use that was asked about is allowed."""
        return all(answer.decision.is_allowed for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the ledger about the person.

    Attributes:
        point: Which contact point; the first one of all that share the row's wide token.
        is_other_spelling: It was said of another spelling of that contact point.
    """

    point: ContactPoint
    stored: StoredConsent
    is_other_spelling: bool


def check(
    session: Session,
    who: str,
    *,
    purpose: str | None = None,
    channel: str | None = None,
    destination: str | None = None,
    now: datetime,
) -> Checked:
    """Decide about one person.

    Args:
        session: With destinations, if one is asked about.
        who: A contact point, a profile id or any identifier.
        purpose: One; every declared purpose without it.
        channel: One; every channel of the purposes without it.
        destination: Whose purposes and recipient count too.
        now: Present time.

    Raises:
        UsageError: Nobody is known by it, no purpose is declared, or an unknown destination.
    """
    asked, gate = _about(session, who, now=now)
    uses = _uses(session, purpose, channel, destination)
    return Checked(asked, tuple(_answer(gate, asked, use) for use in uses))


def history(session: Session, who: str, *, now: datetime) -> tuple[Asked, list[Row]]:
    """Everything that is on record about a person, oldest first."""
    from segctl.consent.tokens import parts
    from segctl.state.consents import rows_of

    asked, _ = _about(session, who, now=now)
    by_wide = {wide: point for point in reversed((*asked.points, *asked.beside)) for _, wide in parts(point.token)}
    exacts = {exact for point in (*asked.points, *asked.beside) for exact, _ in parts(point.token)}
    stored = rows_of(session.workspace, list(by_wide)) if by_wide else []
    rows = [Row(by_wide[one.event.wide], one, one.event.exact not in exacts) for one in stored]
    # What was given for another spelling gives nothing here.
    return asked, [row for row in rows if not row.is_other_spelling or row.stored.event.action in DENYING]


def proofs(rows: Iterable[Row], purpose: str | None, channel: str | None) -> list[Row]:
    """Rows that show consent or its end for a purpose and channel; for any without them."""
    return [
        row
        for row in rows
        if row.stored.event.action in (*GIVEN, *DENYING)
        and purpose in (None, row.stored.event.purpose or purpose)
        and channel in (None, row.stored.event.channel or channel)
    ]


def _about(session: Session, who: str, *, now: datetime) -> tuple[Asked, Gate]:
    from segctl.operations.gate import Gate

    ring = keyring(session.project, session.workspace)
    asked = asked_about(session, Gate(session, ring, now=now), who, now=now)
    tokens = [point.token for point in (*asked.points, *asked.beside)]
    return asked, Gate.open(session, now=now, only=tokens)


def _answer(gate: Gate, asked: Asked, use: Use) -> Answer:
    points = asked.for_channel(use.channel)
    decision = gate.decide([[point.token for point in points]], use)[0]
    singles: Sequence[Decision] = gate.decide([[point.token] for point in points], use) if points else ()
    return Answer(use, decision, tuple(zip(points, singles, strict=True)))


def _uses(session: Session, purpose: str | None, channel: str | None, destination: str | None) -> list[Use]:
    project, declared = session.project, {purpose.name: purpose for purpose in session.project.purposes}
    target = session.definitions.destinations.get(destination or "")
    if destination is not None and target is None:
        from segctl.compile.suggest import did_you_mean

        known = tuple(session.definitions.destinations)
        hint = did_you_mean(destination, known) or f"there is {', '.join(known) or 'none'}"
        raise UsageError("SEG811", f"`{destination}` is no destination of the project", hint=hint)
    if not project.purposes:
        raise UsageError(
            "SEG811", "no purpose is declared, so nobody may be contacted",
            hint="add to segctl.yaml: `purposes: {newsletter: {basis: consent, channels: [email]}}`",
        )  # fmt: skip
    recipient = target.recipient if target is not None else ()
    fixed = channel or (target.channel if target is not None else None)
    names = [purpose] if purpose is not None else list(declared)
    uses = []
    for name in names:
        channels = [fixed] if fixed else list(declared[name].channels if name in declared else ["email"])
        uses += [Use(name, one, destination or "", recipient) for one in channels]
    return uses

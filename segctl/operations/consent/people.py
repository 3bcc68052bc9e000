"""Whom somebody means in a question about consent: a contact point, or a person with all of hers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from segctl.model.consent import KINDS, KINDS_OF_CHANNEL
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError

if TYPE_CHECKING:
    from segctl.operations.gate import Gate
    from segctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """One contact point of the person that was asked about.

    Attributes:
        value: As it is known or was given: personal data, never for messages.
        token: What the gate knows it by.
    """

    kind: str
    value: str
    token: bytes

    @property
    def label(self) -> str:
        """A name that tells nobody whose it is: the kind and the beginning of its token."""
        return f"{self.kind}:{self.token[16:20].hex()}"


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom a command is about.

    Attributes:
        profile_id: Of the person, None when only a contact point is known.
        points: What was asked about: one contact point, or all of a person.
        beside: Further contact points of the person who holds the one that was given.
    """

    profile_id: str | None
    points: tuple[ContactPoint, ...]
    beside: tuple[ContactPoint, ...] = ()

    def for_channel(self, channel: str) -> tuple[ContactPoint, ...]:
        """Those that a channel uses, the ones asked about first."""
        kinds = KINDS_OF_CHANNEL.get(channel, KINDS)
        return tuple(point for point in (*self.points, *self.beside) if point.kind in kinds)


def asked_about(session: Session, gate: Gate, who: str, *, now: datetime) -> Asked:
    """The contact points that an identifier, an address or a number stands for.

    An e-mail address or a phone number means itself, whoever holds it, also when nobody does yet; so does anything
    with its kind in front: ``postal:…``. Every other text names a person by a profile id or an identifier.

    Raises:
        UsageError: Nobody is known by it and it is no contact point, or the person has none.
    """
    given = _given(gate, who)
    found = _person(session, gate, who, now=now, must_exist=given is None)
    if given is not None:
        profile, points = found if found is not None else (None, ())
        beside = tuple(point for point in points if point.token != given.token)
        return Asked(profile, (given,), beside)
    assert found is not None
    profile, points = found
    if not points:
        raise UsageError(
            "SEG807",
            "that person has no contact point",
            why="no identifier or trait of hers is one that `contact_points` of segctl.yaml names",
            hint="give the address or number itself, such as `anna@post.example`",
        )
    return Asked(profile, points)


def _given(gate: Gate, who: str) -> ContactPoint | None:
    """The text as a contact point, when it cannot be anything else."""
    kind, colon, value = who.partition(":")
    if colon and kind in KINDS:
        token = gate.token(kind, value)
        if token is None:
            raise UsageError(
                "SEG806", f"what follows `{kind}:` is no contact point of that kind",
                hint="phone numbers need their country, such as +49 30 1234567" if kind == "phone" else None,
            )  # fmt: skip
        return ContactPoint(kind, value, token)
    if "@" in who:
        kind = "email"
    elif who.strip().startswith(("+", "00")):
        kind = "phone"
    else:
        return None
    token = gate.token(kind, who)
    return None if token is None else ContactPoint(kind, who.strip(), token)


def _person(
    session: Session, gate: Gate, who: str, *, now: datetime, must_exist: bool
) -> tuple[str, tuple[ContactPoint, ...]] | None:
    from segctl.operations.people import find_person

    if not session.workspace.files("subjects"):
        if must_exist:
            raise UsageError(
                "SEG806", "that is no contact point, and no data is there to know a person by",
                hint="give an address or number such as `anna@post.example`, or run `segctl ingest` first",
            )  # fmt: skip
        return None
    kind, colon, value = who.partition(":")
    text = value if colon and kind in KINDS else who
    try:
        row, members = find_person(session.workspace, text, rules=session.project.identity)
    except UsageError:
        if must_exist:
            raise
        return None
    return row.profile_id, tuple(_points(session, gate, members, now=now))


def _points(session: Session, gate: Gate, members: tuple[int, ...], *, now: datetime) -> list[ContactPoint]:
    import polars as pl

    from segctl.operations.audience.contacts import Contacts
    from segctl.state.identity import canonical

    owners = canonical(session.workspace, session.workspace.snapshot())
    owner = members[0] if owners is None else int(owners[members[0]])
    contacts = Contacts(session, pl.Series([owner], dtype=pl.Int32), owners, now=now)
    found = []
    for kind, names in session.project.contact_points:
        values = contacts.points(kind, names)["value"].to_list()
        tokens = gate.tokens(kind, values)
        found += [ContactPoint(kind, v, t) for v, t in zip(values, tokens, strict=True) if t is not None]
    return found

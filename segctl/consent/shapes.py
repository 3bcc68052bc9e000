"""What rows of the ledger mean for one use: few distinct shapes, judged once each however many people share them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from segctl.model.consent import DENYING, GIVEN, RECORDED_BASES, SOFT_OPT_IN_FACTS, ConsentRules, Purpose, Use

_SEPARATOR = "\x1f"


class Shape(NamedTuple):
    """Everything a row says besides who and when, in the order in which `state.consents.states` writes it."""

    action: str
    purpose: str | None
    channel: str | None
    brand: str | None
    recipient_class: str | None
    legal_basis: str | None
    notice_version: str | None
    has_proof: int
    is_own: int
    is_confirmed: int
    origin: str
    reason: str | None
    facts: str | None


def shape_text(shape: Shape) -> str:
    """The shape as one text, as `state.consents.states` gives it."""
    return _SEPARATOR.join("" if part is None else str(part) for part in shape)


def parse_shape(text: str) -> Shape:
    """The shape of such a text; what is empty is missing."""
    parts = [part or None for part in text.split(_SEPARATOR, len(Shape._fields) - 1)]
    flags = [int(part or 0) for part in parts[7:10]]
    return Shape._make([*parts[:7], *flags, *parts[10:]])


class Role(IntEnum):
    """What a row does in the question about one use."""

    NOTHING = 0
    REQUEST = 1
    """A declaration that still has to be confirmed."""
    GRANT = 2
    CONFIRM = 3
    USED = 4
    DENIED = 5
    WITHDRAWN = 6
    EXPIRED = 7
    TCF_MALFORMED = 8
    TCF_DENIED = 9
    OBJECTED_MARKETING = 10
    OBJECTED_PROFILING = 11
    OBJECTED_GENERAL = 12
    RESTRICTED = 13
    ERASED = 14
    SUPPRESSED = 15
    COMPLAINED = 16
    BOUNCED = 17
    BOUNCED_SOFTLY = 18
    LIFTS = 20
    """Added to the role that is lifted."""


ENDS = range(Role.DENIED, Role.TCF_DENIED + 1)
BLOCKS = range(Role.OBJECTED_MARKETING, Role.BOUNCED_SOFTLY + 1)
_BLOCK_ROLES = {
    "object_marketing": Role.OBJECTED_MARKETING,
    "object_profiling": Role.OBJECTED_PROFILING,
    "object_general": Role.OBJECTED_GENERAL,
    "restrict": Role.RESTRICTED,
    "erase": Role.ERASED,
    "suppress": Role.SUPPRESSED,
    "complaint": Role.COMPLAINED,
    "bounce": Role.BOUNCED,
}
_TECHNICAL = ("bounce", "restrict")
"""What may be lifted without word from the person: the mailbox works again, the dispute is over."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One shape in the light of one use.

    Attributes:
        role: As `Role`; a lift is `Role.LIFTS` plus what it lifts.
        bases: Of the purpose's bases, those that the row may be evidence for.
        notice_is_old: Its notice is older than the purpose accepts.
        has_proof: Somebody can show that it happened.
        is_own: The person herself said it, outside of any list: once confirmed, it lifts an objection.
        is_confirmed: By double opt-in, as the row itself says.
        signals: Every signal that the purpose needs is granted.
        is_for_recipient: The declaration reaches recipients of this class.
        soft_opt_in: All facts of the soft opt-in are there.
    """

    role: int
    bases: tuple[str, ...] = ()
    notice_is_old: bool = False
    has_proof: bool = False
    is_own: bool = False
    is_confirmed: bool = False
    signals: bool = True
    is_for_recipient: bool = True
    soft_opt_in: bool = False


NOTHING = Judged(Role.NOTHING)


def judged(shape: Shape, use: Use, purpose: Purpose, purposes: Mapping[str, Purpose], rules: ConsentRules) -> Judged:
    """What a row of this shape does to a use of this purpose."""
    if shape.action in DENYING:
        return _taking(shape, use, purpose, purposes)
    if shape.action in GIVEN or shape.action == "used":
        return _giving(shape, use, purpose, purposes, rules)
    if shape.action == "unrestrict":
        return Judged(Role.LIFTS + Role.RESTRICTED)
    return _lifting(shape, use) if shape.action == "lift" else NOTHING


def basis_of(purpose: Purpose, *, is_ads: bool) -> tuple[str, ...]:
    """The bases that may carry a use: for advertising networks consent alone."""
    return tuple(basis for basis in purpose.bases if basis == "consent" or not is_ads)


def facts_of(shape: Shape) -> Mapping[str, Any]:
    """Further evidence of a row."""
    found = json.loads(shape.facts) if shape.facts else {}
    return found if isinstance(found, dict) else {}


def is_older(version: str | None, least: str | None) -> bool:
    """A notice's version is below the least one, by its numbers; none at all is older than any."""
    if least is None:
        return False
    return version is None or _version_key(version) < _version_key(least)


def _version_key(version: str) -> list[tuple[int, int, str]]:
    parts = version.strip().lower().removeprefix("v").replace("-", ".").split(".")
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts]


def _taking(shape: Shape, use: Use, purpose: Purpose, purposes: Mapping[str, Purpose]) -> Judged:
    role = _BLOCK_ROLES.get(shape.action)
    if role is None:
        ends = {"deny": Role.DENIED, "withdraw": Role.WITHDRAWN, "expire": Role.EXPIRED}[shape.action]
        tcf = {"tcf_malformed": Role.TCF_MALFORMED, "tcf_denied": Role.TCF_DENIED}.get(shape.reason or "")
        applies = _same_channel(shape, use) and _takes_from(shape.purpose, purpose.name, purposes)
        return Judged(tcf or ends) if applies else NOTHING
    if role in (Role.SUPPRESSED, Role.COMPLAINED, Role.BOUNCED) and not _same_channel(shape, use):
        return NOTHING
    if role in (Role.OBJECTED_MARKETING, Role.OBJECTED_PROFILING) and not purpose.marketing:
        return NOTHING
    if role == Role.OBJECTED_GENERAL and not set(purpose.bases) & {
        "legitimate_interest", "public_task", "soft_opt_in"
    }:  # fmt: skip
        return NOTHING
    return Judged(Role.BOUNCED_SOFTLY if shape.action == "bounce" and shape.reason == "soft" else role)


def _giving(shape: Shape, use: Use, purpose: Purpose, purposes: Mapping[str, Purpose], rules: ConsentRules) -> Judged:
    gives = shape.purpose == purpose.name or purpose.name in _covered(shape.purpose, purposes)
    other_brand = shape.brand is not None and rules.brand is not None and shape.brand != rules.brand
    if not gives or shape.channel != use.channel or other_brand:
        return NOTHING
    if shape.action == "used":
        return Judged(Role.USED)
    facts = facts_of(shape)
    said = shape.legal_basis
    bases = RECORDED_BASES if said is None and len(purpose.bases) > 1 else (said or _only(purpose),)
    soft = bases == ("soft_opt_in",)
    needs_confirming = use.channel in rules.double_opt_in and not shape.is_confirmed and not soft
    role = Role.CONFIRM if shape.action == "confirm" else Role.GRANT
    if shape.action == "request" or (shape.action == "grant" and needs_confirming):
        role = Role.REQUEST
    return Judged(
        role,
        tuple(basis for basis in bases if basis in purpose.bases),
        is_older(shape.notice_version, purpose.notice_min_version),
        bool(shape.has_proof) or (soft and bool(facts.get("sale_ref"))),
        bool(shape.is_own and shape.origin != "import"),
        bool(shape.is_confirmed),
        set(purpose.signals) <= set(str(facts.get("signals", "")).split()),
        shape.recipient_class is None or shape.recipient_class == dict(use.recipient).get("class"),
        all(_is_fact(facts.get(name)) for name in SOFT_OPT_IN_FACTS),
    )


def _lifting(shape: Shape, use: Use) -> Judged:
    target = str(facts_of(shape).get("target", ""))
    role = _BLOCK_ROLES.get(target)
    if role is None or shape.origin == "import" or (shape.channel is not None and shape.channel != use.channel):
        return NOTHING
    if target not in _TECHNICAL and not (shape.is_own and shape.has_proof and shape.is_confirmed):
        return NOTHING
    return Judged(Role.LIFTS + role)


def _only(purpose: Purpose) -> str:
    """The basis of a row that names none: the one kind that its purpose can record."""
    return next((basis for basis in purpose.bases if basis in RECORDED_BASES), "consent")


def _is_fact(value: object) -> bool:
    return value is not None and str(value).strip().lower() not in ("", "false", "no", "nein", "0")


def _same_channel(shape: Shape, use: Use) -> bool:
    return shape.channel is None or shape.channel == use.channel


def _covered(name: str | None, purposes: Mapping[str, Purpose]) -> tuple[str, ...]:
    found = purposes.get(name or "")
    return found.covers if found is not None else ()


def _takes_from(said: str | None, asked: str, purposes: Mapping[str, Purpose]) -> bool:
    """A denial also reaches what lies below its purpose and what its purpose covers.

    Nobody knows what one that is not declared any more is called today, so its denials hold for all: renaming a
    purpose must not bring back whoever refused it.
    """
    if said is None or said == asked or asked.startswith(f"{said}."):
        return True
    is_forgotten = said not in purposes and not any(name.startswith(f"{said}.") for name in purposes)
    return is_forgotten or asked in _covered(said, purposes)

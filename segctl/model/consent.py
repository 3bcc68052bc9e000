"""Words of consent: purposes, legal bases, rows of the ledger, the use that is asked about and the decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Literal

from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.secrets import Secret
from segctl.model.times import Duration

Basis = Literal["consent", "contract", "legal_obligation", "legitimate_interest", "soft_opt_in", "public_task"]
BASES: tuple[Basis, ...] = (
    "consent", "contract", "legal_obligation", "legitimate_interest", "soft_opt_in", "public_task",
)  # fmt: skip
RECORDED_BASES: tuple[Basis, ...] = ("consent", "soft_opt_in")
"""They need a row in the ledger for each contact point; the others rest on what the project declares."""

Kind = Literal["email", "phone", "postal", "device", "account"]
KINDS: tuple[Kind, ...] = ("email", "phone", "postal", "device", "account")
CHANNELS = ("email", "sms", "phone", "push", "postal", "ads", "web")

KINDS_OF_CHANNEL: Mapping[str, tuple[str, ...]] = {
    "email": ("email",), "sms": ("phone",), "phone": ("phone",), "push": ("device",), "postal": ("postal",),
    "ads": ("email", "phone"), "web": ("device", "account"),
}  # fmt: skip
"""Channel → the kinds of contact points that it uses."""

GIVEN = ("request", "grant", "confirm")
"""Actions that can lead to consent; they hold for the contact point exactly as it was given."""
TAKEN = ("deny", "withdraw", "expire")
"""Actions that end it for a purpose and channel; these and the next hold for every spelling of the contact point."""
BLOCKING = (
    "object_marketing", "object_profiling", "object_general", "restrict", "erase", "suppress", "bounce", "complaint",
)  # fmt: skip
OTHER = ("unrestrict", "lift", "used", "correct")
ACTIONS = (*GIVEN, *TAKEN, *BLOCKING, *OTHER)
DENYING = (*TAKEN, *BLOCKING)

Origin = Literal["import", "command", "event"]
"""How a row came: from a list, from a command about one person, from an event that the person caused."""

SOFT_OPT_IN_FACTS = ("sale_ref", "similar_goods_of", "notice_at_collection", "opt_out_in_each")
"""What § 7 (3) UWG asks for: all four must be recorded."""

SUPPRESSION_CODES = ("erased", "restricted", "suppressed", "complained", "bounced", "merged")
CONSENT_CODES = (
    "objected_marketing", "objected_profiling", "objected_general",
    "no_purpose", "unknown_purpose", "not_bound", "wrong_channel", "no_lia", "ads_basis",
    "no_point", "malformed", "unknown", "pending", "lapsed", "denied", "withdrawn", "tcf_malformed", "tcf_denied",
    "basis", "soft_opt_in", "expired", "stale", "notice_old", "unproven", "signals", "recipient", "transfer", "merged",
)  # fmt: skip
"""Reason codes; of several that apply the first of the tuple is told."""
ORDER = (
    "erased", "restricted", "objected_marketing", "objected_profiling", "objected_general", "suppressed",
    "complained", "bounced", *CONSENT_CODES[3:],
)  # fmt: skip
"""Both kinds of reason codes in the order in which a decision names them."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What people are contacted or profiled for.

    Attributes:
        bases: Legal bases, any of which suffices.
        channels: Channels it may use; with none of them nobody may be contacted.
        covers: Further purposes that a consent to this one includes, because its notice names them.
        stale_after: Consent that was neither given nor used for so long no longer counts.
        signals: Google consent signals that must be granted as well.
        lia_ref: Record of the balancing test that legitimate interest needs.
        notice_min_version: Consent to an older notice does not count.
        marketing: An objection to marketing blocks it.
        tcf_vendor: Number in the Global Vendor List that a TC string must allow.
        tcf_purposes: TCF purposes that a TC string must allow.
    """

    name: str
    title: str | None = None
    description: str | None = None
    bases: tuple[Basis, ...] = ("consent",)
    channels: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()
    stale_after: Duration | None = None
    signals: tuple[str, ...] = ()
    lia_ref: str | None = None
    notice_min_version: str | None = None
    marketing: bool = True
    tcf_vendor: int | None = None
    tcf_purposes: tuple[int, ...] = ()
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ConsentRules:
    """What holds for every purpose.

    Attributes:
        double_opt_in: Channels whose consent counts once it is confirmed.
        confirm_within: A request that is confirmed later lapses.
        stale_after: As in `Purpose`, for those that say nothing.
        soft_bounces: So many soft bounces within `soft_bounce_window` count as a hard one.
        brand: Consent given to another brand does not count.
        key: Where the key of the tokens stands; None keeps one in the workspace.
    """

    double_opt_in: tuple[str, ...] = ("email",)
    confirm_within: Duration = Duration(7, "days")
    stale_after: Duration | None = None
    soft_bounces: int = 3
    soft_bounce_window: Duration = Duration(30, "days")
    brand: str | None = None
    key: Secret | None = None


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One row of the ledger before it is written.

    Attributes:
        event_id: The same id is recorded once, however often it comes.
        at: When the person said so, or when it happened; aware.
        kind: Of contact point.
        exact: Token of the contact point as given.
        wide: Token that all its spellings share.
        key_id: Which key made the tokens.
        purpose: None means every purpose; only actions that deny may say so.
        channel: Likewise.
        origin: Of the row.
        is_own: The person herself did it: filled in the form, clicked the link, spoke to staff.
        is_confirmed: Confirmed by double opt-in; the evidence is what `proof_ref` names.
        facts: Further evidence: facts of the soft opt-in, `signals`, what a `lift` lifts (`target`).
        supersedes: Id of the event that a `correct` takes back.
        reason: `hard` or `soft` of a bounce, `tcf_malformed` of a denial, or any word.
    """

    event_id: str
    at: datetime
    kind: str
    exact: bytes
    wide: bytes
    key_id: str
    action: str
    purpose: str | None = None
    channel: str | None = None
    brand: str | None = None
    recipient_class: str | None = None
    legal_basis: str | None = None
    notice_id: str | None = None
    notice_version: str | None = None
    notice_hash: str | None = None
    language: str | None = None
    jurisdiction: str | None = None
    origin: Origin = "import"
    source: str | None = None
    capture_method: str | None = None
    proof_ref: str | None = None
    proof_hash: str | None = None
    actor: str | None = None
    is_own: bool = False
    is_confirmed: bool = False
    expires_at: datetime | None = None
    supersedes: str | None = None
    reason: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Use:
    """What somebody's contact points would be used for.

    Attributes:
        purpose: None is denied.
        destination: Name; empty when it goes nowhere, as in the language's `consent` condition.
        recipient: Class of recipient, country and transfer basis, as the destination declares them.
    """

    purpose: str | None
    channel: str
    destination: str = ""
    recipient: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What stands against a use.

    Attributes:
        consent: Reason code of `CONSENT_CODES`; None when there is consent or another legal basis.
        suppression: Reason code of `SUPPRESSION_CODES`; None when nothing is suppressed.
    """

    consent: str | None
    suppression: str | None

    @property
    def is_allowed(self) -> bool:
        """Nothing stands against it."""
        return self.consent is None and self.suppression is None

    @property
    def reason(self) -> str | None:
        """The one code that is told, None when allowed."""
        found = [code for code in (self.consent, self.suppression) if code is not None]
        return min(found, key=ORDER.index) if found else None

"""The state matrix: every state that a contact point can be in, and what the gate says for each kind of use.

It is computed by the gate itself, from rows that bring the state about, so it cannot differ from what a push does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import Any

from segctl.model.consent import ConsentRules, Decision, Purpose, Use
from segctl.model.dataclass import dataclass
from segctl.model.times import Duration

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_DAY = timedelta(days=1)
PURPOSES = (
    Purpose(
        "newsletter", bases=("consent", "soft_opt_in"), channels=("email", "sms"), stale_after=Duration(24, "months"),
        notice_min_version="2",
    ),
    Purpose("service", bases=("contract",), channels=("email",), marketing=False),
    Purpose("survey", bases=("legitimate_interest",), channels=("email",), lia_ref="LIA-1"),
    Purpose("ads", bases=("consent",), channels=("ads",), signals=("ad_user_data", "ad_personalization")),
)  # fmt: skip
USES = (
    Use("newsletter", "email", "mailer"),
    Use("newsletter", "sms", "mailer"),
    Use("service", "email", "mailer"),
    Use("survey", "email", "mailer"),
    Use("ads", "ads", "network", (("class", "ads"), ("country", "IE"))),
    Use("ads", "ads", "overseas", (("class", "ads"), ("country", "US"))),
    Use("newsletter", "email", "network"),
    Use(None, "email", "mailer"),
    Use("lottery", "email", "mailer"),
)
BOUND = {"mailer": ("newsletter", "service", "survey"), "network": ("ads",), "overseas": ("ads",)}
RULES = ConsentRules()


@dataclass(frozen=True, slots=True)
class Said:
    """One row of the ledger in a state.

    Attributes:
        days: Ago.
        exact: Of the contact point itself; False for another spelling of it.
        values: Columns that differ from those of ordinary proved consent.
    """

    action: str
    days: int
    exact: bool = True
    values: Mapping[str, Any] = field(default_factory=dict)


def _said(action: str, days: int, *, exact: bool = True, **values: Any) -> Said:  # noqa: ANN401 - columns differ
    return Said(action, days, exact, values)


_GRANT: dict[str, Any] = {"is_confirmed": True, "signals": "ad_user_data ad_personalization"}
_SOFT: dict[str, Any] = {
    "legal_basis": "soft_opt_in", "sale_ref": "order 7", "similar_goods_of": "shoes", "notice_at_collection": "yes",
    "opt_out_in_each": "yes",
}  # fmt: skip
_OWN: dict[str, Any] = {"is_own": 1, "origin": "command"}
STATES: dict[str, tuple[Said, ...]] = {
    "nothing on record": (),
    "requested, not confirmed": (_said("request", 2),),
    "requested, never confirmed": (_said("request", 9),),
    "requested and confirmed": (_said("request", 9, **_GRANT), _said("confirm", 8)),
    "confirmed too late": (_said("request", 30), _said("confirm", 8)),
    "confirmed without a request": (_said("confirm", 8),),
    "granted, confirmation on record": (_said("grant", 9, **_GRANT),),
    "granted without confirmation": (_said("grant", 2),),
    "granted without proof": (_said("grant", 9, **_GRANT, has_proof=0),),
    "granted to an old notice": (_said("grant", 9, **_GRANT, notice_version="1"),),
    "granted, expired": (_said("grant", 9, **_GRANT, expires=-1),),
    "granted, stale": (_said("grant", 900, **_GRANT),),
    "granted, stale but used": (_said("grant", 900, **_GRANT), _said("used", 30)),
    "granted without the signals": (_said("grant", 9, is_confirmed=True),),
    "granted for own mailings only": (_said("grant", 9, **_GRANT, recipient_class="own"),),
    "granted by another spelling": (_said("grant", 9, exact=False, **_GRANT),),
    "granted by contract": (_said("grant", 9, **_GRANT, legal_basis="contract"),),
    "existing customer, all facts": (_said("grant", 9, **_SOFT),),
    "existing customer, a fact missing": (_said("grant", 9, **{**_SOFT, "opt_out_in_each": ""}),),
    "said no": (_said("deny", 9),),
    "TC string malformed": (_said("deny", 9, reason="tcf_malformed"),),
    "withdrawn": (_said("grant", 9, **_GRANT), _said("withdraw", 8)),
    "withdrawn by another spelling": (_said("grant", 9, **_GRANT), _said("withdraw", 8, exact=False)),
    "withdrawn and granted at once": (_said("grant", 8, **_GRANT), _said("withdraw", 8)),
    "withdrawn, then granted": (_said("withdraw", 9), _said("grant", 8, **_GRANT)),
    "withdrawn, then requested": (_said("withdraw", 9), _said("request", 2)),
    "expired by its sender": (_said("grant", 9, **_GRANT), _said("expire", 8)),
    "objected to marketing": (_said("grant", 9, **_GRANT), _said("object_marketing", 8)),
    "objected, then imported as granted": (_said("object_marketing", 9), _said("grant", 8, **_GRANT)),
    "objected, then confirmed herself": (
        _said("object_marketing", 9), _said("request", 8, **_GRANT, **_OWN), _said("confirm", 7, **_OWN),
    ),
    "objected to profiling": (_said("grant", 9, **_GRANT), _said("object_profiling", 8)),
    "objected to the processing": (_said("grant", 9, **_GRANT), _said("object_general", 8)),
    "restricted": (_said("grant", 9, **_GRANT), _said("restrict", 8)),
    "restricted, then lifted": (_said("grant", 9, **_GRANT), _said("restrict", 8), _said("unrestrict", 7)),
    "erased": (_said("grant", 9, **_GRANT), _said("erase", 8)),
    "erased, then imported as granted": (_said("erase", 9), _said("grant", 8, **_GRANT)),
    "suppressed": (_said("grant", 9, **_GRANT), _said("suppress", 8)),
    "suppressed for e-mail": (_said("grant", 9, **_GRANT), _said("suppress", 8, channel="email", purpose=None)),
    "complained": (_said("grant", 9, **_GRANT), _said("complaint", 8)),
    "bounced hard": (_said("grant", 9, **_GRANT), _said("bounce", 8, reason="hard")),
    "bounced softly once": (_said("grant", 9, **_GRANT), _said("bounce", 8, reason="soft")),
    "bounced softly three times": (
        _said("grant", 9, **_GRANT), *(_said("bounce", days, reason="soft") for days in (8, 7, 6)),
    ),
}  # fmt: skip
"""State → the rows that bring it about, for each purpose and channel of the matrix."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What the gate says to a use of a contact point in a state."""

    state: str
    use: Use
    decision: Decision


def matrix() -> Iterator[Cell]:
    """Every state with every use, by state."""
    from segctl.consent.ledger import Ledger
    from segctl.consent.verdicts import LONG_AGO, Moment, Question, verdicts
    from segctl.model.consent import CONSENT_CODES, SUPPRESSION_CODES

    ledger = Ledger()
    ledger.add(_rows())
    tokens = [_token(state) + _token(f"{state}, wide") for state in STATES]
    declared = {purpose.name: purpose for purpose in PURPOSES}
    now, week = _micros(NOW), _micros(NOW - 7 * _DAY)
    found: dict[str, list[Cell]] = {state: [] for state in STATES}
    for use in USES:
        stale = _micros(NOW - 730 * _DAY) if use.purpose == "newsletter" else LONG_AGO
        moment = Moment(now, week, now - week, stale, _micros(NOW - 30 * _DAY))
        question = Question(use, declared.get(use.purpose or ""), declared, RULES, BOUND[use.destination], moment)
        for state, consent, blocked in zip(STATES, *verdicts(ledger, tokens, question), strict=True):
            decision = Decision(
                CONSENT_CODES[consent - 1] if consent else None, SUPPRESSION_CODES[blocked - 1] if blocked else None
            )
            found[state].append(Cell(state, use, decision))
    for cells in found.values():
        yield from cells


def _rows() -> list[tuple[Any, ...]]:
    """The rows of all states, as `state.consents.states` gives them."""
    import json

    from segctl.consent.shapes import Shape, shape_text

    rows: list[tuple[Any, ...]] = []
    for state, said in STATES.items():
        wide = _token(f"{state}, wide")
        for one in said:
            values = dict(one.values)
            facts = {name: values.pop(name) for name in (*_SOFT, "signals") if name != "legal_basis" and name in values}
            at = _micros(NOW - one.days * _DAY)
            expires = values.pop("expires", None)
            exact = _token(state) if one.exact else _token(f"{state}, other")
            for purpose, channel in _places(one.action, values):
                shape = Shape(
                    one.action, purpose, channel, None, values.get("recipient_class"), values.get("legal_basis"),
                    values.get("notice_version", "2"), values.get("has_proof", 1), values.get("is_own", 0),
                    int(values.get("is_confirmed", False)), values.get("origin", "import"), values.get("reason"),
                    json.dumps(facts) if facts else None,
                )  # fmt: skip
                until = None if expires is None else _micros(NOW + expires * _DAY)
                rows.append((len(rows) + 1, at, until, exact, wide, shape_text(shape)))
    return rows


def _places(action: str, values: Mapping[str, Any]) -> list[tuple[str | None, str | None]]:
    """What is given is given for each purpose and channel; what is taken is taken for all, unless it says so."""
    if action in ("request", "grant", "confirm", "used"):
        return [(purpose.name, channel) for purpose in PURPOSES for channel in purpose.channels]
    return [(None, values.get("channel"))]


def _token(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:16]


def _micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

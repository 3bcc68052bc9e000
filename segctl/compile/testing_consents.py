"""Consents of given profiles in test files: states as the gate sees them, each from an instant on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from segctl.compile.bind import forms
from segctl.compile.bind.consent import bind_state
from segctl.compile.bind.scope import Scope
from segctl.compile.consents import Consent, since_trait, status_trait
from segctl.compile.source import Node
from segctl.compile.testing import GivenConsent, GivenProfile
from segctl.compile.zones import from_us

CONSENTS = "consents"
_KEYS = ("consent", "channel", "status", "at")
_HINT = "write `[{consent: newsletter, channel: email, status: confirmed, at: 30 days ago}]`"


def bind_consents(node: Node, scope: Scope, instant: Callable[[Node], int | None]) -> list[GivenConsent]:
    """The consents of one profile; one that is wrong is reported and left out.

    Args:
        node: A list of mappings.
        scope: Where problems go.
        instant: Reads a time, in microseconds; None when it is reported as wrong.
    """
    listed = forms.items(node, scope, "`consents`", hint=_HINT, least=0) or ()
    found = (_consent(item, scope, instant) for item in listed)
    return [consent for consent in found if consent is not None]


def _consent(node: Node, scope: Scope, instant: Callable[[Node], int | None]) -> GivenConsent | None:
    found = forms.mapping(node, scope, "a consent", hint=_HINT)
    if found is None or not forms.check_keys(found, _KEYS, scope, "a consent"):
        return None
    asked = forms.required(found, "consent", scope, "the consent", example="consent: newsletter")
    when = found.get("at")
    at = None if when is None else instant(when)
    state = bind_state(found, scope)
    if asked is None or state is None or (when is not None and at is None):
        return None
    return GivenConsent(*state, at)


def consent_values(profile: GivenProfile, asked: Iterable[Consent], us: int) -> dict[str, object]:
    """Values of consents at an instant, by their names in plans; of two at one instant the later written."""
    found: dict[str, object] = {}
    for purpose, channel in asked:
        mine = [one for one in profile.consents if (one.purpose, one.channel) == (purpose, channel)]
        valid = [one for one in mine if one.at is None or one.at <= us]
        last = max(enumerate(valid), key=lambda pair: (pair[1].at or -(2**63), pair[0]), default=(0, None))[1]
        found[status_trait(purpose, channel).name] = "none" if last is None else last.status
        since = None if last is None or last.at is None else from_us(last.at)
        found[since_trait(purpose, channel).name] = since
    return found

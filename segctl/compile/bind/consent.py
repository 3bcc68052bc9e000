"""Conditions on consents: a declared purpose, one of its channels, a state, and when it began."""

from __future__ import annotations

from segctl.compile.bind import forms
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.bind.times import TIME_OPERATORS, bind_window
from segctl.compile.source import Mapping, Node, Scalar
from segctl.compile.suggest import one_of
from segctl.model.conditions import CONSENT_STATUSES, ConsentCondition, ConsentStatus
from segctl.model.consent import Purpose
from segctl.model.times import Window

_SYNONYMS = {"purpose": "consent", "state": "status", "via": "channel", "medium": "channel", "kanal": "channel"}
_STATUS_SYNONYMS = {
    "granted": "confirmed", "given": "confirmed", "opt_in": "confirmed", "erteilt": "confirmed", "yes": "confirmed",
    "true": "confirmed", "pending": "requested", "revoked": "withdrawn", "opt_out": "withdrawn",
    "unsubscribed": "withdrawn", "widerrufen": "withdrawn", "unknown": "none", "missing": "none", "refused": "denied",
    "no": "denied", "false": "denied", "stale": "expired", "objection": "objected",
}  # fmt: skip


def bind_consent(node: Mapping, scope: Scope) -> ConsentCondition | None:
    """The state of a consent; it is never unknown, so no rule for missing belongs to it."""
    keys = ("consent", "channel", "status", "missing", *TIME_OPERATORS)
    ok = forms.check_keys(node, keys, scope, "a consent condition", synonyms=_SYNONYMS)
    missing = node.get("missing")
    if missing is not None:
        why = "nobody's consent is unknown: without a word it is `none`"
        scope.error("SEG245", "`missing` decides nothing here", missing.location, why=why, hint="delete it")
        ok = False
    state = bind_state(node, scope)
    window, fits = _window(node, None if state is None else state[2], scope)
    if state is None or not ok or not fits:
        return None
    return ConsentCondition(*state, window, node.location)


def bind_state(node: Mapping, scope: Scope) -> tuple[str, str, ConsentStatus] | None:
    """Purpose, channel and state that a mapping names; None when one of them is wrong, which is then reported."""
    purpose = _purpose(node.get("consent"), scope)
    channel = _channel(node, purpose, scope)
    status = _status(node.get("status"), scope)
    if purpose is None or channel is None or status is None:
        return None
    return purpose.name, channel, status


def _purpose(node: Node | None, scope: Scope) -> Purpose | None:
    written = forms.text(node, scope, "a purpose") if node is not None else None
    if written is None or node is None:
        return None
    declared = {purpose.name: purpose for purpose in scope.project.purposes}
    if written not in declared:
        hint = scope.meant(written, tuple(declared), otherwise="declare it under `purposes` in segctl.yaml")
        scope.error("SEG830", f"{shown(written)} is not a declared purpose", node.location, hint=hint)
        return None
    return declared[written]


def _channel(node: Mapping, purpose: Purpose | None, scope: Scope) -> str | None:
    """The channel as written; of a purpose that has but one, that one."""
    value = node.get("channel")
    written = forms.text(value, scope, "a channel") if value is not None else None
    if purpose is None or (value is not None and written is None):
        return None
    channels = purpose.channels
    if written in channels:
        return written
    if written is None and len(channels) == 1:
        return channels[0]
    has = f"`{purpose.name}` has {'several' if channels else 'no'} channels"
    hint = f"use one of {one_of(channels)}" if channels else "add `channels` to the purpose in segctl.yaml"
    if written is None or value is None:
        scope.error("SEG831", has, node.location, hint=hint)
        return None
    message = f"{shown(written)} is not a channel of `{purpose.name}`"
    scope.error("SEG831", message, value.location, hint=scope.meant(written, channels, otherwise=hint))
    return None


def _status(node: Node | None, scope: Scope) -> ConsentStatus | None:
    if node is None:
        return "confirmed"
    written = forms.text(node, scope, "a state of a consent")
    found = next((status for status in CONSENT_STATUSES if status == written), None)
    if found is None and written is not None:
        hint = scope.meant(written, CONSENT_STATUSES, _STATUS_SYNONYMS, otherwise=f"use {one_of(CONSENT_STATUSES)}")
        scope.error("SEG832", f"{shown(written)} is not a state of a consent", node.location, hint=hint)
    return found


def _window(node: Mapping, status: ConsentStatus | None, scope: Scope) -> tuple[Window | None, bool]:
    """When the state began, and whether nothing is wrong about it."""
    found = [(key, value) for key, value in node.entries if key.text in TIME_OPERATORS]
    if not found:
        return None, True
    if len(found) > 1:
        message = "the condition has several time operators"
        scope.error("SEG214", message, found[1][0].location, hint="put each into a condition of its own under `all`")
        return None, False
    operator, value = found[0]
    if status == "none" or operator.text == "within_next":
        _report_ageless(operator, scope, is_none=status == "none")
        return None, False
    window = bind_window(operator, value, scope, of_events=True)
    return window, window is not None


def _report_ageless(operator: Scalar, scope: Scope, *, is_none: bool) -> None:
    message = f"`{operator.text}` asks for the age of what never was" if is_none else "a state began in the past"
    hint = "delete it" if is_none else "use `within_last`, `older_than` or another time"
    scope.error("SEG833", message, operator.location, hint=hint)

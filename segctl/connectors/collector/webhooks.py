"""Signatures of webhooks: who sent a request, when, and by what it is known again.

Sources: HubSpot, "Validating requests" (v3); Shopify, "Verify webhooks"; Stripe, "Verify webhook signatures manually";
the Standard Webhooks specification, which Svix and others follow.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b, sha256

from segctl.connectors.collector.requests import Request, refuse

_LONGEST_ID = 256
_MOST_SIGNATURES = 16


@dataclass(frozen=True, slots=True)
class Signed:
    """What a right signature says.

    Attributes:
        at: When it was signed, seconds since 1970; None when that is not signed.
        mark: By what the same request is known again.
        id: The sender's own id of the message.
        topic: What it is about, when a header says it.
    """

    at: float | None
    mark: str
    id: str | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Hook:
    """How a source's webhooks are signed.

    Attributes:
        protocol: One of `model.fetching_collector.HOOKS`.
        secrets: All that are right just now.
        tolerance_s: How far the signed time may be from now, either way.
        url: Of HubSpot: the address it calls.
        topics: Of Shopify: those that are taken; empty for all.
    """

    protocol: str
    secrets: tuple[str, ...]
    tolerance_s: float
    url: str | None = None
    topics: tuple[str, ...] = ()


def is_empty(secret: str) -> bool:
    """Only what such secrets begin with, so that anybody could sign."""
    return secret in ("", *_BEGINNINGS)


_BEGINNINGS = ("whsec_", "shpss_")


def checked(request: Request, hook: Hook, now: float) -> Signed:
    """What a request says whose signature is right and new enough.

    Raises:
        RefusedRequest: Wrong, missing, or too far from now.
    """
    signed = _CHECKS[hook.protocol](request, hook)
    if signed.at is not None and not abs(now - signed.at) <= hook.tolerance_s:
        raise refuse(401, "stale")
    return signed


def _is_right(given: Sequence[str], expected: Sequence[str]) -> bool:
    """Whether one of the signatures is one of the right ones, in a time that tells nothing of them."""
    found = False
    for one in given[:_MOST_SIGNATURES]:
        for right in expected:
            found |= hmac.compare_digest(one.encode("utf-8", "replace"), right.encode())
    return found


def _need(request: Request, *names: str) -> str:
    for name in names:
        value = request.headers.get(name)
        if value:
            return value
    raise refuse(401, "unsigned")


def _seconds(text: str) -> float:
    if not text.isascii() or not text.isdigit() or len(text) > 16:
        raise refuse(401, "stale")
    return float(text)


def mark_of(*parts: str | bytes) -> str:
    """A short word for these parts, by which they are known again."""
    digest = blake2b(digest_size=16)
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "replace")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _hubspot(request: Request, hook: Hook) -> Signed:
    given = _need(request, "x-hubspot-signature-v3")
    stamp = _need(request, "x-hubspot-request-timestamp")
    url = hook.url or ""
    if request.raw_query and "?" not in url:
        url += f"?{request.raw_query}"
    base = f"{request.method}{_unescaped(url)}".encode() + request.body + stamp.encode()
    right = [base64.b64encode(hmac.digest(key.encode(), base, sha256)).decode() for key in hook.secrets]
    if not _is_right([given], right):
        raise refuse(401, "signature")
    return Signed(_seconds(stamp) / 1000, mark_of(given))


_ESCAPES = {"%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'", "%28": "(",
            "%29": ")", "%2A": "*", "%2C": ",", "%3B": ";"}  # fmt: skip
"""What HubSpot decodes in an address before it signs it."""


def _unescaped(url: str) -> str:
    for escape, sign in _ESCAPES.items():
        url = url.replace(escape, sign).replace(escape.lower(), sign)
    return url


def _shopify(request: Request, hook: Hook) -> Signed:
    given = _need(request, "x-shopify-hmac-sha256")
    right = [base64.b64encode(hmac.digest(key.encode(), request.body, sha256)).decode() for key in hook.secrets]
    if not _is_right([given], right):
        raise refuse(401, "signature")
    # No time is signed, and of the headers none is, so whoever repeats a request writes there what he likes: the
    # content alone is what it is known by.
    topic = request.headers.get("x-shopify-topic", "")[:_LONGEST_ID]
    if hook.topics and topic not in hook.topics:
        raise refuse(403, "topic")
    id_there = request.headers.get("x-shopify-event-id") or request.headers.get("x-shopify-webhook-id")
    return Signed(None, mark_of(sha256(request.body).digest()), _short(id_there), topic or None)


def _stripe(request: Request, hook: Hook) -> Signed:
    parts = [part.strip().partition("=") for part in _need(request, "stripe-signature").split(",")]
    stamp = next((value for name, _, value in parts if name == "t"), "")
    given = [value for name, _, value in parts if name == "v1"]
    base = f"{stamp}.".encode() + request.body
    right = [hmac.digest(key.encode(), base, sha256).hex() for key in hook.secrets]
    if not _is_right(given, right):
        raise refuse(401, "signature")
    return Signed(_seconds(stamp), mark_of(request.body))


def _standard(request: Request, hook: Hook) -> Signed:
    message = _need(request, "webhook-id", "svix-id")
    stamp = _need(request, "webhook-timestamp", "svix-timestamp")
    words = _need(request, "webhook-signature", "svix-signature").split()
    given = [word.partition(",")[2] for word in words if word.startswith("v1,")]
    base = f"{message}.{stamp}.".encode() + request.body
    right = [base64.b64encode(hmac.digest(_standard_key(key), base, sha256)).decode() for key in hook.secrets]
    if not _is_right(given, right):
        raise refuse(401, "signature")
    return Signed(_seconds(stamp), mark_of(message), _short(message))


def _standard_key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        return secret.encode()


def _short(text: str | None) -> str | None:
    return text[:_LONGEST_ID] if text else None


_CHECKS: dict[str, Callable[[Request, Hook], Signed]] = {
    "hubspot": _hubspot,
    "shopify": _shopify,
    "stripe": _stripe,
    "standard_webhooks": _standard,
}

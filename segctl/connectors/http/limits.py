"""What the headers of an answer say about how soon the next request may come."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

Headers = Mapping[str, str]
"""Header names in small letters."""

_PAIRS = (
    ("ratelimit-remaining", "ratelimit-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("x-rate-limit-remaining", "x-rate-limit-reset"),
    ("x-sib-ratelimit-remaining", "x-sib-ratelimit-reset"),
)
COUNTS = (
    ("ratelimit-remaining", "ratelimit-limit"),
    ("x-ratelimit-remaining", "x-ratelimit-limit"),
    ("x-rate-limit-remaining", "x-rate-limit-limit"),
    ("x-sib-ratelimit-remaining", "x-sib-ratelimit-limit"),
    ("x-hubspot-ratelimit-remaining", "x-hubspot-ratelimit-max"),
)
"""Headers with the calls that are left, and with how many there are in all."""
_POLICY = re.compile(r"(?:^|,)\s*\"?[^\",;]*\"?((?:\s*;\s*[a-z]+=[^;,]+)+)")
_MILLISECONDS, _UNIX = 1e12, 1e9
_NEARLY_FULL = 0.95


def retry_after_s(headers: Headers, now: datetime) -> float | None:
    """Seconds that `Retry-After` asks for, at least 0: a number (decimals too) or an HTTP date; None without it."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    number = _number(text)
    if number is not None:
        return max(0.0, number)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (at - server_time(headers, now)).total_seconds())


def pause_s(headers: Headers, now: datetime) -> float:
    """Seconds to wait before the next request, when the headers say that nothing is left; otherwise 0."""
    found = [*_pairs(headers, now), *_structured(headers), _hubspot(headers), _bucket(headers)]
    return max(found, default=0.0)


def server_time(headers: Headers, now: datetime) -> datetime:
    """The server's clock where it tells it, since its times are compared with it."""
    try:
        at = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError, IndexError):
        return now
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def is_daily(headers: Headers, body: object) -> bool:
    """True when a refusal holds until tomorrow: waiting minutes is of no use."""
    if _number(headers.get("x-hubspot-ratelimit-daily-remaining", "")) == 0:
        return True
    return isinstance(body, dict) and str(body.get("policyName", "")).upper() == "DAILY"


def _pairs(headers: Headers, now: datetime) -> list[float]:
    waits = []
    for remaining, reset in _PAIRS:
        left = _number(headers.get(remaining, "").partition(",")[0])
        after = _number(headers.get(reset, "").partition(",")[0])
        if left is not None and left <= 0 and after is not None:
            waits.append(_seconds_left(after, server_time(headers, now)))
    return waits


def _seconds_left(reset: float, now: datetime) -> float:
    """A reset is unix milliseconds, unix seconds or seconds left; its size tells which."""
    if reset > _MILLISECONDS:
        reset /= 1000
    return max(0.0, reset - now.timestamp()) if reset > _UNIX else max(0.0, reset)


def _structured(headers: Headers) -> list[float]:
    """`RateLimit: "burst";r=0;t=30` (structured fields) or `limit=100, remaining=0, reset=30` (an earlier draft)."""
    text = headers.get("ratelimit", "")
    waits = []
    for part in _POLICY.findall(text):
        values = dict(pair.strip().split("=", 1) for pair in part.split(";") if "=" in pair)
        left, after = _number(values.get("r", "")), _number(values.get("t", ""))
        if left is not None and left <= 0 and after is not None:
            waits.append(max(0.0, after))
    flat = dict(pair.strip().split("=", 1) for pair in text.split(",") if pair.count("=") == 1 and ";" not in pair)
    left, after = _number(flat.get("remaining", "")), _number(flat.get("reset", ""))
    if left is not None and left <= 0 and after is not None:
        waits.append(max(0.0, after))
    return waits


def _hubspot(headers: Headers) -> float:
    left = _number(headers.get("x-hubspot-ratelimit-remaining", ""))
    interval = _number(headers.get("x-hubspot-ratelimit-interval-milliseconds", ""))
    return interval / 1000 if left is not None and left <= 0 and interval is not None else 0.0


def _bucket(headers: Headers) -> float:
    """Shopify's leaky bucket, `39/40`, loses two a second."""
    used, _, size = headers.get("x-shopify-shop-api-call-limit", "").partition("/")
    full, most = _number(used), _number(size)
    return 1.0 if full is not None and most and full / most >= _NEARLY_FULL else 0.0


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value == value and abs(value) < 1e15 else None

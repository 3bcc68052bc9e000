"""From a whole request to a line for the file: who may send it, what it is, and whether it can be taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import parse_qsl

from segctl.connectors.collector.bodies import checked_media, inflated, read_json
from segctl.connectors.collector.keys import KeyRing, WriteKey, given_key
from segctl.connectors.collector.limits import Bucket
from segctl.connectors.collector.lines import encoded, head_of, line_of
from segctl.connectors.collector.requests import Accepted, Answer, Repeated, Request, refuse
from segctl.connectors.collector.routes import HOOKS, IN, OK, ROUTES, Route
from segctl.connectors.collector.seen import Seen
from segctl.connectors.collector.webhooks import Hook, checked
from segctl.connectors.http.json_paths import present
from segctl.model.fetching_collector import CollectorFetch

_LONGEST_ID = 256
_MOST_PARAMETERS = 200
_OPEN = "open"
_HOOK = "signed"


@dataclass(frozen=True, slots=True)
class Intake:
    """A source that takes requests.

    Attributes:
        name: Of the source.
        fetch: Its declaration.
        hook: How its requests are signed; None when they are not.
    """

    name: str
    fetch: CollectorFetch
    hook: Hook | None = None


class Desk:
    """Takes requests for all sources.

    Args:
        intakes: The sources.
        keys: Who may write.
        seen: Signed requests that were taken before.
        clock: Present time, aware, UTC.
        ticks: Monotonic seconds.
        trusts_proxy: Addresses come from the last entry of ``X-Forwarded-For``.
    """

    def __init__(
        self,
        intakes: Iterable[Intake],
        keys: KeyRing,
        seen: Seen,
        *,
        clock: Callable[[], datetime],
        ticks: Callable[[], float],
        trusts_proxy: bool = False,
    ) -> None:
        self.intakes: Mapping[str, Intake] = {intake.name: intake for intake in intakes}
        self.keys, self.seen = keys, seen
        self._clock, self._ticks, self._trusts_proxy = clock, ticks, trusts_proxy
        self._open: dict[str, list[Intake]] = {}
        for intake in self.intakes.values():
            if intake.fetch.is_open:
                self._open.setdefault(intake.fetch.accepts, []).append(intake)
        self.pending: set[str] = set()
        self._heads: dict[tuple[str, str], bytes] = {}
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self.origins = frozenset(origin for one in self.intakes.values() for origin in one.fetch.origins)

    def most_bytes(self) -> int:
        """Largest body that any source takes."""
        return max((one.fetch.most_bytes for one in self.intakes.values()), default=0)

    def take(self, request: Request) -> Accepted | Repeated:
        """A line that is to be written, or the note of a repetition.

        Raises:
            RefusedRequest: The request is not accepted.
        """
        given, path = given_key(request)
        if path.startswith(HOOKS):
            return self._signed(request, path.removeprefix(HOOKS))
        route = self._route(path)
        if request.method not in route.methods:
            raise refuse(405, "method", ("allow", ", ".join(route.methods)))
        if given is not None:
            return self._with_key(request, route, path, self.keys.find(given))
        body = None
        if route.protocol == "segment":
            # The library for browsers writes its key into the body.
            body = self._body(request, self.most_bytes())
            given = body[0].get("writeKey") if isinstance(body[0], dict) else None
            given = given if isinstance(given, str) else None
        elif route.protocol == "ga4_mp":
            given = request.query.get("api_secret")
        key = self.keys.find(given)
        if key is None and given is None and route.protocol in self._open:
            for intake in self._open[route.protocol]:
                if not path.startswith(IN) or path == f"{IN}{intake.name}":
                    return self._take(request, route, intake, _OPEN, body)
        return self._with_key(request, route, path, key, body)

    def _route(self, path: str) -> Route:
        route = ROUTES.get(path)
        if route is not None:
            return route
        if path.startswith(IN):
            return Route("json", OK)
        raise refuse(404, "path")

    def _with_key(
        self, request: Request, route: Route, path: str, key: WriteKey | None, body: tuple[Any, bytes] | None = None
    ) -> Accepted | Repeated:
        intake = None if key is None else self.intakes.get(key.source)
        if key is None or intake is None:
            raise refuse(401, "key")
        names_other = path.startswith(IN) and path != f"{IN}{intake.name}"
        if intake.fetch.accepts != route.protocol or names_other:
            raise refuse(401, "protocol")
        return self._take(request, route, intake, key.name, body)

    def _take(
        self, request: Request, route: Route, intake: Intake, key: str, body: tuple[Any, bytes] | None
    ) -> Accepted:
        self._check_origin(request, intake.fetch)
        self._check_rate(intake, key)
        if body is not None and len(body[1]) > intake.fetch.most_bytes:
            raise refuse(413, "size")
        if request.method == "GET":
            value: Any = self._parameters(request)
            text = encoded(value)
        else:
            value, text = body or self._body(request, intake.fetch.most_bytes)
        value, text = _cleaned(route, value, text)
        _check_shape(route, value, intake.fetch.most_messages)
        told = {"kind": route.kind, "id": _id_of(route, value, intake.fetch)}
        return self._accepted(request, route.answer, intake, key, text, told)

    def _signed(self, request: Request, name: str) -> Accepted | Repeated:
        intake = self.intakes.get(name)
        if intake is None or intake.hook is None:
            raise refuse(404, "path")
        if request.method != "POST":
            raise refuse(405, "method", ("allow", "POST"))
        self._check_rate(intake, _HOOK)
        now = self._clock().timestamp()
        # The signature is over the bytes as they were sent, so nothing is read before it is right.
        signed = checked(request, intake.hook, now)
        value, text = self._body(request, intake.fetch.most_bytes)
        if self.seen.knows(signed.mark, now):
            return Repeated(OK, name)
        if signed.mark in self.pending:
            # Whether the first one gets to disk nobody knows yet.
            raise refuse(503, "pending", ("retry-after", "1"))
        topic, id_there = signed.topic, signed.id
        if isinstance(value, dict) and intake.fetch.accepts == "stripe":
            topic, id_there = _text(value.get("type")), _text(value.get("id"))
        told = {"kind": topic, "id": id_there, "seen": signed.mark}
        self.pending.add(signed.mark)
        return self._accepted(request, OK, intake, _HOOK, text, told, seen=signed.mark)

    def _accepted(
        self, request: Request, answer: Answer, intake: Intake, key: str, text: bytes, told: dict[str, str | None],
        *, seen: str | None = None,
    ) -> Accepted:  # fmt: skip
        head = self._heads.get((intake.name, key))
        if head is None:
            named = None if key in (_OPEN, _HOOK) else key
            head = self._heads[intake.name, key] = head_of(intake.name, named, intake.fetch.accepts)
        address = self._address(request, intake.fetch.address)
        if address is not None:
            told = {**told, "ip": address}
        return Accepted(line_of(head, _iso(self._clock()), text, **told), answer, intake.name, key, seen)

    def settle(self, accepted: Accepted, *, is_durable: bool) -> None:
        """Told what became of a line: from now on a signed request is known again, or not at all."""
        if accepted.seen is not None:
            self.pending.discard(accepted.seen)
            if is_durable:
                self.seen.add(accepted.seen, self._clock().timestamp())

    def _body(self, request: Request, most: int) -> tuple[Any, bytes]:
        checked_media(request.headers)
        return read_json(inflated(request, most))

    def _parameters(self, request: Request) -> dict[str, str]:
        try:
            pairs = parse_qsl(request.raw_query, max_num_fields=_MOST_PARAMETERS, errors="strict")
        except ValueError:
            raise refuse(400, "query") from None
        return dict(pairs)

    def _check_origin(self, request: Request, fetch: CollectorFetch) -> None:
        origin = request.headers.get("origin")
        if origin is not None and "*" not in fetch.origins and origin.lower() not in fetch.origins:
            raise refuse(403, "origin")

    def _check_rate(self, intake: Intake, key: str) -> None:
        now = self._ticks()
        bucket = self._buckets.get((intake.name, key))
        if bucket is None:
            bucket = self._buckets[intake.name, key] = Bucket(intake.fetch.rate, now)
        wait = bucket.take(now)
        if wait:
            raise refuse(429, "rate", ("retry-after", str(wait)))

    def _address(self, request: Request, kept: str) -> str | None:
        if kept == "none":
            return None
        given = request.peer
        if self._trusts_proxy and request.headers.get("x-forwarded-for"):
            # What stands before the last entry anybody may have written.
            given = request.headers["x-forwarded-for"].rpartition(",")[2].strip()
        return _kept_address(given, kept)


def _iso(now: datetime) -> str:
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"


def _kept_address(given: str, kept: str) -> str | None:
    try:
        address = ip_address(given)
    except ValueError:
        return None
    if kept == "full":
        return str(address)
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False).network_address)


def _cleaned(route: Route, value: Any, text: bytes) -> tuple[Any, bytes]:  # noqa: ANN401 - a JSON value
    """Without the key that a browser writes into the body: no secret is kept on disk."""
    if route.protocol == "segment" and isinstance(value, dict) and "writeKey" in value:
        value = {name: of for name, of in value.items() if name != "writeKey"}
        return value, encoded(value)
    return value, text


def _check_shape(route: Route, value: Any, most: int) -> None:  # noqa: ANN401 - a JSON value
    """Does nothing for what the protocol's records can be made of, and not too many of.

    Raises:
        RefusedRequest: Otherwise.
    """
    inner = _messages(route, value)
    if inner is None or not all(isinstance(one, dict) for one in inner[: most + 1]):
        raise refuse(400, "shape")
    if len(inner) > most:
        raise refuse(413, "batch")


def _messages(route: Route, value: Any) -> list[Any] | None:  # noqa: ANN401 - a JSON value
    """The messages in a body; None when it is not of the protocol."""
    name = _LISTS.get(route.protocol)
    if isinstance(value, list):
        return value if route.protocol not in ("segment", "ga4_mp") else None
    if not isinstance(value, dict):
        return None
    if name is None or (name not in value and not _needs_list(route)):
        return [value]
    found = value.get(name)
    return found if isinstance(found, list) else None


_LISTS = {"segment": "batch", "ga4_mp": "events", "snowplow": "data", "tealium": "events"}


def _needs_list(route: Route) -> bool:
    if route.protocol == "segment":
        return route.kind is None
    return route.protocol == "ga4_mp" or (route.protocol == "snowplow" and "POST" in route.methods)


def _id_of(route: Route, value: Any, fetch: CollectorFetch) -> str | None:  # noqa: ANN401 - a JSON value
    """What tells a repetition of a request with one message."""
    if not isinstance(value, dict):
        return None
    if route.protocol == "segment":
        return _text(value.get("messageId"))
    if route.protocol == "snowplow":
        return _text(value.get("eid"))
    if fetch.id is not None:
        return _text(present(value, fetch.id))
    return None


def _text(value: object) -> str | None:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)[:_LONGEST_ID] or None
    return None

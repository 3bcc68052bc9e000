"""From a whole request to a line for the file: who may send it, what it is, and whether it can be taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from segctl.connectors.collector.bodies import checked_media, inflated, read_json
from segctl.connectors.collector.contents import check_shape, id_of, kept_address, short_text, without_key
from segctl.connectors.collector.keys import KeyRing, WriteKey, given_key
from segctl.connectors.collector.limits import Bucket
from segctl.connectors.collector.lines import encoded, head_of, line_of
from segctl.connectors.collector.requests import Accepted, Answer, Repeated, Request, refuse
from segctl.connectors.collector.routes import HOOKS, IN, OK, ROUTES, Route
from segctl.connectors.collector.seen import Seen
from segctl.connectors.collector.webhooks import Hook, checked, mark_of
from segctl.model.fetching_collector import CollectorFetch

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
            body, given = self._keyed_body(request)
        elif route.protocol == "ga4_mp":
            given = request.query.get("api_secret")
        key = self.keys.find(given)
        if key is None and given is None and route.protocol in self._open:
            for intake in self._open[route.protocol]:
                if not path.startswith(IN) or path == f"{IN}{intake.name}":
                    return self._take(request, route, intake, _OPEN, body)
        return self._with_key(request, route, path, key, body)

    def _keyed_body(self, request: Request) -> tuple[tuple[Any, bytes] | None, str | None]:
        """The body and the key in it, which is where the library for browsers writes it.

        A body of a stranger, who names no key anywhere, is not even read as JSON.
        """
        checked_media(request.headers)
        data = inflated(request, self.most_bytes())
        if b'"writeKey"' not in data:
            return None, None
        body = read_json(data)
        given = body[0].get("writeKey") if isinstance(body[0], dict) else None
        return body, given if isinstance(given, str) else None

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
        value, text = without_key(route, value, text)
        check_shape(route, value, intake.fetch.most_messages)
        told = {"kind": route.kind, "id": id_of(route, value, intake.fetch)}
        return self._accepted(request, route.answer, intake, key, text, told)

    def _signed(self, request: Request, name: str) -> Accepted | Repeated:
        intake = self.intakes.get(name)
        if intake is None or intake.hook is None:
            raise refuse(404, "path")
        if request.method != "POST":
            raise refuse(405, "method", ("allow", "POST"))
        now = self._clock().timestamp()
        # The signature is over the bytes as they were sent, so nothing is read before it is right; and what is forged
        # uses up nothing of the sender's rate.
        signed = checked(request, intake.hook, now)
        self._check_rate(intake, _HOOK)
        mark = mark_of(name, signed.mark)
        value, text = self._body(request, intake.fetch.most_bytes)
        if self.seen.knows(mark, now):
            return Repeated(OK, name)
        if mark in self.pending:
            # Whether the first one gets to disk nobody knows yet.
            raise refuse(503, "pending", ("retry-after", "1"))
        topic, id_there = signed.topic, signed.id
        if isinstance(value, dict) and intake.fetch.accepts == "stripe":
            topic, id_there = short_text(value.get("type")), short_text(value.get("id"))
        told = {"kind": topic, "id": id_there, "seen": mark}
        self.pending.add(mark)
        return self._accepted(request, OK, intake, _HOOK, text, told, seen=mark)

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
        return kept_address(given, kept)


def _iso(now: datetime) -> str:
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"

"""Requests to one destination: to its own hosts alone, at its pace, with outcomes that a push can act on."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from json import JSONEncoder
from threading import Lock
from typing import Any
from urllib.parse import urlencode

import requests

from segctl import __version__
from segctl.connectors.calls import Around, NotNowError, Recorded, Row, UnknownOutcomeError
from segctl.connectors.http import hosts, limits, outcomes, problems
from segctl.connectors.http.auth import Credentials, Pairs, shown
from segctl.connectors.http.exchange import Answer, Exchange, failure, open_session
from segctl.connectors.http.probing import tried
from segctl.connectors.http.reasons import cleaner
from segctl.connectors.http.retry import AGAIN, policy
from segctl.connectors.http.secrets import revealed
from segctl.connectors.sources.base import Probe
from segctl.model.fetching_rest import Auth, Limits
from segctl.model.secrets import MASK, Secret, Text, masked

DEFAULT = Limits(retries=2, backoff_s=0.5, longest_backoff_s=5.0, longest_wait_s=60.0, read_s=60.0, page_s=120.0,
                 page_bytes=64 * 1024 * 1024)  # fmt: skip
_JSON = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Service:
    """A service as a connector speaks to it.

    Attributes:
        base_url: With scheme and host, up to what all paths have in common.
        auth: Put on every request; renewed once when it is refused.
        headers: On every request; secrets are read when they are needed.
        hosts: Names (``*.example.com`` too) that may be spoken to; empty allows that of `base_url` alone.
        limits: `requests` in `per_s` seconds is the pace; `retries` are those of calls that only read.
        ca_bundle: File with trusted authorities, relative to the project.
        allow_http: Without TLS, in a network that one trusts; the machine itself may always be spoken to so.
        allow_private: Addresses of private networks may be connected.
        takes_text: A success may be no JSON.
        connections: At a time.
    """

    base_url: str
    auth: Auth | None = None
    headers: tuple[tuple[str, Text], ...] = ()
    hosts: tuple[str, ...] = ()
    limits: Limits = DEFAULT
    ca_bundle: str | None = None
    allow_http: bool = False
    allow_private: bool = True
    takes_text: bool = False
    connections: int = 4


@dataclass(frozen=True, slots=True)
class _Call:
    """One request before credentials are put on it."""

    method: str
    url: str
    params: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes | None = field(repr=False)
    rows: Sequence[Row] = field(default=(), repr=False)
    reads: bool = False
    is_bare: bool = False


class Client:
    """Sends the requests of one destination; several threads may use it at a time.

    A call that has an effect is sent once: what becomes of it is the push's to know. Calls that only read are tried
    again a few times, shortly. In a dry run nothing is sent at all, nor is any secret read.
    """

    def __init__(self, around: Around, service: Service) -> None:
        self.around, self.service = around, service
        self._allowed = service.hosts or (hosts.host_of(service.base_url),)
        self._refuse_strange(service.base_url)
        self._credentials = Credentials(
            service.auth, around.root, around.destination, self._ask_for_token, wall=lambda: self.now().timestamp()
        )
        ca_bundle = None if service.ca_bundle is None else str(around.root / service.ca_bundle)
        session = open_session(service.connections)
        if not service.allow_private:
            for scheme in ("https://", "http://"):
                session.mount(scheme, hosts.PublicAdapter(pool_maxsize=service.connections, max_retries=0))
        self._exchange = Exchange(session, around.destination, service.limits, ca_bundle, service.takes_text)
        self._began = time.monotonic()
        self._ahead_s = 0.0
        self._next_at = 0.0
        self._lock, self._renewing = Lock(), Lock()
        self._named: tuple[Pairs, Pairs] | None = None

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,  # noqa: ANN401 - a JSON value
        data: bytes | Iterable[tuple[str, str]] | None = None,
        params: Iterable[tuple[str, str]] = (),
        headers: Iterable[tuple[str, str]] = (),
        rows: Sequence[Row] = (),
        reads: bool | None = None,
        accept: Iterable[int] = (),
        stand_in: Any = None,  # noqa: ANN401 - a JSON value
    ) -> Answer:
        """The answer to one request, when it is a success.

        Args:
            method: Of HTTP.
            path: Behind the base address; a whole address of an allowed host may stand here as well.
            json: Body, sent as compact JSON.
            data: Body as it is, or pairs of a form; only one of `json` and `data`.
            params: Of the query; kept out of every message.
            headers: Beside those of the service.
            rows: That the call tells of: counted in a dry run, and hidden in the service's words.
            reads: It changes nothing, so it may be tried again; by default so for GET and HEAD.
            accept: Statuses that the caller understands himself; their answers are given back.
            stand_in: The answer's value in a dry run.

        Raises:
            BatchRefusedError: 400, 409, 413, 422: what is in the call is refused.
            NotNowError: Nothing was taken: no connection, 408, 425, 429, 503, or a longer wait than is waited here.
            UnknownOutcomeError: It may have had its effect: no answer came, 500, 502, 504.
            SegctlError: Nothing more can be sent: credentials, redirect, host, certificate, any other status.
        """
        url = path if "://" in path else f"{self.service.base_url.rstrip('/')}/{path.lstrip('/')}"
        self._refuse_strange(url)
        body, content_type = _body(json, data)
        told = {name.lower() for name, _ in (*headers, *self.service.headers)}
        typed = [("Content-Type", content_type)] if content_type and "content-type" not in told else []
        is_read = method in ("GET", "HEAD") if reads is None else reads
        call = _Call(method, url, tuple(params), (*typed, *headers), body, rows, is_read)
        return self._recorded(call, stand_in) if self.around.record else self._sent(call, frozenset(accept))

    def check(self, method: str, path: str, **options: Any) -> tuple[Probe, ...]:  # noqa: ANN401 - those of `request`
        """What one harmless call shows; a failure is a probe, never an exception."""
        return tried(lambda: self.request(method, path, reads=True, **options))

    def close(self) -> None:
        """Lets go of the connections."""
        self._exchange.session.close()

    def _recorded(self, call: _Call, stand_in: Any) -> Answer:  # noqa: ANN401 - a JSON value
        """What a dry run keeps of a request; credentials are masked without being read."""
        assert self.around.record is not None
        headers, params = shown(self.service.auth)
        fixed = [(name, MASK if isinstance(value, Secret) else value) for name, value in self.service.headers]
        query = urlencode([*call.params, *params], safe="*,:/[]")
        allowed = self.service.limits
        self.around.record(
            Recorded(
                masked(f"{call.method} {call.url}" + (f"?{query}" if query else "")),
                masked((call.body or b"").decode(errors="replace")),
                len(call.rows),
                tuple((name, masked(value)) for name, value in (*fixed, *headers, *call.headers)),
                allowed.per_s / allowed.requests if allowed.requests else 0.0,
            )
        )
        return Answer(200, {}, stand_in, call.url, {}, 0)

    def _sent(self, call: _Call, accept: frozenset[int]) -> Answer:
        allowed = self.service.limits if call.reads else Limits(retries=0)
        retry = policy(allowed, safe=frozenset({call.method}), pause=self.around.sleep, chance=self.around.chance)
        is_renewed = call.is_bare
        while True:
            self._keep_pace()
            named = self._identify() if not call.is_bare else ([], [])
            outcome = self._exchange.within_time(self._prepared(call, named))
            if isinstance(outcome, Answer):
                self._heed(outcome)
                if outcome.status in accept:
                    return outcome
                if outcome.status == 401 and not is_renewed and self._renewed(named):
                    is_renewed = True
                    continue
                problem = self._problem(call, outcome)
                if problem is None:
                    return outcome
                is_worth_it = outcome.status in AGAIN and not getattr(problem, "is_daily", False)
            else:
                problem = outcomes.of_failure(outcome, reads=call.reads)
                is_worth_it = outcome.again
            if not is_worth_it or len(retry.history) >= allowed.retries:
                raise problem
            retry = retry.increment(call.method, problems.bare(call.url))
            self._wait(getattr(problem, "wait_s", None) or retry.get_backoff_time(), problem)

    def _problem(self, call: _Call, answer: Answer) -> Exception | None:
        clean = cleaner(call.rows)
        problem = outcomes.of_answer(self.around.destination, answer, now=self.now(), clean=clean)
        is_unknown = isinstance(problem, UnknownOutcomeError)
        return NotNowError(str(problem)) if call.reads and is_unknown else problem

    def _identify(self) -> tuple[Pairs, Pairs]:
        """Headers and parameters that name who asks, read once; tokens are fresh."""
        with self._renewing:
            if self._named is None or self._credentials.expires:
                root = self.around.root
                fixed = [(name, revealed(value, root)) for name, value in self.service.headers]
                self._named = ([*fixed, *self._credentials.headers()], self._credentials.params())
            return self._named

    def _renewed(self, refused: tuple[Pairs, Pairs]) -> bool:
        """Whether there are other credentials than those that were refused: a new token, or a key replaced since."""
        with self._renewing:
            if self._named == refused:
                self._named = None
                is_token = self._credentials.renew()
            else:
                return True
        return is_token or self._identify() != refused

    def _prepared(self, call: _Call, named: tuple[Pairs, Pairs]) -> requests.PreparedRequest:
        headers = {"User-Agent": f"segctl/{__version__}", "Accept": "application/json"}
        headers |= dict(named[0]) | dict(call.headers)
        asked = requests.Request(
            call.method, call.url, headers=headers, params=[*call.params, *named[1]], data=call.body
        )
        try:
            return self._exchange.session.prepare_request(asked)
        except requests.exceptions.RequestException as error:
            raise failure(self.around.destination, call.url, error).error from None

    def _ask_for_token(self, url: str, form: Pairs, headers: Pairs) -> object:
        self._refuse_strange(url)
        fixed = (("Content-Type", _FORM), *headers)
        call = _Call("POST", url, (), fixed, urlencode(form).encode(), reads=True, is_bare=True)
        # A token service refuses a client with 400 as well (RFC 6749, 5.2).
        answer = self._sent(call, frozenset({400}))
        if answer.status == 400:
            raise outcomes.forbidden(self.around.destination, url, 400, problems.said(answer.value))
        return answer.value

    def _keep_pace(self) -> None:
        """Waits until the declared rate, and what the last answers said, allow a request."""
        allowed = self.service.limits
        with self._lock:
            now = self._clock()
            at = max(now, self._next_at)
            if at - now > allowed.longest_wait_s:
                raise NotNowError("the service asks for a pause", wait_s=at - now)
            self._next_at = at + (allowed.per_s / allowed.requests if allowed.requests else 0.0)
        if at > now:
            self._sleep(at - now)

    def _heed(self, answer: Answer) -> None:
        """Holds later requests back as an answer's headers ask; who is told to wait by 429 waits himself."""
        wait_s = limits.pause_s(answer.headers, self.now())
        if answer.status >= 500:
            wait_s = max(wait_s, limits.retry_after_s(answer.headers, self.now()) or 0.0)
        if wait_s > 0 and answer.status not in outcomes.NOT_TAKEN:
            with self._lock:
                self._next_at = max(self._next_at, self._clock() + wait_s)

    def _wait(self, seconds: float, problem: Exception) -> None:
        if seconds > self.service.limits.longest_wait_s:
            raise problem
        self._sleep(seconds)

    def _sleep(self, seconds: float) -> None:
        began = time.monotonic()
        self.around.sleep(seconds)
        # A test's sleep ends at once; the pace goes by the time that was meant to pass.
        with self._lock:
            self._ahead_s += max(0.0, seconds - (time.monotonic() - began))

    def _clock(self) -> float:
        return time.monotonic() + self._ahead_s

    def now(self) -> datetime:
        """Present time, aware."""
        return self.around.now + timedelta(seconds=self._clock() - self._began)

    def _refuse_strange(self, url: str) -> None:
        host = hosts.host_of(url)
        if not hosts.is_among(host, self._allowed):
            raise outcomes.other_host(self.around.destination, host, self._allowed)
        if not url.startswith("https://") and host not in hosts.LOOPBACK and not self.service.allow_http:
            raise outcomes.in_the_clear(self.around.destination, host)


def _body(
    json: Any,  # noqa: ANN401 - whatever JSON can hold
    data: bytes | Iterable[tuple[str, str]] | None,
) -> tuple[bytes | None, str | None]:
    """The bytes of a body, and their type."""
    if json is not None:
        return _JSON.encode(json).encode("utf-8", "replace"), "application/json"
    if data is None or isinstance(data, bytes):
        return data, None
    return urlencode(list(data)).encode(), _FORM

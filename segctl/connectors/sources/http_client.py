"""One request to a service: sent with credentials to its own host alone, at the allowed pace, and tried again."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode, urljoin, urlsplit

import requests
from urllib3.exceptions import MaxRetryError

from segctl import __version__
from segctl.connectors.http import limits, problems
from segctl.connectors.http.auth import Credentials, Pairs
from segctl.connectors.http.exchange import Answer, Exchange, Failure, failure, open_session
from segctl.connectors.http.retry import policy
from segctl.connectors.http.secrets import revealed
from segctl.connectors.sources.base import Around
from segctl.model.errors import SegctlError
from segctl.model.fetching_rest import RestFetch

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 5
_TOLD_FROM_S = 5.0
"""Shorter waits are not worth a line."""
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked; credentials are put on when it is sent.

    Attributes:
        params: Added to the query that `url` has.
        body: Sent as it is; None for none.
        form: Headers of its own instead of the source's, for token services.
    """

    method: str
    url: str
    params: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    form: tuple[tuple[str, str], ...] | None = field(default=None, repr=False)


class Client:
    """Sends the requests of one source, one after the other."""

    def __init__(self, fetch: RestFetch, around: Around) -> None:
        self.fetch = fetch
        self.around = around
        self.credentials = Credentials(fetch.auth, around.root, around.source, self._ask_for_token)
        self._began = time.monotonic()
        self._next_at = 0.0
        self._pause_s = 0.0
        ca_bundle = None if fetch.ca_bundle is None else str(around.root / fetch.ca_bundle)
        self._exchange = Exchange(open_session(), around.source, fetch.limits, ca_bundle)

    def send(self, request: Request) -> Answer:
        """The answer to a request, when it is a success.

        Raises:
            SegctlError: Whatever came instead, in words.
        """
        safe = frozenset({"GET", "POST"} if self.fetch.repeatable or request.form is not None else {"GET"})
        retry = policy(self.fetch.limits, safe=safe, pause=self.around.sleep, chance=self.around.chance)
        is_renewed = False
        while True:
            self._keep_pace()
            outcome = self._attempt(request)
            asked_s: float | None = None
            if isinstance(outcome, Answer):
                self._pause_s = limits.pause_s(outcome.headers, self._now())
                if outcome.status == 401 and not is_renewed and request.form is None and self.credentials.renew():
                    is_renewed = True
                    continue
                error = self._problem(request, outcome, len(retry.history) + 1)
                if error is None:
                    return outcome
                if not retry.is_retry(request.method, outcome.status):
                    raise error
                asked_s = limits.retry_after_s(outcome.headers, self._now())
            else:
                error = outcome.error
                if not outcome.again or not (outcome.unsent or retry.is_safe(request.method)):
                    raise error
            try:
                retry = retry.increment(request.method, problems.bare(request.url))
            except MaxRetryError:
                raise error from None
            self._wait(max(asked_s, self._pause_s) if asked_s is not None else retry.get_backoff_time())

    def close(self) -> None:
        """Lets go of the connections."""
        self._exchange.session.close()

    def is_own(self, url: str) -> bool:
        """True when an address belongs to the source's own scheme, host and port."""
        return origin(url) == origin(self.fetch.base_url)

    def _problem(self, request: Request, answer: Answer, tries: int) -> SegctlError | None:
        source, status, why = self.around.source, answer.status, problems.said(answer.value)
        if status < 300:
            return None
        # A token service refuses a client with 400 as well (RFC 6749, 5.2).
        if status in (401, 403) or (status == 400 and request.form is not None):
            return problems.forbidden(source, answer.url, status, why)
        if status == 429 and limits.is_daily(answer.headers, answer.value):
            raise problems.too_often(source, None, longest_s=self.fetch.limits.longest_wait_s)
        if status >= 500 or status in (408, 425, 429):
            return problems.failing(source, answer.url, status, tries, why)
        return problems.refused(source, answer.url, status, why)

    def _keep_pace(self) -> None:
        """Waits until the declared rate, and what the last answer said, allow a request."""
        allowed, now = self.fetch.limits, time.monotonic()
        wait_s = max(self._pause_s, self._next_at - now)
        self._pause_s = 0.0
        if wait_s > 0:
            self._wait(wait_s)
        if allowed.requests is not None:
            self._next_at = max(now + max(wait_s, 0.0), self._next_at) + allowed.per_s / allowed.requests

    def _wait(self, seconds: float) -> None:
        longest_s = self.fetch.limits.longest_wait_s
        if seconds > longest_s:
            raise problems.too_often(self.around.source, seconds, longest_s=longest_s)
        self._pause_s = 0.0
        if seconds >= _TOLD_FROM_S:
            self.around.note(f"{self.around.source}: waiting {seconds:,.0f} s for the service")
        self.around.sleep(seconds)

    def _now(self) -> datetime:
        return self.around.now + timedelta(seconds=time.monotonic() - self._began)

    def _ask_for_token(self, url: str, form: Pairs, headers: Pairs) -> object:
        fixed = (("Content-Type", "application/x-www-form-urlencoded"), *headers)
        return self.send(Request("POST", url, body=urlencode(form).encode(), form=fixed)).value

    def _attempt(self, request: Request) -> Answer | Failure:
        """One try, redirects on the same host included."""
        url, method = request.url, request.method
        prepared = self._prepared(request, url, with_params=True)
        for _ in range(MOST_REDIRECTS + 1):
            outcome = self._exchange.within_time(prepared)
            if isinstance(outcome, Failure) or outcome.status not in REDIRECTS:
                return outcome
            target = urljoin(url, outcome.headers.get("location", ""))
            if not _is_same_place(url, target):
                return Failure(problems.other_host(self.around.source, "a redirect", target), again=False)
            if method != "GET" or "location" not in outcome.headers:
                return Failure(problems.refused(self.around.source, url, outcome.status, "a redirect"), again=False)
            url = target
            prepared = self._prepared(request, url, with_params=False)
        return Failure(problems.refused(self.around.source, url, 302, "it redirects in circles"), again=False)

    def _prepared(self, request: Request, url: str, *, with_params: bool) -> requests.PreparedRequest:
        headers = {"User-Agent": f"segctl/{__version__}", "Accept": "application/json"}
        params = list(request.params) if with_params else []
        if request.form is not None:
            headers.update(request.form)
        else:
            root = self.around.root
            headers |= {name: revealed(value, root) for name, value in self.fetch.headers}
            if request.body is not None:
                headers.setdefault("Content-Type", "application/json")
            headers.update(self.credentials.headers())
            params += self.credentials.params()
        asked = requests.Request(request.method, url, headers=headers, params=params, data=request.body)
        try:
            return self._exchange.session.prepare_request(asked)
        except requests.exceptions.RequestException as error:
            raise failure(self.around.source, url, error).error from None


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an address: what credentials belong to."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    return parts.scheme.lower(), (parts.hostname or "").lower(), port or _PORTS.get(parts.scheme.lower())


def _is_same_place(url: str, target: str) -> bool:
    """Same origin, or the same host with TLS instead of without."""
    here, there = origin(url), origin(target)
    return here == there or (here[0] == "http" and there == ("https", here[1], _PORTS["https"]))

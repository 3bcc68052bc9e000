"""One request to a service: sent with credentials to its own host alone, bounded in time and size, tried again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, MaxRetryError, NameResolutionError, NewConnectionError, ReadTimeoutError

from segctl import __version__
from segctl.connectors.files.json_values import DECODER
from segctl.connectors.sources import http_limits, http_problems
from segctl.connectors.sources.base import Around
from segctl.connectors.sources.http_auth import Credentials, Pairs
from segctl.connectors.sources.http_retry import policy
from segctl.connectors.sources.secrets import revealed
from segctl.model.errors import SegctlError
from segctl.model.fetching_rest import RestFetch

A = TypeVar("A")
T = TypeVar("T")
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 5
_PIECE = 64 * 1024
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


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        headers: Names in small letters.
        value: The parsed JSON body; of an error whatever could be parsed, else None.
        links: Targets of the `Link` header by relation.
        size: Bytes of the body, unpacked.
    """

    status: int
    headers: dict[str, str]
    value: Any
    url: str
    links: dict[str, str]
    size: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer.

    Attributes:
        error: What to say if nothing better comes.
        again: Another try may help.
        unsent: The service has seen nothing of it.
    """

    error: SegctlError
    again: bool = True
    unsent: bool = False


class Client:
    """Sends the requests of one source, one after the other."""

    def __init__(self, fetch: RestFetch, around: Around) -> None:
        self.fetch = fetch
        self.around = around
        self.credentials = Credentials(fetch.auth, around.root, around.source, self._ask_for_token)
        self._began = time.monotonic()
        self._next_at = 0.0
        self._pause_s = 0.0
        self._session = _session()

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
                self._pause_s = http_limits.pause_s(outcome.headers, self._now())
                if outcome.status == 401 and not is_renewed and request.form is None and self.credentials.renew():
                    is_renewed = True
                    continue
                error = self._problem(request, outcome, len(retry.history) + 1)
                if error is None:
                    return outcome
                if not retry.is_retry(request.method, outcome.status):
                    raise error
                asked_s = http_limits.retry_after_s(outcome.headers, self._now())
            else:
                error = outcome.error
                if not outcome.again or not (outcome.unsent or retry.is_safe(request.method)):
                    raise error
            try:
                retry = retry.increment(request.method, http_problems.bare(request.url))
            except MaxRetryError:
                raise error from None
            self._wait(max(asked_s, self._pause_s) if asked_s is not None else retry.get_backoff_time())

    def close(self) -> None:
        """Lets go of the connections."""
        self._session.close()

    def is_own(self, url: str) -> bool:
        """True when an address belongs to the source's own scheme, host and port."""
        return origin(url) == origin(self.fetch.base_url)

    def _problem(self, request: Request, answer: Answer, tries: int) -> SegctlError | None:
        source, status, why = self.around.source, answer.status, http_problems.said(answer.value)
        if status < 300:
            return None
        # A token service refuses a client with 400 as well (RFC 6749, 5.2).
        if status in (401, 403) or (status == 400 and request.form is not None):
            return http_problems.forbidden(source, answer.url, status, why)
        if status == 429 and http_limits.is_daily(answer.headers, answer.value):
            raise http_problems.too_often(source, None, longest_s=self.fetch.limits.longest_wait_s)
        if status >= 500 or status in (408, 425, 429):
            return http_problems.failing(source, answer.url, status, tries, why)
        return http_problems.refused(source, answer.url, status, why)

    def _keep_pace(self) -> None:
        """Waits until the declared rate, and what the last answer said, allow a request."""
        limits, now = self.fetch.limits, time.monotonic()
        wait_s = max(self._pause_s, self._next_at - now)
        self._pause_s = 0.0
        if wait_s > 0:
            self._wait(wait_s)
        if limits.requests is not None:
            self._next_at = max(now + max(wait_s, 0.0), self._next_at) + limits.per_s / limits.requests

    def _wait(self, seconds: float) -> None:
        longest_s = self.fetch.limits.longest_wait_s
        if seconds > longest_s:
            raise http_problems.too_often(self.around.source, seconds, longest_s=longest_s)
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
            outcome = _within(self.fetch.limits.page_s + self.fetch.limits.connect_s, self._exchange, prepared)
            if outcome is None:
                return Failure(http_problems.broken(self.around.source, url, "did not come in time"))
            if isinstance(outcome, Failure) or outcome.status not in REDIRECTS:
                return outcome
            target = urljoin(url, outcome.headers.get("location", ""))
            if not _is_same_place(url, target):
                return Failure(http_problems.other_host(self.around.source, "a redirect", target), again=False)
            if method != "GET" or "location" not in outcome.headers:
                return Failure(
                    http_problems.refused(self.around.source, url, outcome.status, "a redirect"), again=False
                )
            url = target
            prepared = self._prepared(request, url, with_params=False)
        return Failure(http_problems.refused(self.around.source, url, 302, "it redirects in circles"), again=False)

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
            return self._session.prepare_request(asked)
        except requests.exceptions.RequestException as error:
            raise _failure(self.around.source, url, error).error from None

    def _exchange(self, prepared: requests.PreparedRequest) -> Answer | Failure:
        limits, source, url = self.fetch.limits, self.around.source, prepared.url or ""
        ca_bundle = self.fetch.ca_bundle
        settings = self._session.merge_environment_settings(url, {}, True, None, None)
        if ca_bundle is not None:
            settings["verify"] = str(self.around.root / ca_bundle)
        try:
            response = self._session.send(
                prepared, timeout=(limits.connect_s, limits.read_s), allow_redirects=False, **settings
            )
            with response:
                body = self._body(response, url)
            return body if isinstance(body, Failure) else self._answer(response, body)
        except requests.exceptions.SSLError:
            return Failure(http_problems.untrusted(source, url), again=False)
        except requests.exceptions.ConnectTimeout:
            return Failure(http_problems.unreachable(source, url, "it cannot be connected in time"), unsent=True)
        except (requests.exceptions.RequestException, HTTPError) as error:
            return _failure(source, url, error)
        except UnicodeError:
            reason = "a header holds a sign it must not"
            return Failure(http_problems.unreachable(source, url, reason), again=False)
        except OSError as error:
            # requests speaks so of a bundle of authorities that is not there.
            reason = f"{ca_bundle or 'the bundle of authorities'}: {error.strerror or 'cannot be read'}"
            return Failure(http_problems.unreachable(source, url, reason.lower()), again=False)

    def _body(self, response: requests.Response, url: str) -> bytes | Failure:
        """The body, unpacked; an answer without end ends here, by size or by time."""
        limits, source = self.fetch.limits, self.around.source
        deadline = time.monotonic() + limits.page_s
        pieces, size = [], 0
        while piece := response.raw.read1(_PIECE, decode_content=True):
            size += len(piece)
            if size > limits.page_bytes:
                return Failure(http_problems.too_large(source, url, limits.page_bytes), again=False)
            if time.monotonic() > deadline:
                return Failure(http_problems.broken(source, url, f"takes longer than {limits.page_s:g} s"))
            pieces.append(piece)
        return b"".join(pieces)

    def _answer(self, response: requests.Response, body: bytes) -> Answer | Failure:
        source, url = self.around.source, response.url
        headers = {name.lower(): value for name, value in response.headers.items()}
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        is_success = 200 <= response.status_code < 300
        is_json = not kind or "json" in kind or kind in ("text/plain", "text/javascript", "application/octet-stream")
        value: Any = None
        if is_success and not is_json:
            hint = "it may be a page to log in, or the wrong address"
            return Failure(http_problems.unexpected(source, url, f"`{kind}`, not JSON", hint), again=False)
        try:
            value = DECODER.decode(body.decode("utf-8-sig")) if body.strip() else None
        except (ValueError, RecursionError):
            if is_success:
                return Failure(http_problems.broken(source, url, "is no JSON, or breaks off"))
        links = {relation: link["url"] for relation, link in response.links.items() if "url" in link}
        return Answer(response.status_code, headers, value, url, links, len(body))


def _session() -> requests.Session:
    session = requests.Session()
    for scheme in ("https://", "http://"):
        # Tries are counted in one place, which also knows what bodies say.
        session.mount(scheme, HTTPAdapter(pool_connections=2, pool_maxsize=2, max_retries=0))
    # Otherwise requests would take a password for this host from ~/.netrc.
    session.auth = _as_it_is
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def _as_it_is(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    return prepared


def _failure(source: str, url: str, error: Exception) -> Failure:
    """What a library's exception means; its own text holds the whole address, so it is not shown."""
    inner: object = error.args[0] if error.args else error
    reason = inner.reason if isinstance(inner, MaxRetryError) else inner
    if isinstance(reason, NameResolutionError):
        return Failure(http_problems.unreachable(source, url, "its name cannot be resolved"), unsent=True)
    if isinstance(error, requests.exceptions.ProxyError):
        return Failure(http_problems.unreachable(source, url, "the proxy does not answer"), unsent=True)
    if isinstance(reason, NewConnectionError):
        return Failure(http_problems.unreachable(source, url, "it takes no connection"), unsent=True)
    if isinstance(error, requests.exceptions.ReadTimeout | ReadTimeoutError) or isinstance(reason, ReadTimeoutError):
        return Failure(http_problems.broken(source, url, "stops in the middle for too long"))
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return Failure(http_problems.unreachable(source, url, "it is no address"), again=False)
    if isinstance(error, requests.exceptions.InvalidHeader):
        return Failure(http_problems.unreachable(source, url, "a header holds a sign it must not"), again=False)
    return Failure(http_problems.broken(source, url, "broke off"))


def _within(seconds: float, call: Callable[[A], T], argument: A) -> T | None:
    """The result of a call, None when it takes longer.

    A server that dribbles its headers resets every timeout of a socket with each byte; only a clock beside it ends
    that. The thread left behind ends with its connection, or with the process.
    """
    found: list[T] = []
    raised: list[BaseException] = []
    done = threading.Event()

    def work() -> None:
        try:
            found.append(call(argument))
        except BaseException as error:
            raised.append(error)
        finally:
            done.set()

    threading.Thread(target=work, daemon=True, name="segctl-http").start()
    if not done.wait(seconds):
        return None
    if raised:
        raise raised[0]
    return found[0]


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
    return here == there or (here[0] == "http" and there[0] == "https" and here[1] == there[1])

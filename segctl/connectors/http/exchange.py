"""One exchange with a server: sent once, bounded in time and size, whatever comes put into words."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, MaxRetryError, NameResolutionError, NewConnectionError, ReadTimeoutError

from segctl.connectors.files.json_values import DECODER
from segctl.connectors.http import problems
from segctl.connectors.http.hosts import PrivateAddressError
from segctl.model.errors import SegctlError
from segctl.model.fetching_rest import Limits

A = TypeVar("A")
T = TypeVar("T")
_PIECE = 64 * 1024
_JSON = ("text/plain", "text/javascript", "application/octet-stream")
"""Types of content that some services give their JSON."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        headers: Names in small letters.
        value: The parsed JSON body; of an error whatever could be parsed, else None.
        links: Targets of the `Link` header by relation.
        size: Bytes of the body, unpacked.
        is_json: False when `value` is the text of a body that is no JSON.
    """

    status: int
    headers: dict[str, str]
    value: Any
    url: str
    links: dict[str, str]
    size: int
    is_json: bool = True


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


@dataclass(frozen=True, slots=True)
class Exchange:
    """Sends prepared requests of one source or destination.

    Attributes:
        session: As `open_session` made it.
        source: Its name, for messages.
        limits: Of time and size.
        ca_bundle: File with trusted authorities; None trusts those of the environment or of `certifi`.
        takes_text: A success may be no JSON; its value is the body's text then.
    """

    session: requests.Session
    source: str
    limits: Limits
    ca_bundle: str | None = None
    takes_text: bool = False

    def within_time(self, prepared: requests.PreparedRequest) -> Answer | Failure:
        """The answer, or why there is none in time."""
        found = _within(self.limits.page_s + self.limits.connect_s, self.once, prepared)
        if found is None:
            return Failure(problems.broken(self.source, prepared.url or "", "did not come in time"))
        return found

    def once(self, prepared: requests.PreparedRequest) -> Answer | Failure:
        """The answer to a request, or why there is none."""
        limits, source, url = self.limits, self.source, prepared.url or ""
        settings = self.session.merge_environment_settings(url, {}, True, None, None)
        if self.ca_bundle is not None:
            settings["verify"] = self.ca_bundle
        try:
            response = self.session.send(
                prepared, timeout=(limits.connect_s, limits.read_s), allow_redirects=False, **settings
            )
            with response:
                body = self._body(response, url)
            return body if isinstance(body, Failure) else self._answer(response, body)
        except requests.exceptions.SSLError as error:
            if _is_certificate(error):
                return Failure(problems.untrusted(source, url), again=False, unsent=True)
            return Failure(problems.unreachable(source, url, "it speaks no TLS"), unsent=True)
        except requests.exceptions.ConnectTimeout:
            return Failure(problems.unreachable(source, url, "it cannot be connected in time"), unsent=True)
        except (requests.exceptions.RequestException, HTTPError) as error:
            return failure(source, url, error)
        except UnicodeError:
            reason = "a header holds a sign it must not"
            return Failure(problems.unreachable(source, url, reason), again=False, unsent=True)
        except OSError as error:
            # requests speaks so of a bundle of authorities that is not there.
            reason = f"{self.ca_bundle or 'the bundle of authorities'}: {error.strerror or 'cannot be read'}"
            return Failure(problems.unreachable(source, url, reason.lower()), again=False, unsent=True)

    def _body(self, response: requests.Response, url: str) -> bytes | Failure:
        """The body, unpacked; an answer without end ends here, by size or by time."""
        limits, source = self.limits, self.source
        deadline = time.monotonic() + limits.page_s
        pieces, size = [], 0
        while piece := response.raw.read1(_PIECE, decode_content=True):
            size += len(piece)
            if size > limits.page_bytes:
                return Failure(problems.too_large(source, url, limits.page_bytes), again=False)
            if time.monotonic() > deadline:
                return Failure(problems.broken(source, url, f"takes longer than {limits.page_s:g} s"))
            pieces.append(piece)
        return b"".join(pieces)

    def _answer(self, response: requests.Response, body: bytes) -> Answer | Failure:
        url = response.url
        headers = {name.lower(): value for name, value in response.headers.items()}
        links = {relation: link["url"] for relation, link in response.links.items() if "url" in link}
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        is_success = 200 <= response.status_code < 300
        value, is_json = None, True
        if is_success and not self.takes_text and kind and "json" not in kind and kind not in _JSON:
            hint = "it may be a page to log in, or the wrong address"
            return Failure(problems.unexpected(self.source, url, f"`{kind}`, not JSON", hint), again=False)
        try:
            value = DECODER.decode(body.decode("utf-8-sig")) if body.strip() else None
        except (ValueError, RecursionError):
            if is_success and (not self.takes_text or "json" in kind):
                return self._no_json(url, body)
            value, is_json = body.decode(errors="replace") if self.takes_text else None, False
        return Answer(response.status_code, headers, value, url, links, len(body), is_json)

    def _no_json(self, url: str, body: bytes) -> Failure:
        """Why a body that should be JSON is none: it broke off, or it never is."""
        if not _is_whole(body):
            return Failure(problems.broken(self.source, url, "is no JSON, or breaks off"))
        hint = "NaN, a key twice or text around it are no JSON; ask whoever runs the service"
        return Failure(problems.unexpected(self.source, url, "something that is no JSON", hint), again=False)


def _is_whole(body: bytes) -> bool:
    """Whether an answer that is no JSON has come to its end: asked again, it would be the same."""
    text = body.strip()
    return text[-1:] in (b"}", b"]") or text[:1] == b"<"


def open_session(connections: int = 2) -> requests.Session:
    """A session without passwords and cookies of its own, with so many connections at a time."""
    session = requests.Session()
    for scheme in ("https://", "http://"):
        # Tries are counted in one place, which also knows what bodies say.
        session.mount(scheme, HTTPAdapter(pool_connections=2, pool_maxsize=connections, max_retries=0))
    # Otherwise requests would take a password for this host from ~/.netrc.
    session.auth = _as_it_is
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def _as_it_is(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    return prepared


def failure(source: str, url: str, error: Exception) -> Failure:
    """What a library's exception means; its own text holds the whole address, so it is not shown."""
    inner: object = error.args[0] if error.args else error
    reason = inner.reason if isinstance(inner, MaxRetryError) else inner
    if isinstance(reason, NameResolutionError):
        return Failure(problems.unreachable(source, url, "its name cannot be resolved"), unsent=True)
    if isinstance(reason, PrivateAddressError):
        return Failure(problems.private_address(source, url), again=False, unsent=True)
    if isinstance(error, requests.exceptions.ProxyError):
        return Failure(problems.unreachable(source, url, "the proxy does not answer"), unsent=True)
    if isinstance(reason, NewConnectionError):
        return Failure(problems.unreachable(source, url, "it takes no connection"), unsent=True)
    if isinstance(error, requests.exceptions.ReadTimeout | ReadTimeoutError) or isinstance(reason, ReadTimeoutError):
        return Failure(problems.broken(source, url, "stops in the middle for too long"))
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return Failure(problems.unreachable(source, url, "it is no address"), again=False, unsent=True)
    if isinstance(error, requests.exceptions.InvalidHeader):
        return Failure(problems.unreachable(source, url, "a header holds a sign it must not"), again=False, unsent=True)
    return Failure(problems.broken(source, url, "broke off"))


def _is_certificate(error: BaseException) -> bool:
    """Whether a certificate was the reason, rather than a server that speaks no TLS."""
    seen: list[object] = [error]
    for found in seen:
        if isinstance(found, ssl.SSLCertVerificationError):
            return True
        if isinstance(found, BaseException) and len(seen) < 20:
            seen += [*found.args, getattr(found, "reason", None), found.__context__]
    return False


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

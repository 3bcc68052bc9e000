"""What a request is once it was read whole, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        method: In capitals.
        path: Decoded, without the query.
        query: First value of each parameter.
        headers: Name in small letters → value; of one that came twice the first.
        body: As it was sent, perhaps compressed.
        peer: Address it came from.
        raw_query: The query as it was sent.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    peer: str = ""
    raw_query: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered; nothing that was sent ever stands in it but an origin that is on the list.

    Attributes:
        status: Of HTTP.
        body: Fixed bytes.
        media: Type of the body.
        extra: Further headers.
        reason: Why, in one word, for the count of refusals; empty for what was accepted.
    """

    status: int
    body: bytes = b""
    media: str = "application/json"
    extra: tuple[tuple[str, str], ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A line that has to be durable before `answer` goes out.

    Attributes:
        line: For the file.
        answer: What is said then.
        source: For the counts.
        key: Likewise.
        seen: Of signed requests: by what it is known again once it is durable.
    """

    line: bytes
    answer: Answer
    source: str
    key: str
    seen: str | None = None


@dataclass(frozen=True, slots=True)
class Repeated:
    """A signed request that was accepted before.

    Attributes:
        answer: The same as then.
        source: For the counts.
    """

    answer: Answer
    source: str


class RefusedRequest(Exception):  # noqa: N818 - the word for it
    """A request that is not accepted; carries the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


_WORDS = {
    400: "bad request", 401: "unauthorized", 403: "forbidden", 404: "not found", 405: "method not allowed",
    408: "request timeout", 413: "payload too large", 414: "uri too long", 415: "unsupported media type",
    429: "too many requests", 431: "header fields too large", 500: "internal server error", 503: "service unavailable",
}  # fmt: skip


def refusal(status: int, reason: str, *extra: tuple[str, str]) -> Answer:
    """The answer to a request that is not accepted: a fixed sentence, since details would help only attackers."""
    word = _WORDS[status]
    return Answer(status, b'{"success":false,"message":"%b"}' % word.encode(), extra=extra, reason=reason)


def refuse(status: int, reason: str, *extra: tuple[str, str]) -> RefusedRequest:
    """The exception for it."""
    return RefusedRequest(refusal(status, reason, *extra))

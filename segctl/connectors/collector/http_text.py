"""Requests from their parts, and the bytes of answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote

import httptools

from segctl.connectors.collector.requests import Answer, Request

_PHRASES = {200: "OK", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
            405: "Method Not Allowed", 408: "Request Timeout", 413: "Content Too Large", 414: "URI Too Long",
            415: "Unsupported Media Type", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
            500: "Internal Server Error", 503: "Service Unavailable"}  # fmt: skip


def request_of(method: str, target: bytes, headers: dict[str, str], body: bytes, peer: str) -> Request:
    """A request of what was read.

    Raises:
        ValueError: The address is none.
    """
    url: Any = httptools.parse_url(target)
    path = unquote((url.path or b"/").decode("ascii"), errors="strict")
    raw_query = (url.query or b"").decode("ascii")
    query = dict(parse_qsl(raw_query, max_num_fields=200)) if raw_query and method == "POST" else {}
    return Request(method, path, query, headers, body, peer, raw_query)


def rendered(answer: Answer, origin: str | None = None, *, is_last: bool = False) -> bytes:
    """The bytes of an answer.

    Args:
        answer: What to say.
        origin: Page that may read it, as it stands on the list; ``*`` for every page.
        is_last: The connection ends with it.
    """
    lines = [f"HTTP/1.1 {answer.status} {_PHRASES[answer.status]}"]
    if answer.status != 204:
        lines += [f"content-type: {answer.media}", f"content-length: {len(answer.body)}"]
        lines.append("x-content-type-options: nosniff")
    lines += [f"{name}: {value}" for name, value in answer.extra]
    if origin is not None:
        lines += [f"access-control-allow-origin: {origin}", "vary: origin"]
        if origin != "*":
            # Snowplow's library for browsers asks with credentials, although nothing here sets a cookie.
            lines.append("access-control-allow-credentials: true")
    if is_last:
        lines.append("connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if answer.status == 204 else answer.body)

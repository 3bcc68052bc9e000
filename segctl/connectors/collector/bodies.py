"""The body of a request: inflated, decoded and read, each within limits."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from typing import Any, NoReturn

from segctl.connectors.collector.requests import Request, refuse

MOST_DEPTH = 32
# RudderStack's library for Node says form data when it sends compressed JSON.
_MEDIA = frozenset({"", "application/json", "text/plain", "application/octet-stream",
                    "application/x-www-form-urlencoded"})  # fmt: skip
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)
_GZIP_OR_ZLIB, _BARE = 47, -15
_BOM = b"\xef\xbb\xbf"


def inflated(request: Request, most: int) -> bytes:
    """The body without its compression.

    Raises:
        RefusedRequest: It is larger than `most` bytes, or compressed in a way nobody knows.
    """
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        data = request.body
    elif coding in ("gzip", "x-gzip", "deflate"):
        data = _inflate(request.body, most, is_deflate=coding == "deflate")
    else:
        raise refuse(415, "encoding")
    if len(data) > most:
        raise refuse(413, "size")
    return data


def _inflate(data: bytes, most: int, *, is_deflate: bool) -> bytes:
    try:
        return _whole(zlib.decompressobj(_GZIP_OR_ZLIB), data, most)
    except zlib.error:
        if not is_deflate:
            raise refuse(400, "gzip") from None
    try:
        # Some clients call the bare stream `deflate`.
        return _whole(zlib.decompressobj(_BARE), data, most)
    except zlib.error:
        raise refuse(400, "gzip") from None


def _whole(stream: Any, data: bytes, most: int) -> bytes:  # noqa: ANN401 - zlib's type has no name
    found: bytes = stream.decompress(data, most + 1)
    if len(found) > most:
        raise refuse(413, "size")
    if not stream.eof or stream.unused_data:
        raise refuse(400, "gzip")
    return found


def checked_media(headers: Mapping[str, str]) -> None:
    """Does nothing for a body that may be JSON in UTF-8.

    Raises:
        RefusedRequest: The request says that it is something else.
    """
    said = headers.get("content-type", "")
    if said.partition(";")[0].strip().lower() not in _MEDIA:
        raise refuse(415, "media")
    charset = _CHARSET.search(said)
    if charset is not None and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise refuse(415, "charset")


def read_json(data: bytes) -> tuple[Any, bytes]:
    """The value, and its text as it can stand in a line.

    Raises:
        RefusedRequest: Not UTF-8, not JSON, or deeper than `MOST_DEPTH`.
    """
    data = data.removeprefix(_BOM).strip()
    try:
        value = _decode(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise refuse(400, "json") from None
    if data.count(b"{") + data.count(b"[") > MOST_DEPTH and _depth(value) > MOST_DEPTH:
        raise refuse(400, "depth")
    return value, data


def _no_constant(text: str) -> NoReturn:
    raise ValueError(text)


_decode = json.JSONDecoder(parse_constant=_no_constant).decode


def _depth(value: Any) -> int:  # noqa: ANN401 - a JSON value
    """How deep lists and objects stand in one another, counted no further than needed."""
    level, depth = [value], 0
    while level and depth <= MOST_DEPTH:
        nested = [of for of in level if isinstance(of, dict | list)]
        depth += bool(nested)
        level = [inner for of in nested for inner in (of.values() if isinstance(of, dict) else of)]
        if not nested:
            break
    return depth

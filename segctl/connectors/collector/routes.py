"""Which path means what: the protocol, and what kind of message comes there."""

from __future__ import annotations

from segctl.connectors.collector.requests import Answer
from segctl.model.dataclass import dataclass

PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
_NO_STORE = ("cache-control", "no-store")
OK = Answer(200, b'{"success":true}')
_EMPTY = Answer(204)
_WORD = Answer(200, b"ok", "text/plain")
_GIF = Answer(200, PIXEL, "image/gif", (_NO_STORE,))


@dataclass(frozen=True, slots=True)
class Route:
    """What a path takes.

    Attributes:
        protocol: Of `model.fetching_collector.PROTOCOLS`.
        answer: To what was accepted.
        kind: Type of message, when the path says it.
        methods: Taken.
    """

    protocol: str
    answer: Answer
    kind: str | None = None
    methods: tuple[str, ...] = ("POST",)


_TYPES = ("track", "identify", "page", "screen", "group", "alias")
_SHORT = {"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias"}
_SNOWPLOW = "/com.snowplowanalytics.snowplow/tp2"

ROUTES: dict[str, Route] = {
    **{f"/v1/{kind}": Route("segment", OK, kind) for kind in _TYPES},
    # The library for browsers writes short names.
    **{f"/v1/{short}": Route("segment", OK, kind) for short, kind in _SHORT.items()},
    **{f"/v1/{name}": Route("segment", OK) for name in ("batch", "import", "b")},
    "/mp/collect": Route("ga4_mp", _EMPTY),
    _SNOWPLOW: Route("snowplow", _WORD),
    "/i": Route("snowplow", _GIF, methods=("GET",)),
    "/gtm": Route("gtm", OK),
    "/event": Route("tealium", _EMPTY),
    "/bulk-event": Route("tealium", _EMPTY),
    "/tealium": Route("tealium", OK),
}
"""Path → what it takes. Of other protocols the path names the source: `IN` and `HOOKS`."""
IN = "/in/"
HOOKS = "/hooks/"

"""Binding of `rest:`, the settings of a REST source."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any, cast

from segctl.compile.fetching import plain
from segctl.compile.fetching_auth import bind_auth, bind_texts, checked_url, filled
from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.compile.source_nodes import Reader
from segctl.compile.source_rules import Surroundings
from segctl.model.fetching_rest import (
    Cursor,
    CursorFormat,
    Limits,
    Method,
    Pages,
    RestFetch,
    Style,
    Where,
)

REST_KEYS = (
    "base_url", "path", "method", "with", "auth", "params", "headers", "body", "repeatable", "records", "error",
    "pages", "cursor", "limits", "ca_bundle", "allow_http",
)  # fmt: skip
PAGES_KEYS = ("style", "param", "path", "last", "more", "size", "size_param", "first", "total", "in")
CURSOR_KEYS = ("field", "param", "format", "template", "overlap", "in")
LIMITS_KEYS = ("requests", "per", "retries", "longest_wait", "connect", "read", "page", "page_mb", "pages")
STYLES: tuple[Style, ...] = ("none", "link", "next_url", "cursor", "page", "offset")
FORMATS: tuple[CursorFormat, ...] = ("iso", "date", "epoch_s", "epoch_ms", "number", "text")
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*(ms|s|min|h|d|days?|hours?|minutes?|seconds?)?\Z")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def bind_rest(block: Mapping | None, root: Mapping, around: Surroundings) -> RestFetch | None:
    """The declaration of a REST source; None when it cannot be used at all."""
    reader = around.reader
    if block is None:
        reader.error("SEG300", root, "a source of kind `rest` has the key `rest`", hint="say `preset:`, or `rest:`")
        return None
    reader.mapping(block, "`rest`", REST_KEYS)
    words = _words(block.get("with"), reader)
    base_url = _url(block.get("base_url"), words, block, reader)
    if base_url is None:
        return None
    body = block.get("body")
    fetch = RestFetch(
        base_url=base_url,
        path=filled(block.get("path"), "`path`", words, reader) or "",
        method=cast("Method", reader.choice(block.get("method"), "`method`", ("GET", "POST"), "GET")),
        auth=bind_auth(block.get("auth"), words, reader),
        params=bind_texts(block.get("params"), "`params`", words, reader),
        headers=bind_texts(block.get("headers"), "`headers`", words, reader),
        body=None if body is None else json.dumps(_values(body)),
        repeatable=bool(reader.truth(block.get("repeatable"), "`repeatable`")),
        records=reader.text(block.get("records"), "`records`") or "",
        error=reader.text(block.get("error"), "`error`") or "",
        pages=_pages(block.get("pages"), reader),
        cursor=_cursor(block.get("cursor"), words, reader),
        limits=_limits(block.get("limits"), reader),
        ca_bundle=reader.text(block.get("ca_bundle"), "`ca_bundle`"),
    )
    _check_whole(fetch, block, root, reader)
    return fetch


def _words(node: Node | None, reader: Reader) -> dict[str, str]:
    """The words for ``{names}``; they become parts of host names and paths, so nothing else may hide in them."""
    found = {}
    for key, value in reader.named(node, "`with`"):
        text = reader.text(value, f"`{key.text}`")
        if text is None:
            continue
        if not _SAFE.match(text):
            hint = "letters, digits, `.`, `_` and `-` only: it becomes a part of the address"
            reader.error("SEG304", value, f"`{text}` is no word for `{key.text}`", hint=hint)
            continue
        found[key.text] = text
    return found


def _url(node: Node | None, words: dict[str, str], block: Mapping, reader: Reader) -> str | None:
    if node is None:
        hint = "write `base_url: https://api.example.com/v1`"
        reader.error("SEG300", block, "the source has no `base_url`", hint=hint)
        return None
    text = filled(node, "`base_url`", words, reader)
    return None if text is None else checked_url(text, node, reader, plain_http=_allows_http(block, reader))


def _allows_http(block: Mapping, reader: Reader) -> bool:
    return bool(reader.truth(block.get("allow_http"), "`allow_http`"))


def _pages(node: Node | None, reader: Reader) -> Pages:
    if isinstance(node, Scalar):
        return Pages(cast("Style", reader.choice(node, "`pages`", ("none", "link"), "none")))
    found = reader.mapping(node, "`pages`", PAGES_KEYS)
    if found is None:
        return Pages()

    def text(name: str) -> str:
        return reader.text(found.get(name), f"`{name}`") or ""

    first = reader.whole(found.get("first"), "`first`")
    pages = Pages(
        cast("Style", reader.choice(found.get("style"), "`style`", STYLES, "none")),
        text("param"), text("path"), text("last"), text("more"),
        reader.whole(found.get("size"), "`size`"),
        text("size_param"),
        1 if first is None else first,
        text("total"),
        _where(found, reader),
    )  # fmt: skip
    _check_pages(pages, found, reader)
    return pages


def _where(node: Mapping, reader: Reader) -> Where:
    return cast("Where", reader.choice(node.get("in"), "`in`", ("query", "body"), "query"))


def _check_pages(pages: Pages, node: Mapping, reader: Reader) -> None:
    wants = {"cursor": ("param",), "page": ("param",), "offset": ("param",), "next_url": ("path",)}
    for name in wants.get(pages.style, ()):
        if not getattr(pages, name):
            reader.error("SEG300", node, f"pages by `{pages.style}` need `{name}`")
    if pages.style == "cursor" and bool(pages.path) == bool(pages.last):
        hint = "`path` where the answer holds the next cursor, or `last`, a field of the last record"
        reader.error("SEG300", node, "pages by `cursor` need either `path` or `last`", hint=hint)
    if pages.size is not None and not pages.size:
        reader.error("SEG304", node, "a page has at least one record")


def _cursor(node: Node | None, words: dict[str, str], reader: Reader) -> Cursor | None:
    if node is None or (isinstance(node, Scalar) and node.text == "none"):
        return None
    found = reader.mapping(node, "`cursor`", CURSOR_KEYS)
    if found is None:
        return None
    field, param = reader.text(found.get("field"), "`field`"), reader.text(found.get("param"), "`param`")
    if field is None or param is None:
        reader.error("SEG300", node, "`cursor` needs `field`, in the records, and `param`, in the request")
        return None
    cursor = Cursor(
        field,
        param,
        cast("CursorFormat", reader.choice(found.get("format"), "`format`", FORMATS, "iso")),
        filled(found.get("template"), "`template`", words, reader) or "{cursor}",
        where=_where(found, reader),
    )
    if "{cursor}" not in cursor.template:
        reader.error("SEG300", cast("Node", found.get("template")), "`template` lacks `{cursor}`")
    overlap = bind_span(found.get("overlap"), "`overlap`", reader)
    return cursor if overlap is None else replace(cursor, overlap_s=overlap)


def _limits(node: Node | None, reader: Reader) -> Limits:
    found = reader.mapping(node, "`limits`", LIMITS_KEYS)
    if found is None:
        return Limits()
    wholes = {"requests": "requests", "retries": "retries", "pages": "pages"}
    spans = {"per": "per_s", "longest_wait": "longest_wait_s", "connect": "connect_s", "read": "read_s",
             "page": "page_s"}  # fmt: skip
    given: dict[str, Any] = {}
    for name, field in wholes.items():
        given[field] = reader.whole(found.get(name), f"`{name}`")
    for name, field in spans.items():
        given[field] = bind_span(found.get(name), f"`{name}`", reader)
    megabytes = reader.whole(found.get("page_mb"), "`page_mb`")
    given["page_bytes"] = None if megabytes is None else megabytes * 1024 * 1024
    for name in ("requests", "per", "connect", "read", "page", "page_mb", "pages"):
        at = found.get(name)
        if isinstance(at, Scalar) and at.text.strip() in ("0", "0 s"):
            reader.error("SEG304", at, f"`{name}` is more than 0")
            return Limits()
    return replace(Limits(), **{name: value for name, value in given.items() if value is not None})


def bind_span(node: Node | None, what: str, reader: Reader) -> float | None:
    """Seconds: ``30 s``, ``5 min``, ``1 h``; a bare number is seconds."""
    text = reader.text(node, what)
    if text is None or node is None:
        return None
    match = _SPAN.match(text.strip())
    if match is None:
        reader.error("SEG304", node, f"`{text}` is no span for {what}", hint="write `30 s`, `5 min` or `1 h`")
        return None
    unit = match[2] or "s"
    return float(match[1]) * (_UNITS["ms"] if unit == "ms" else _UNITS[unit[0]])


def _values(node: Node) -> Any:  # noqa: ANN401 - a JSON value
    """The values of a body: plain words of YAML 1.2 mean numbers and truth values, as JSON wants them."""
    if isinstance(node, Scalar) and node.is_plain and not node.is_null:
        try:
            return json.loads(node.text)
        except ValueError:
            return node.text
    if isinstance(node, ListNode):
        return [_values(item) for item in node.items]
    if isinstance(node, Mapping):
        return {key.text: _values(value) for key, value in node.entries}
    return plain(node)


def _check_whole(fetch: RestFetch, block: Mapping, root: Mapping, reader: Reader) -> None:
    in_body = fetch.pages.where == "body" or (fetch.cursor is not None and fetch.cursor.where == "body")
    if fetch.method == "GET" and (fetch.body is not None or in_body):
        reader.error("SEG303", block.get("body") or block, "a GET has no body", hint="write `method: POST`")
    events = root.get("events")
    if isinstance(events, ListNode):
        for rule in events.items:
            if isinstance(rule, Mapping) and rule.get("id") is None:
                hint = "name the field that identifies an event: `id: id`"
                reader.error("SEG303", rule, "events from an API need an `id`: its pages can come twice", hint=hint)

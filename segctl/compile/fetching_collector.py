"""Binding of `collector:`, the settings of a source that others send to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from segctl.compile.fetching_rest import bind_span
from segctl.compile.fetching_secrets import bind_secret
from segctl.compile.source import ListNode, Mapping, Node
from segctl.compile.source_nodes import NAME, Reader
from segctl.model.fetching_collector import ADDRESSES, DAYS_90_S, HOOKS, PROTOCOLS, TRACKING, CollectorFetch

if TYPE_CHECKING:
    from segctl.compile.source_rules import Surroundings
    from segctl.model.secrets import Secret

COLLECTOR_KEYS = (
    "accepts", "keys", "secret", "open", "origins", "rate", "max_kb", "max_batch", "tolerance", "remember", "ip", "url",
    "topics", "id",
)  # fmt: skip
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?\Z")
_MOST_KB = 10_000


def bind_collector(block: Mapping | None, root: Mapping, around: Surroundings) -> CollectorFetch | None:
    """The declaration of what may be sent; None when nobody could send."""
    reader = around.reader
    found = reader.mapping(block, "`collector`", COLLECTOR_KEYS)
    get = _nothing if found is None else found.get
    accepts = _protocol(get("accepts"), root, reader)
    if accepts is None:
        return None
    plain = _plain(accepts)
    fetch = CollectorFetch(
        accepts,
        keys=_keys(get("keys"), accepts, reader),
        secrets=_secrets(get("secret"), accepts, found or root, reader),
        is_open=bool(reader.truth(get("open"), "`open`")),
        origins=_origins(get("origins"), reader),
        rate=_number(get("rate"), "`rate`", 1_000_000, reader) or plain.rate,
        most_bytes=(_number(get("max_kb"), "`max_kb`", _MOST_KB, reader) or plain.most_bytes // 1000) * 1000,
        most_messages=_number(get("max_batch"), "`max_batch`", 100_000, reader) or plain.most_messages,
        tolerance_s=bind_span(get("tolerance"), "`tolerance`", reader) or plain.tolerance_s,
        remember_s=bind_span(get("remember"), "`remember`", reader) or plain.remember_s,
        address=reader.choice(get("ip"), "`ip`", ADDRESSES, ADDRESSES[0]),
        url=_url(get("url"), accepts, found or root, reader),
        topics=_topics(get("topics"), accepts, reader),
        id=reader.text(get("id"), "`id`"),
    )
    _check_memory(fetch, get("remember") or get("tolerance"), reader)
    if fetch.is_open and (fetch.keys or accepts in HOOKS):
        place = get("open") or root
        hint = "delete `open`" if accepts in HOOKS else "keep the keys, or `open`"
        reader.error("SEG642", place, "`open` takes what anybody sends, so keys and signatures mean nothing", hint=hint)
    return fetch


def _plain(accepts: str) -> CollectorFetch:
    return CollectorFetch(accepts, remember_s=DAYS_90_S) if accepts == "shopify" else CollectorFetch(accepts)


def _check_memory(fetch: CollectorFetch, place: Node | None, reader: Reader) -> None:
    """A signed time may be early or late by the tolerance, so that a signature is right for twice as long."""
    if place is not None and fetch.remember_s < 2 * fetch.tolerance_s:
        hint = "`remember` is at least twice `tolerance`; without either it is 2 days and 5 minutes"
        message = "a signed request is forgotten while its signature is still right, so it would be taken again"
        reader.error("SEG642", place, message, hint=hint)


def _topics(node: Node | None, accepts: str, reader: Reader) -> tuple[str, ...]:
    if node is not None and accepts != "shopify":
        reader.error("SEG642", node, f"`{accepts}` signs what its requests are about", hint="delete `topics`")
        return ()
    return reader.texts(node, "`topics`")


def _nothing(name: str) -> Node | None:  # noqa: ARG001 - the same shape as a mapping's `get`
    return None


def _protocol(node: Node | None, root: Mapping, reader: Reader) -> str | None:
    """What is accepted: as declared, else what `tracking` says, else JSON."""
    shape = reader.text(root.get("tracking"), "`tracking`")
    if shape is not None and shape not in TRACKING:
        hint = f"libraries send {', '.join(f'`{name}`' for name in TRACKING)}; files have the other shapes"
        reader.error("SEG642", root.get("tracking") or root, f"nothing sends records of `{shape}`", hint=hint)
        return None
    accepts = reader.choice(node, "`accepts`", PROTOCOLS, shape or "json")
    if shape is not None and node is not None and accepts not in (shape, "json"):
        hint = f"delete `accepts`, or write `accepts: {shape}`"
        message = f"`accepts: {accepts}` gives no records of `tracking: {shape}`"
        reader.error("SEG642", node, message, hint=hint)
    return accepts


def _keys(node: Node | None, accepts: str, reader: Reader) -> tuple[tuple[str, Secret], ...]:
    if node is not None and accepts in HOOKS:
        reader.error("SEG642", node, f"`{accepts}` signs what it sends, so it needs no write key", hint="delete `keys`")
        return ()
    found = []
    for name, value in reader.named(node, "`keys`"):
        if not NAME.match(name.text):
            hint = "names are small letters, digits and `_`, and start with a letter"
            reader.error("SEG305", name, f"`{name.text}` is no name for a write key", hint=hint)
        secret = bind_secret(value, f"the write key `{name.text}`", reader)
        if secret is not None:
            found.append((name.text, secret))
    return tuple(found)


def _secrets(node: Node | None, accepts: str, around: Mapping, reader: Reader) -> tuple[Secret, ...]:
    if accepts not in HOOKS:
        if node is not None:
            reader.error("SEG642", node, f"`{accepts}` signs nothing; `secret` is for webhooks", hint="write `keys:`")
        return ()
    nodes = node.items if isinstance(node, ListNode) else [node]
    bound = [bind_secret(item, "`secret`", reader, around=around) for item in nodes]
    return tuple(secret for secret in bound if secret is not None)


def _origins(node: Node | None, reader: Reader) -> tuple[str, ...]:
    found = reader.texts(node, "`origins`")
    for origin in found:
        if node is not None and origin != "*" and not _ORIGIN.match(origin):
            hint = "scheme and host alone: `https://shop.example`"
            reader.error("SEG304", node, f"`{origin}` is no origin of a web page", hint=hint)
    return tuple(origin.lower() for origin in found)


def _number(node: Node | None, what: str, most: int, reader: Reader) -> int | None:
    number = reader.whole(node, what)
    if number is not None and node is not None and not 1 <= number <= most:
        reader.error("SEG304", node, f"{what} must be from 1 to {most:,}, not {number:,}")
        return None
    return number


def _url(node: Node | None, accepts: str, around: Node, reader: Reader) -> str | None:
    text = reader.text(node, "`url`")
    if accepts != "hubspot":
        if node is not None:
            reader.error("SEG642", node, "`url` is for HubSpot, which signs it", hint="delete it")
        return None
    hint = "write the target URL as it is entered in HubSpot: `url: https://t.shop.example/hooks/crm`"
    if text is None:
        if node is None:
            reader.error("SEG300", around, "HubSpot signs the address it calls, so `url` is needed", hint=hint)
        return None
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        reader.error("SEG304", node or around, f"`{text}` is no URL", hint=hint)
    return text

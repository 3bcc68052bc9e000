"""Binding of who asks (`auth:`), and of addresses and texts with ``{words}`` inside."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

from segctl.compile.fetching_secrets import bind_secret, bind_text, refuse_written
from segctl.compile.source import ListNode, Node, Scalar
from segctl.compile.source_nodes import Reader
from segctl.model.fetching_rest import ApiKey, Auth, Basic, Bearer, ClientCredentials
from segctl.model.secrets import Text

AUTH_KEYS = ("bearer", "basic", "api_key", "oauth2")
OAUTH_KEYS = ("token_url", "client_id", "client_secret", "refresh_token", "scope", "params", "send")
_NAMED = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def checked_url(text: str, node: Node, reader: Reader, *, plain_http: bool = False) -> str | None:
    """The address, if credentials may be sent there."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("https", "http") or not host:
        hint = "write it with scheme and host: `https://api.example.com`"
        reader.error("SEG304", node, f"`{text}` is no address of a service", hint=hint)
        return None
    if parts.username is not None or parts.password is not None:
        refuse_written(node, text, "user and password in an address", reader)
        return None
    if parts.scheme == "http" and host not in _LOOPBACK and not plain_http:
        hint = "write `https://`; inside a network that you trust `allow_http: true` lifts this"
        reader.error("SEG370", node, "`http://` would send credentials and people's data in the clear", hint=hint)
        return None
    return text.rstrip("/")


def filled(node: Node | None, what: str, words: dict[str, str], reader: Reader) -> str | None:
    """A text with its words filled in; a word that lacks is noted."""
    text = reader.text(node, what)
    if text is None or node is None:
        return None
    lacking = [name for name in _NAMED.findall(text) if name not in words and name != "cursor"]
    if lacking:
        name = lacking[0]
        reader.error("SEG300", node, f"{what} needs a word for `{name}`", hint=f"add `rest: {{with: {{{name}: …}}}}`")
    return _NAMED.sub(lambda found: words.get(found[1], found[0]), text)


def bind_texts(node: Node | None, what: str, words: dict[str, str], reader: Reader) -> tuple[tuple[str, Text], ...]:
    """Names with their texts or secrets; a list gives its name several times."""
    found: list[tuple[str, Text]] = []
    for key, value in reader.named(node, what):
        for one in value.items if isinstance(value, ListNode) else (value,):
            if isinstance(one, Scalar):
                text = filled(one, f"`{key.text}`", words, reader)
                if text is not None:
                    found.append((key.text, text))
            else:
                secret = bind_secret(one, f"`{key.text}`", reader)
                if secret is not None:
                    found.append((key.text, secret))
    return tuple(found)


def bind_auth(node: Node | None, words: dict[str, str], reader: Reader) -> Auth | None:
    """The credentials; None for none, and when they are wrong."""
    if node is None or (isinstance(node, Scalar) and node.text == "none"):
        return None
    found = reader.mapping(node, "`auth`", AUTH_KEYS)
    if found is None or len(found.entries) != 1:
        if found is not None:
            reader.error("SEG300", node, f"`auth` is one of {', '.join(AUTH_KEYS)}")
        return None
    key, value = found.entries[0]
    binders: dict[str, Callable[[Node, dict[str, str], Reader], Auth | None]] = {
        "bearer": _bearer, "basic": _basic, "api_key": _api_key, "oauth2": _oauth,
    }  # fmt: skip
    binder = binders.get(key.text)
    return None if binder is None else binder(value, words, reader)


def _bearer(node: Node, _: dict[str, str], reader: Reader) -> Auth | None:
    token = bind_secret(node, "`bearer`", reader)
    return None if token is None else Bearer(token)


def _basic(node: Node, _: dict[str, str], reader: Reader) -> Auth | None:
    found = reader.mapping(node, "`basic`", ("user", "password"))
    if found is None:
        return None
    user = bind_text(found.get("user"), "`user`", reader)
    password = found.get("password")
    # Stripe and others take the key as user with an empty password.
    empty = password is None or (isinstance(password, Scalar) and password.text == "")
    secret: Text | None = "" if empty else bind_secret(password, "`password`", reader)
    if isinstance(user, str) and user and secret == "":
        refuse_written(cast("Node", found.get("user")), user, "a user without a password is a key", reader)
        return None
    return None if user is None or secret is None else Basic(user, secret)


def _api_key(node: Node, _: dict[str, str], reader: Reader) -> Auth | None:
    found = reader.mapping(node, "`api_key`", ("header", "query", "value", "prefix"))
    if found is None:
        return None
    header, query = found.get("header"), found.get("query")
    if (header is None) == (query is None):
        reader.error("SEG300", node, "say either `header` or `query`")
        return None
    name = reader.text(header or query, "`header`" if header else "`query`")
    value = bind_secret(found.get("value"), "`value`", reader, around=node)
    prefix = reader.text(found.get("prefix"), "`prefix`") or ""
    if name is None or value is None:
        return None
    return ApiKey("header" if header else "query", name, value, prefix)


def _oauth(node: Node, words: dict[str, str], reader: Reader) -> Auth | None:
    found = reader.mapping(node, "`oauth2`", OAUTH_KEYS)
    if found is None:
        return None
    url_node = found.get("token_url")
    text = filled(url_node, "`token_url`", words, reader)
    if text is None or url_node is None:
        reader.error("SEG300", node, "`oauth2` needs a `token_url`")
        return None
    url = checked_url(text, url_node, reader)
    client_id = bind_text(found.get("client_id"), "`client_id`", reader)
    client_secret = bind_secret(found.get("client_secret"), "`client_secret`", reader, around=node)
    refresh = found.get("refresh_token")
    if url is None or client_id is None or client_secret is None:
        if client_id is None and found.get("client_id") is None:
            reader.error("SEG300", node, "`oauth2` needs a `client_id`")
        return None
    return ClientCredentials(
        url,
        client_id,
        client_secret,
        None if refresh is None else bind_secret(refresh, "`refresh_token`", reader),
        reader.text(found.get("scope"), "`scope`"),
        bind_texts(found.get("params"), "`params`", words, reader),
        "basic" if reader.choice(found.get("send"), "`send`", ("body", "basic"), "body") == "basic" else "body",
    )

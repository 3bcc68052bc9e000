"""Binding of `singer:`, the settings of a source behind a Singer tap."""

from __future__ import annotations

import json
import shlex
from typing import Any

from segctl.compile.fetching_rest import bind_span
from segctl.compile.fetching_secrets import FORMS, bind_secret
from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.compile.source_nodes import Reader
from segctl.compile.source_rules import Surroundings
from segctl.model.fetching_singer import IDLE_S, SingerFetch
from segctl.model.secrets import Secret

SINGER_KEYS = ("command", "stream", "config", "catalog", "idle")


def bind_singer(block: Mapping | None, root: Mapping, around: Surroundings) -> SingerFetch | None:
    """The declaration of a tap; None when it cannot be run."""
    reader = around.reader
    if block is None:
        hint = "write `singer: {command: tap-name, stream: users, config: {…}}`"
        reader.error("SEG300", root, "a source of kind `singer` has the key `singer`", hint=hint)
        return None
    reader.mapping(block, "`singer`", SINGER_KEYS)
    command, stream = _command(block, reader), reader.text(block.get("stream"), "`stream`")
    if stream is None and block.get("stream") is None:
        hint = "`segctl doctor --online` shows the streams of a tap; take one for each source"
        reader.error("SEG300", block, "`singer` needs a `stream`", hint=hint)
    secrets: list[tuple[str, Secret]] = []
    config = block.get("config")
    settings: Any = {}
    if config is not None and reader.mapping(config, "`config`", _own_keys(config)) is not None:
        settings = _settings(config, "", secrets, reader)
    idle = bind_span(block.get("idle"), "`idle`", reader)
    if not command or stream is None:
        return None
    return SingerFetch(
        command,
        stream,
        json.dumps(settings, ensure_ascii=False, sort_keys=True),
        tuple(secrets),
        reader.text(block.get("catalog"), "`catalog`"),
        idle or IDLE_S,
    )


def _own_keys(node: Node) -> tuple[str, ...]:
    # The tap alone knows its settings.
    return tuple(key.text for key, _ in node.entries) if isinstance(node, Mapping) else ()


def _command(block: Mapping, reader: Reader) -> tuple[str, ...]:
    node = block.get("command")
    if node is None:
        reader.error("SEG300", block, "`singer` needs a `command`", hint="the program of the tap: `command: tap-name`")
        return ()
    if isinstance(node, ListNode):
        return reader.texts(node, "`command`")
    text = reader.text(node, "`command`") or ""
    try:
        return tuple(shlex.split(text))
    except ValueError:
        reader.error("SEG304", node, f"`{text}` is no command: a quote stands open")
        return ()


def _settings(node: Node, path: str, secrets: list[tuple[str, Secret]], reader: Reader) -> Any:  # noqa: ANN401 - JSON
    """Values as the tap reads them; secrets are left out and noted with their place."""
    if isinstance(node, Scalar):
        if node.is_null or not node.is_plain:
            return None if node.is_null else node.text
        try:
            return json.loads(node.text)
        except ValueError:
            return node.text
    if isinstance(node, ListNode):
        return [_settings(item, f"{path}.{n}".lstrip("."), secrets, reader) for n, item in enumerate(node.items)]
    keys = [key.text for key, _ in node.entries]
    if len(keys) == 1 and keys[0] in FORMS and path:
        secret = bind_secret(node, f"`{path}`", reader)
        if secret is not None:
            secrets.append((path, secret))
        return None
    return {
        key.text: _settings(value, f"{path}.{key.text}".lstrip("."), secrets, reader) for key, value in node.entries
    }

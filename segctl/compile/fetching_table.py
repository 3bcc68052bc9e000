"""Binding of `table:`, the settings of a table that is read in place."""

from __future__ import annotations

import re
from typing import cast

from segctl.compile.fetching_secrets import bind_text, refuse_written
from segctl.compile.source import Mapping, Node, Scalar
from segctl.compile.source_nodes import Reader
from segctl.compile.source_rules import Surroundings
from segctl.model.fetching_table import TableFetch, TableFormat
from segctl.model.secrets import Text

TABLE_KEYS = ("format", "path", "version", "snapshot", "catalog", "table", "options")
FORMATS = ("delta", "iceberg", "parquet")
_SECRET = re.compile(r"secret|password|passwd|token|credential|access_?key\b|account_?key|sas", re.IGNORECASE)
_HARMLESS = re.compile(r"key_?id|uri|url|path|file|endpoint", re.IGNORECASE)
_PASSWORD = re.compile(r"://[^/@?]*:[^/@?]+@|[?&]password=")


def bind_table(block: Mapping | None, root: Mapping, around: Surroundings) -> TableFetch | None:
    """The declaration of a table; None when it cannot be used."""
    reader = around.reader
    if block is None:
        hint = "write `table: {format: delta, path: lake/orders}`"
        reader.error("SEG300", root, "a source of kind `table` has the key `table`", hint=hint)
        return None
    reader.mapping(block, "`table`", TABLE_KEYS)
    if block.get("format") is None:
        reader.error("SEG300", block, "`table` needs a `format`", hint=f"one of {', '.join(FORMATS)}")
        return None
    if root.get("tracking") is not None:
        place = root.key("tracking") or root
        reader.error("SEG303", place, "`tracking` reads records of files, not tables")
    found = TableFetch(
        cast("TableFormat", reader.choice(block.get("format"), "`format`", FORMATS, "delta")),
        reader.text(block.get("path"), "`path`") or "",
        _version(block, reader),
        _settings(block.get("catalog"), "`catalog`", reader),
        reader.text(block.get("table"), "`table`") or "",
        _settings(block.get("options"), "`options`", reader),
    )
    return found if _is_whole(found, block, reader) else None


def _version(block: Mapping, reader: Reader) -> int | None:
    key = block.key("snapshot") or block.key("version")
    if key is None:
        return None
    if block.get("snapshot") is not None and block.get("version") is not None:
        reader.error("SEG303", key, "`version` and `snapshot` say the same", hint="delete one of them")
    node = block.get(key.text)
    text = reader.text(node, f"`{key.text}`")
    if text is None or node is None:
        return None
    # Ids of Iceberg snapshots have up to 19 digits.
    if not text.isascii() or not text.isdigit() or int(text[:20]) >= 2**63:
        reader.error("SEG304", node, f"`{key.text}` must be a whole number, not `{text}`")
        return None
    return int(text)


def _settings(node: Node | None, what: str, reader: Reader) -> tuple[tuple[str, Text], ...]:
    if node is not None and not isinstance(node, Mapping):
        reader.error("SEG300", node, f"{what} must be keys with values")
        return ()
    found: list[tuple[str, Text]] = []
    for key, value in () if node is None else node.entries:
        text = bind_text(value, f"`{key.text}`", reader)
        if isinstance(text, str) and isinstance(value, Scalar) and _is_secret(key.text, text):
            refuse_written(value, text, f"`{key.text}`", reader)
        elif text is not None:
            found.append((key.text, text))
    return tuple(found)


def _is_secret(name: str, text: str) -> bool:
    named = _SECRET.search(name) is not None and _HARMLESS.search(name) is None
    return (named and text.lower() not in ("true", "false")) or _PASSWORD.search(text) is not None


def _is_whole(found: TableFetch, block: Mapping, reader: Reader) -> bool:
    """Whether the settings fit each other; what does not is noted."""
    before = len(reader.diagnostics)
    for name in ("catalog", "table"):
        key = block.key(name)
        if key is not None and found.format != "iceberg":
            reader.error("SEG303", key, f"`{name}` is for Iceberg tables", hint="name the place by `path`")
    if found.format == "iceberg" and bool(found.table) != bool(found.catalog):
        reader.error("SEG300", block, "an Iceberg table of a catalog needs both `catalog` and `table`")
    elif bool(found.path) == bool(found.table):
        hint = "`path: lake/orders`" + (", or `catalog` and `table`" if found.format == "iceberg" else "")
        reader.error("SEG300", block, "`table` needs one place", hint=f"write {hint}")
    if found.format == "parquet" and found.version is not None:
        place = block.key("version") or block.key("snapshot") or block
        reader.error("SEG303", place, "a folder of Parquet files keeps no versions", hint="delete the line")
    if found.format == "parquet" and "://" in found.path:
        hint = "keep it as a Delta or Iceberg table, or copy it to a disk"
        reader.error("SEG303", block.key("path") or block, "Parquet folders are read from a disk", hint=hint)
    return len(reader.diagnostics) == before

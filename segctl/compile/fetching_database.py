"""Binding of `database:`, the settings of a source in a database."""

from __future__ import annotations

import re
from dataclasses import replace

from segctl.compile.fetching_rest import bind_span
from segctl.compile.fetching_secrets import bind_secret, bind_text, refuse_written
from segctl.compile.source import Mapping, Scalar
from segctl.compile.source_nodes import Reader
from segctl.compile.source_rules import Surroundings
from segctl.model.fetching_database import BATCH_ROWS, DatabaseFetch

DATABASE_KEYS = ("url", "password", "table", "query", "cursor", "overlap", "batch", "timeout")
_URL = re.compile(r"[a-z][a-z0-9_]*(\+[a-z0-9_]+)?://")
_PASSWORD = re.compile(r"://[^/@?]*:[^/@?]+@|[?&]password=")
LARGEST_BATCH = 1_000_000


def bind_database(block: Mapping | None, root: Mapping, around: Surroundings) -> DatabaseFetch | None:
    """The declaration of a database source; None when it cannot be used."""
    reader = around.reader
    if block is None:
        hint = "write `database: {url: {env: DB_URL}, table: sales}`"
        reader.error("SEG300", root, "a source of kind `database` has the key `database`", hint=hint)
        return None
    reader.mapping(block, "`database`", DATABASE_KEYS)
    url = bind_text(block.get("url"), "`url`", reader)
    if url is None:
        if block.get("url") is None:
            reader.error("SEG300", block, "`database` needs a `url`", hint="write `url: postgresql://host/name`")
        return None
    if isinstance(url, str) and not _is_plain(url, block, reader):
        return None
    table, query = (reader.text(block.get(name), f"`{name}`") or "" for name in ("table", "query"))
    if bool(table) == bool(query):
        reader.error("SEG300", block, "`database` needs either `table` or `query`")
        return None
    password, overlap = block.get("password"), bind_span(block.get("overlap"), "`overlap`", reader)
    timeout = bind_span(block.get("timeout"), "`timeout`", reader)
    fetch = DatabaseFetch(
        url,
        None if password is None else bind_secret(password, "`password`", reader),
        table,
        query.strip().rstrip(";"),
        reader.text(block.get("cursor"), "`cursor`"),
        batch=_batch(block, reader),
    )
    return _with_spans(fetch, overlap, timeout)


def _with_spans(fetch: DatabaseFetch, overlap: float | None, timeout: float | None) -> DatabaseFetch:
    if overlap is not None:
        fetch = replace(fetch, overlap_s=overlap)
    return fetch if not timeout else replace(fetch, timeout_s=timeout)


def _batch(block: Mapping, reader: Reader) -> int:
    node = block.get("batch")
    rows = reader.whole(node, "`batch`")
    if rows is None or node is None:
        return BATCH_ROWS
    if not 1 <= rows <= LARGEST_BATCH:
        reader.error("SEG304", node, f"`batch` is from 1 to {LARGEST_BATCH:,} rows")
        return BATCH_ROWS
    return rows


def _is_plain(url: str, block: Mapping, reader: Reader) -> bool:
    node = block.get("url")
    assert node is not None
    if _PASSWORD.search(url):
        refuse_written(node, url, "a password in an address", reader)
        return False
    if isinstance(node, Scalar) and not _URL.match(url):
        hint = "write it as `postgresql://user@host/name` or `sqlite:///data/pos.db`"
        reader.error("SEG304", node, f"`{url}` is no address of a database", hint=hint)
        return False
    return True

"""The smallest writer of MaxMind DB files: a binary tree of networks, a data section, metadata.

By the public description of the format (MaxMind DB File Format Specification 2.0): 24-bit records, IPv6 tree.
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Any

_MARK = b"\xab\xcd\xefMaxMind.com"
_WIDTHS = {"node_count": 6, "build_epoch": 9}
"""Types of whole numbers that are not of 16 bits."""


def write_mmdb(path: Path, networks: dict[str, dict[str, Any]]) -> Path:
    """A file in which each network (``203.0.113.0/24``) leads to its record."""
    tree: list[list[Any]] = [[None, None]]
    for text, record in networks.items():
        _insert(tree, _bits(text), record)
    data, offsets = b"", {}
    for node in tree:
        for leaf in node:
            if isinstance(leaf, dict) and id(leaf) not in offsets:
                offsets[id(leaf)] = len(data)
                data += _encoded(leaf)
    count = len(tree)
    body = b""
    for node in tree:
        for leaf in node:
            number = count if leaf is None else count + 16 + offsets[id(leaf)] if isinstance(leaf, dict) else leaf
            body += number.to_bytes(3, "big")
    meta = {
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1, "record_size": 24,
        "database_type": "Test-City", "description": {"en": "test"}, "ip_version": 6, "languages": ["en"],
        "node_count": count,
    }  # fmt: skip
    path.write_bytes(body + b"\0" * 16 + data + _MARK + _encoded(meta))
    return path


def _bits(text: str) -> str:
    network = ip_network(text)
    value, length = int(network.network_address), network.prefixlen
    # IPv4 stands below ::/96.
    length = length + 96 if isinstance(network, IPv4Network) else length
    return format(value, "0128b")[:length]


def _insert(tree: list[list[Any]], bits: str, record: dict[str, Any]) -> None:
    at = 0
    for bit in bits[:-1]:
        if tree[at][int(bit)] is None:
            tree.append([None, None])
            tree[at][int(bit)] = len(tree) - 1
        at = tree[at][int(bit)]
    tree[at][int(bits[-1])] = record


def _encoded(value: Any, name: str = "") -> bytes:
    if isinstance(value, dict):
        return _head(7, len(value)) + b"".join(_encoded(k) + _encoded(v, k) for k, v in value.items())
    if isinstance(value, list):
        return _head(11, len(value)) + b"".join(_encoded(item) for item in value)
    if isinstance(value, str):
        raw = value.encode()
        return _head(2, len(raw)) + raw
    raw = struct.pack(">Q", value).lstrip(b"\0")
    return _head(_WIDTHS.get(name, 5), len(raw)) + raw


def _head(kind: int, size: int) -> bytes:
    extra = b"" if size < 29 else bytes([size - 29])
    low = min(size, 29)
    return bytes([kind << 5 | low]) + extra if kind < 8 else bytes([low, kind - 7]) + extra

"""Readers of customer files: `expand`, `digest`, `detect`, `read`."""

from __future__ import annotations

from segctl.connectors.files.base import BadRow, Detected, RawBatch, ReadOptions, Reason
from segctl.connectors.files.formats import detect, read
from segctl.connectors.files.paths import STDIN, digest, expand, spool

__all__ = [
    "STDIN",
    "BadRow",
    "Detected",
    "RawBatch",
    "ReadOptions",
    "Reason",
    "detect",
    "digest",
    "expand",
    "read",
    "spool",
]

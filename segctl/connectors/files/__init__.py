"""Readers of customer files: `expand`, `digest`, `detect`, `read`."""

from __future__ import annotations

from segctl.connectors.files.base import BadRow, Detected, RawBatch, ReadOptions, Reason
from segctl.connectors.files.formats import detect, read
from segctl.connectors.files.paths import digest, expand

__all__ = ["BadRow", "Detected", "RawBatch", "ReadOptions", "Reason", "detect", "digest", "expand", "read"]

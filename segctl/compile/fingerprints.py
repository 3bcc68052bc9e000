"""What a node of a plan means, as a short key: equal keys give equal answers over equal data at the same instant."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass

from segctl.compile import ir

_LENGTH = 12


class Fingerprints:
    """Keys of the nodes of some segments.

    A reference to a segment counts as what that segment asks, under whatever name, and a look-up in a list as the
    content of the file.

    Args:
        segments: All that nodes refer to.
        lists: List file → digest.
    """

    def __init__(self, segments: Iterable[ir.LoweredSegment], lists: Mapping[str, str]) -> None:
        self._segments = {segment.name: segment for segment in segments}
        self._lists = lists
        # Objects are remembered with their keys, so none is given the place of another meanwhile.
        self._known: dict[int, tuple[object, bytes]] = {}

    def key(self, *asked: object) -> str:
        """Key of some nodes together."""
        return hashlib.blake2b(b"".join(map(self._digest, asked)), digest_size=_LENGTH).hexdigest()

    def segment(self, name: str) -> bytes:
        """What a segment asks, and whom it keeps."""
        segment = self._segments[name]
        return self._digest((segment.where, segment.keep))

    def _digest(self, value: object) -> bytes:
        held = self._known.get(id(value))
        if held is not None:
            return held[1]
        found = hashlib.blake2b(self._content(value), digest_size=_LENGTH).digest()
        if is_dataclass(value) or isinstance(value, tuple):
            self._known[id(value)] = (value, found)
        return found

    def _content(self, value: object) -> bytes:
        if isinstance(value, ir.IsMember):
            return b"member" + self.segment(value.segment)
        kind = type(value).__name__.encode()
        if isinstance(value, ir.InList):
            return kind + repr((value.column, value.identifier, self._lists.get(value.name, value.name))).encode()
        if is_dataclass(value):
            inside = (self._digest(getattr(value, field.name)) for field in fields(value) if field.compare)
            return kind + b"".join(inside)
        if isinstance(value, tuple | list):
            return kind + b"".join(map(self._digest, value))
        if isinstance(value, set | frozenset):
            return kind + b"".join(sorted(map(self._digest, value)))
        if isinstance(value, Mapping):
            return kind + b"".join(sorted(self._digest(pair) for pair in value.items()))
        return kind + repr(getattr(value, "digest", value)).encode()

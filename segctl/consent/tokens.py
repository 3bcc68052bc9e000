"""Keyed tokens of contact points: the ledger knows people by them alone.

A token is HMAC-SHA256 over kind and normal form, cut to 128 bits. A plain digest of an address can be guessed by
whoever has a list of addresses; without the key nobody can, and the key never leaves the workspace.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from segctl.consent.forms import forms

SIZE = 16
"""Bytes of one token."""
_LABEL = b"segctl consent key\x00"
_BLOCK = 64
"""Bytes that SHA-256 works on at a time."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of a ledger, the newest last: new rows get its tokens, the others are for looking up.

    Attributes:
        keys: Key id → secret bytes.
    """

    keys: tuple[tuple[str, bytes], ...]

    @property
    def newest(self) -> tuple[str, bytes]:
        """Id and bytes of the key for new rows."""
        return self.keys[-1]

    def point(self, kind: str, value: str | None) -> bytes | None:
        """What the gate knows a contact point by: its exact and its wide token under every key, one behind another.

        None for what is no contact point of its kind.
        """
        found = forms(kind, value)
        if found is None:
            return None
        return b"".join(_pair(secret, kind.encode(), *found) for _, secret in self.keys)

    def points(self, kind: str, values: Sequence[str | None]) -> list[bytes | None]:
        """`point` of many values of one kind."""
        if len(self.keys) > 1:
            return [self.point(kind, value) for value in values]
        token, prefix = _maker(self.keys[0][1]), kind.encode() + b"\x00"
        found: list[bytes | None] = []
        for value in values:
            both = forms(kind, value)
            if both is None:
                found.append(None)
                continue
            exact, wide = both
            first = token(prefix + exact.encode())
            found.append(first + (first if exact == wide else token(prefix + wide.encode())))
        return found

    def newest_pair(self, kind: str, value: str) -> tuple[bytes, bytes] | None:
        """Exact and wide token under the newest key, for a new row; None for what is no contact point."""
        found = forms(kind, value)
        if found is None:
            return None
        pair = _pair(self.newest[1], kind.encode(), *found)
        return pair[:SIZE], pair[SIZE:]


def key_id(secret: bytes) -> str:
    """The name that the ledger remembers a key by; it tells nothing about the key."""
    return hashlib.sha256(_LABEL + secret).hexdigest()[:16]


def parts(point: bytes) -> list[tuple[bytes, bytes]]:
    """Exact and wide tokens of a point, one pair a key."""
    return [(point[i : i + SIZE], point[i + SIZE : i + 2 * SIZE]) for i in range(0, len(point), 2 * SIZE)]


def _pair(secret: bytes, kind: bytes, exact: str, wide: str) -> bytes:
    prefix = kind + b"\x00"
    first = hmac.digest(secret, prefix + exact.encode(), "sha256")[:SIZE]
    second = first if exact == wide else hmac.digest(secret, prefix + wide.encode(), "sha256")[:SIZE]
    return first + second


def _maker(secret: bytes) -> Callable[[bytes], bytes]:
    """Makes tokens of very many messages: HMAC (RFC 2104) whose two blocks of key are hashed once, not each time."""
    key = secret if len(secret) <= _BLOCK else hashlib.sha256(secret).digest()
    key = key.ljust(_BLOCK, b"\x00")
    inside, outside = (hashlib.sha256(bytes(byte ^ pad for byte in key)) for pad in (0x36, 0x5C))
    copy_inside, copy_outside = inside.copy, outside.copy

    def token(message: bytes) -> bytes:
        inner, outer = copy_inside(), copy_outside()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()[:SIZE]

    return token

"""TC strings of the Transparency and Consent Framework 2.3, read strictly.

Whatever is cut off, too long, out of order or undefined is malformed, and a malformed string means no consent. Fields
and their widths: IAB Tech Lab, Consent string and vendor list formats v2; since 2.3 the segment of disclosed vendors
must be there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

_LETTERS = re.compile(r"[A-Za-z0-9_-]+")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_BITS = {sign: f"{value:06b}" for value, sign in enumerate(_ALPHABET)}
_LONGEST = 50_000
_PADDING = 24
"""Encoders fill up to whole letters, whole bytes or both."""
_VERSION = 2
_DISCLOSED, _ALLOWED, _PUBLISHER = 1, 2, 3
_NOT_ALLOWED, _UNDEFINED = 0, 3
_PURPOSES, _FEATURES = 24, 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MalformedTcf(ValueError):  # noqa: N818 - what it says of a string
    """The string is none that the framework allows; the message says where."""


@dataclass(frozen=True, slots=True)
class Restriction:
    """What the publisher demands of some vendors for a purpose: 0 forbidden, 1 consent, 2 legitimate interest."""

    purpose: int
    type: int
    vendors: frozenset[int]


@dataclass(frozen=True, slots=True)
class TcString:
    """The fields of a TC string; numbers of purposes, features and vendors begin at 1."""

    created: datetime
    updated: datetime
    cmp_id: int
    cmp_version: int
    screen: int
    language: str
    vendor_list: int
    policy: int
    is_service_specific: bool
    special_features: frozenset[int]
    purposes: frozenset[int]
    purposes_by_interest: frozenset[int]
    country: str
    vendors: frozenset[int]
    vendors_by_interest: frozenset[int]
    restrictions: tuple[Restriction, ...]
    disclosed: frozenset[int]

    def allows(self, vendor: int | None, purposes: tuple[int, ...]) -> bool:
        """The person consents to these purposes, and if a vendor is named, to its being told."""
        if not purposes or not set(purposes) <= self.purposes:
            return False
        if vendor is None:
            return True
        forbidden = any(
            r.purpose in purposes and vendor in r.vendors and r.type != 1  # 1 asks for the consent that is there
            for r in self.restrictions
        )
        return vendor in self.vendors and vendor in self.disclosed and not forbidden


def parse_tcf(text: str) -> TcString:
    """The fields of a TC string.

    Raises:
        MalformedTcf: It is cut off, or not what the framework defines.
    """
    if len(text) > _LONGEST:
        raise MalformedTcf("longer than any TC string")
    core, *others = text.split(".")
    segments = [_Bits(part, "a segment") for part in others]
    found = _core(_Bits(core, "the core"))
    disclosed: frozenset[int] | None = None
    seen: set[int] = set()
    for bits in segments:
        of = bits.number(3)
        if of not in (_DISCLOSED, _ALLOWED, _PUBLISHER) or of in seen:
            raise MalformedTcf(f"segment of type {of}" + (" stands twice" if of in seen else " is not defined"))
        seen.add(of)
        if of == _PUBLISHER:
            bits.skip(2 * _PURPOSES)
            bits.skip(2 * bits.number(6))
        else:
            vendors = _vendors(bits)
            disclosed = vendors if of == _DISCLOSED else disclosed
        bits.end()
    if disclosed is None:
        raise MalformedTcf("the segment of disclosed vendors is missing")
    return replace(found, disclosed=disclosed)


def _core(bits: _Bits) -> TcString:
    if bits.number(6) != _VERSION:
        raise MalformedTcf("not version 2")
    created, updated = bits.instant(), bits.instant()
    if updated < created:
        raise MalformedTcf("updated before it was created")
    cmp_id, cmp_version, screen = bits.number(12), bits.number(12), bits.number(6)
    language, vendor_list, policy = bits.letters(), bits.number(12), bits.number(6)
    service_specific, _ = bits.number(1), bits.number(1)
    features, purposes, interests = bits.members(_FEATURES), bits.members(_PURPOSES), bits.members(_PURPOSES)
    bits.skip(1)
    country = bits.letters()
    vendors, vendors_by_interest = _vendors(bits), _vendors(bits)
    restrictions = tuple(_restriction(bits) for _ in range(bits.number(12)))
    bits.end()
    return TcString(
        created, updated, cmp_id, cmp_version, screen, language, vendor_list, policy, bool(service_specific), features,
        purposes, interests, country, vendors, vendors_by_interest, restrictions, disclosed=frozenset(),
    )  # fmt: skip


def _vendors(bits: _Bits) -> frozenset[int]:
    most, is_range = bits.number(16), bits.number(1)
    return _ranges(bits, most) if is_range else bits.members(most)


def _restriction(bits: _Bits) -> Restriction:
    purpose, of = bits.number(6), bits.number(2)
    if not 0 < purpose <= _PURPOSES or of == _UNDEFINED:
        raise MalformedTcf("a restriction that is not defined")
    return Restriction(purpose, of, _ranges(bits, (1 << 16) - 1))


def _ranges(bits: _Bits, most: int) -> frozenset[int]:
    found: set[int] = set()
    last = 0
    for _ in range(bits.number(12)):
        is_range, first = bits.number(1), bits.number(16)
        end = bits.number(16) if is_range else first
        if not last < first <= end <= most:
            raise MalformedTcf("ranges of vendors out of order")
        found.update(range(first, end + 1))
        last = end
    return frozenset(found)


class _Bits:
    """The bits of a segment, read from left to right; reading behind the end is an error, never zero."""

    def __init__(self, text: str, what: str) -> None:
        if not _LETTERS.fullmatch(text):
            raise MalformedTcf(f"{what} is empty or has other signs than base64url")
        self._bits = "".join(map(_BITS.__getitem__, text))
        self._at = 0

    def _take(self, count: int) -> str:
        end = self._at + count
        if end > len(self._bits):
            raise MalformedTcf("cut off")
        taken, self._at = self._bits[self._at : end], end
        return taken

    def number(self, count: int) -> int:
        """A whole number of so many bits."""
        return int(self._take(count), 2)

    def skip(self, count: int) -> None:
        """Bits that say nothing here, but must be there."""
        self._take(count)

    def members(self, count: int) -> frozenset[int]:
        """Positions of set bits, from 1."""
        return frozenset(at for at, bit in enumerate(self._take(count), start=1) if bit == "1")

    def instant(self) -> datetime:
        """Tenths of a second since 1970."""
        return _EPOCH + timedelta(milliseconds=100 * self.number(36))

    def letters(self) -> str:
        """Two letters of 6 bits."""
        values = self.number(6), self.number(6)
        if max(values) > 25:
            raise MalformedTcf("a code that is no two letters")
        return "".join(chr(ord("A") + value) for value in values)

    def end(self) -> None:
        """Nothing but padding may follow."""
        rest = self._bits[self._at :]
        if len(rest) >= _PADDING or "1" in rest:
            raise MalformedTcf("goes on behind its end")

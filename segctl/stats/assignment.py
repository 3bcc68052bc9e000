"""Who is in which arm: hashes that anybody can compute again, exact bounds, and dealing within strata.

A unit's *point* is the first 64 bits of SHA-256(salt, U+001F, unit) in UTF-8, read as a whole number. Every decision
compares points with whole numbers, so that no rounding ever moves a unit; a *share* is the same as a fraction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from itertools import accumulate
from math import ceil
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Points = NDArray[np.uint64]

SEPARATOR = "\x1f"
"""Between the parts of a salt and between salt and unit: U+001F stands in no name, so no two salts run together."""
WHOLE = 2**64


def universal_salt(project: str, generation: str) -> str:
    """Salt of a generation of the universal holdout."""
    return SEPARATOR.join((project, "universal", generation))


def layer_salt(project: str, layer: str) -> str:
    """Salt of a layer: experiments of one layer share it, so that ranges apart have no unit in common."""
    return SEPARATOR.join((project, "layer", layer))


def traffic_salt(project: str, experiment: str) -> str:
    """Salt of who takes part at all."""
    return SEPARATOR.join((project, "traffic", experiment))


def arms_salt(project: str, experiment: str) -> str:
    """Salt of the arms; another than that of `traffic_salt`, so that growing traffic leaves the split as it is."""
    return SEPARATOR.join((project, "arms", experiment))


# --- Points -----------------------------------------------------------------------------------------------
def point(salt: str, unit: str) -> int:
    r"""A unit's place on the line from 0 to 2⁶⁴ − 1.

    >>> hex(point("shop\x1farms\x1fwinback", "c-1042"))
    '0x95e0fea23044539d'
    """
    return int.from_bytes(sha256(f"{salt}{SEPARATOR}{unit}".encode()).digest()[:8], "big")


def points(salt: str, units: Iterable[str]) -> Points:
    """`point` of many units in their order."""
    import numpy as np

    head = f"{salt}{SEPARATOR}".encode()
    hashed = b"".join([sha256(head + unit.encode()).digest()[:8] for unit in units])
    return np.frombuffer(hashed, dtype=">u8").astype(np.uint64)


def share(salt: str, unit: str) -> float:
    """`point` as a fraction in [0, 1): its first 53 bits, so that it is never rounded up to 1."""
    return float((point(salt, unit) >> 11) / 2**53)


def shares(salt: str, units: Iterable[str]) -> NDArray[np.float64]:
    """`share` of many units in their order."""
    import numpy as np

    return np.asarray((points(salt, units) >> np.uint64(11)) / 2.0**53, dtype=np.float64)


def bound(of: Decimal | Fraction | int) -> int:
    """The first point that lies at or above a fraction of the line, exactly.

    Raises:
        ValueError: The fraction is below 0 or above 1.
    """
    if not 0 <= of <= 1:
        raise ValueError(f"{of} is not a fraction of 1")
    return ceil(Fraction(of) * WHOLE)


def within(places: Points, low: Decimal, high: Decimal) -> NDArray[np.bool_]:
    """Which points lie in the range from `low` (included) to `high` (not included)."""
    import numpy as np

    first, end = bound(low), bound(high)
    if end <= first:
        return np.zeros(len(places), dtype=np.bool_)
    return np.asarray((places >= np.uint64(first)) & (places <= np.uint64(end - 1)), dtype=np.bool_)


# --- Arms -------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Allocation:
    """How the line is divided among arms.

    Attributes:
        ends: Where each piece ends, ascending, not included; the last is 2⁶⁴.
        arms: Whose piece it is; an arm may have several.
    """

    ends: tuple[int, ...]
    arms: tuple[str, ...]

    def arm(self, place: int) -> str:
        """The arm that a point falls to."""
        return next(arm for end, arm in zip(self.ends, self.arms, strict=True) if place < end)

    def length(self, arm: str) -> int:
        """How many points fall to an arm."""
        return sum(end - start for start, end, whose in self.pieces() if whose == arm)

    def pieces(self) -> list[tuple[int, int, str]]:
        """Begin, end (not included) and arm of every piece."""
        return list(zip((0, *self.ends), self.ends, self.arms, strict=False))


def allocation(weights: Mapping[str, Decimal]) -> Allocation:
    """The line divided by weights, one piece for each arm in their order.

    Args:
        weights: Of each arm, relative to the others; an arm of weight 0 gets nobody.

    Raises:
        ValueError: A weight is negative, or none is above 0.
    """
    ends = _ends(weights)
    kept = [(end, arm) for arm, start, end in zip(weights, (0, *ends), ends, strict=False) if start < end]
    return Allocation(tuple(end for end, _ in kept), tuple(arm for _, arm in kept))


def reallocated(before: Allocation, weights: Mapping[str, Decimal]) -> Allocation:
    """The line divided by other weights so that no more points change arm than must.

    Arms that shrink give away the end of what they have; arms that grow take it, in their order.
    """
    ends = _ends(weights)
    wanted = {arm: end - start for arm, start, end in zip(weights, (0, *ends), ends, strict=False)}
    missing = {arm: length - before.length(arm) for arm, length in wanted.items() if length > before.length(arm)}
    pieces: list[tuple[int, str]] = []
    for start, end, arm in before.pieces():
        kept = min(end - start, wanted.get(arm, 0))
        wanted[arm] = wanted.get(arm, 0) - kept
        if kept:
            pieces.append((start + kept, arm))
        pieces += _handed_on(start + kept, end, missing)
    return _joined(pieces)


def allocation_after(epochs: Iterable[Mapping[str, Decimal]]) -> Allocation:
    """The line as it is divided after all weights that were ever in force, the first of them first.

    Raises:
        ValueError: There are none, or some cannot be divided by.
    """
    first, *later = epochs
    divided = allocation(first)
    for weights in later:
        divided = reallocated(divided, weights)
    return divided


def arm_of(place: int, weights: Mapping[str, Decimal]) -> str:
    """The arm of one point when the weights have always been these."""
    return allocation(weights).arm(place)


def arms_of(places: Points, divided: Allocation) -> list[str]:
    """The arm of each point."""
    import numpy as np

    inner = np.array(divided.ends[:-1], dtype=np.uint64)
    names = np.array(divided.arms, dtype=object)
    found: list[str] = names[np.searchsorted(inner, places, side="right")].tolist()
    return found


def _ends(weights: Mapping[str, Decimal]) -> list[int]:
    """Where each arm's share of the line ends, exactly."""
    if any(weight < 0 for weight in weights.values()) or not any(weights.values()):
        raise ValueError("weights are 0 or more, and one is above 0")
    sums = list(accumulate(Fraction(weight) for weight in weights.values()))
    return [ceil(reached / sums[-1] * WHOLE) for reached in sums]


def _handed_on(start: int, end: int, missing: dict[str, int]) -> list[tuple[int, str]]:
    """What an arm gives away, to those who miss something."""
    given = []
    while start < end:
        arm = next(name for name, length in missing.items() if length)
        taken = min(end - start, missing[arm])
        missing[arm] -= taken
        start += taken
        given.append((start, arm))
    return given


def _joined(pieces: Sequence[tuple[int, str]]) -> Allocation:
    """Neighbours of one arm as one piece."""
    last = [at for at, (_, arm) in enumerate(pieces) if at + 1 == len(pieces) or pieces[at + 1][1] != arm]
    return Allocation(tuple(pieces[at][0] for at in last), tuple(pieces[at][1] for at in last))


# --- Strata -----------------------------------------------------------------------------------------------
def dealt(places: Points, strata: Sequence[str | None], weights: Mapping[str, Decimal]) -> list[str]:
    """Arms dealt within strata: in each, every arm's count differs from its weight by less than 1.

    Units are ranked by their points within the stratum and laid evenly over the line, shifted by the sum of those
    points modulo 2⁶⁴. The sum is uniform and the same in whatever order the units come, so that each unit's chances
    are the weights, also where a stratum has one unit; such a unit gets the arm of its point.

    Args:
        places: The units' points by `arms_salt`.
        strata: The stratum of each; None is a stratum like any other.
        weights: Of each arm.

    Returns:
        The arm of each unit, in their order.
    """
    import numpy as np

    divided = allocation(weights)
    codes = {name: at for at, name in enumerate(dict.fromkeys(strata))}
    coded = np.array([codes[name] for name in strata], dtype=np.int64)
    order = np.lexsort((places, coded))
    found = np.empty(len(places), dtype=object)
    start = 0
    for size in np.bincount(coded).tolist():
        members = order[start : start + size]
        # Sums of uint64 wrap, which is what is meant.
        shift = int(np.sum(places[members], dtype=np.uint64))
        found[members] = _laid_out(size, shift, divided)
        start += size
    dealt_arms: list[str] = found.tolist()
    return dealt_arms


def _laid_out(size: int, shift: int, divided: Allocation) -> list[str]:
    """Arms of `size` places at (rank + shift) / size of the line, without a float."""
    arms: list[str] = []
    for end, arm in zip(divided.ends, divided.arms, strict=True):
        # Ranks r with r * 2⁶⁴ + shift < end * size.
        reached = max(0, min(size, ceil(Fraction(end * size - shift, WHOLE))))
        arms += [arm] * (reached - len(arms))
    return arms


# --- Schemes of others ------------------------------------------------------------------------------------
def growthbook_share(seed: str, unit: str, *, version: int = 2) -> float:
    """A unit's place in GrowthBook's scheme, to move a running experiment over.

    Source:
        GrowthBook SDK specification 0.8: FNV-1a of 32 bits over UTF-16 code units, as JavaScript has them.
    """
    if version == 1:
        return _fnv1a(unit + seed) % 1000 / 1000
    return _fnv1a(str(_fnv1a(seed + unit))) % 10_000 / 10_000


def md5_shard(text: str, shards: int) -> int:
    """A shard in Eppo's scheme: the first 8 hexadecimal digits of MD5 over UTF-8, modulo their number."""
    from hashlib import md5

    return int(md5(text.encode(), usedforsecurity=False).hexdigest()[:8], 16) % shards


def _fnv1a(text: str) -> int:
    found = 0x811C9DC5
    encoded = text.encode("utf-16-le", "surrogatepass")
    for at in range(0, len(encoded), 2):
        found = ((found ^ int.from_bytes(encoded[at : at + 2], "little")) * 0x01000193) & 0xFFFFFFFF
    return found

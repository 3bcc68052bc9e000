"""Distances on the globe, in whole metres, the same on every machine and for every engine.

Points are pairs of whole millionths of a degree (latitude, longitude), which is 11 centimetres at most.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from math import asin, cos, degrees, radians, sin, sqrt

Point = tuple[int, int]
Target = tuple[str, int, int]
"""What a place is called, and its point."""

EARTH_RADIUS_M = 6_371_008.8
MOST_METRES = 20_100_000
"""A little more than half the way round."""
_MILLION = 1_000_000


def metres(one: Point, other: Point) -> int:
    """Great-circle distance on a sphere of the Earth's mean radius, rounded to whole metres.

    Source:
        Sinnott, Virtues of the Haversine, Sky and Telescope 68 (1984); the mean radius R1 of the IUGG.

    >>> metres((48_134_500, 11_571_000), (52_532_300, 13_384_600))  # Munich, Berlin
    505629
    """
    north, south = radians(one[0] / _MILLION), radians(other[0] / _MILLION)
    east = radians((other[1] - one[1]) / _MILLION)
    half = sin((south - north) / 2) ** 2 + cos(north) * cos(south) * sin(east / 2) ** 2
    return round(2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(half))))


def point(latitude: Decimal, longitude: Decimal) -> Point | None:
    """Degrees as a point; None for what lies on no globe."""
    if not (latitude.is_finite() and longitude.is_finite() and abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    scaled = ((value * _MILLION).quantize(Decimal(1), ROUND_HALF_EVEN) for value in (latitude, longitude))
    north, east = scaled
    return int(north), int(east)


class Reach:
    """Places and a radius; tells who is near enough, and which place is nearest.

    Args:
        targets: Names and points.
        radius_mm: In millimetres, so that miles are exact; a distance in whole metres up to it is near.
    """

    def __init__(self, targets: Iterable[Target], radius_mm: int) -> None:
        self._targets = sorted((north, east, name) for name, north, east in targets)
        self._norths = [north for north, _, _ in self._targets]
        self._radius_m = radius_mm // 1000
        # No two points are nearer than the distance of their latitudes; a metre is spared for rounding.
        self._band = degrees((self._radius_m + 1) / EARTH_RADIUS_M) * _MILLION

    def holds(self, of: Point) -> bool:
        """Some place lies within the radius."""
        north, east = of
        first = bisect_left(self._norths, north - self._band)
        last = bisect_right(self._norths, north + self._band)
        if first == last:
            return False
        wide = self._wide(north)
        for lat, lon, _ in self._targets[first:last]:
            away = abs(lon - east)
            if min(away, 360 * _MILLION - away) <= wide and metres(of, (lat, lon)) <= self._radius_m:
                return True
        return False

    def nearest(self, of: Point) -> tuple[int, str] | None:
        """Metres to the nearest place, and what that is called; of equally near ones the first by name."""
        return min(((metres(of, (lat, lon)), name) for lat, lon, name in self._targets), default=None)

    def _wide(self, north: int) -> float:
        """How far east or west, in millionths of a degree, a place within the radius can lie at most."""
        highest = (abs(north) + self._band) / _MILLION
        if highest >= 89:
            return 360.0 * _MILLION
        share = sin(min(1.5, (self._radius_m + 1) / (2 * EARTH_RADIUS_M))) / cos(radians(highest))
        return 360.0 * _MILLION if share >= 1 else degrees(2 * asin(share)) * _MILLION


@lru_cache(maxsize=256)
def reach(targets: tuple[Target, ...], radius_mm: int) -> Reach:
    """The same places and radius are prepared once."""
    return Reach(targets, radius_mm)

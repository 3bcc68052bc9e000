"""Distances against published ones, and the search of near places against the plain formula."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest

from segctl.compile.places.distance import EARTH_RADIUS_M, Reach, metres, point


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param((0, 0), (0, 180_000_000), round(EARTH_RADIUS_M * 3.141592653589793), id="half the way round"),
        pytest.param((90_000_000, 0), (0, 0), round(EARTH_RADIUS_M * 3.141592653589793 / 2), id="pole to equator"),
        pytest.param((0, 179_999_999), (0, -179_999_999), 0, id="two millionths across the date line"),
        pytest.param(
            (36_120_000, -86_670_000), (33_940_000, -118_400_000), 2_886_448,
            id="Nashville to Los Angeles, 2887.26 km at 6372.8 km (Rosetta Code)",
        ),
    ],
)  # fmt: skip
def test_metres(one: tuple[int, int], other: tuple[int, int], expected: int) -> None:
    assert metres(one, other) == pytest.approx(expected, abs=2)
    assert metres(one, other) == metres(other, one)


def test_what_lies_on_no_globe_is_no_point() -> None:
    assert point(Decimal("90.0000001"), Decimal(0)) is None
    assert point(Decimal("NaN"), Decimal(0)) is None
    assert point(Decimal("48.13450049"), Decimal(-180)) == (48_134_500, -180_000_000)


def test_the_search_finds_what_the_formula_finds() -> None:
    random = Random(7)
    for _ in range(400):
        targets = [
            (str(i), random.randint(-90, 90) * 1_000_000, random.randint(-180, 180) * 1_000_000)
            for i in range(random.randint(0, 5))
        ]
        here = random.choice([-90, -89, 0, 47, 89, 90]) * 1_000_000, random.choice([-180, 0, 8, 180]) * 1_000_000
        distances = [metres(here, (north, east)) for _, north, east in targets]
        radius = random.choice([*distances, 1, 30_000, 5_000_000, 20_015_115])

        reach = Reach(targets, radius * 1000)

        assert reach.holds(here) == any(found <= radius for found in distances)
        assert reach.nearest(here) == min(
            ((found, name) for found, (name, _, _) in zip(distances, targets, strict=True)), default=None
        )


def test_the_radius_is_included_to_the_metre() -> None:
    far = metres((48_134_500, 11_571_000), (52_532_300, 13_384_600))

    assert Reach([("Berlin", 52_532_300, 13_384_600)], far * 1000).holds((48_134_500, 11_571_000))
    assert not Reach([("Berlin", 52_532_300, 13_384_600)], far * 1000 - 1).holds((48_134_500, 11_571_000))

"""Whole columns of points give the answers that one point after the other gives."""

from __future__ import annotations

from random import Random

import polars as pl
import pytest

from segctl.compile import ir
from segctl.compile.places.distance import metres
from segctl.compile.places.near import is_near
from segctl.engines.places import near_column
from segctl.model.types import INTEGER, Kind, ValueType


@pytest.mark.parametrize("scale", [0, 2, 6, 7, 9])
def test_columns_are_decided_as_single_points(scale: int) -> None:
    random, of = Random(scale), INTEGER if scale == 0 else ValueType(Kind.NUMBER, scale=scale)
    place = (ir.StoredTrait("lat", of), ir.StoredTrait("lon", of))
    for _ in range(60):
        targets = tuple(
            (str(i), random.choice([random.randint(-90_000_000, 90_000_000), 90_000_000, 0]),
             random.choice([random.randint(-180_000_000, 180_000_000), 180_000_000, -180_000_000]))
            for i in range(random.randint(0, 4))
        )  # fmt: skip
        rows = [_degrees(random, targets, scale) for _ in range(30)]
        radius = random.choice([1, 1_000, 30_000, 6_000_000, 20_015_000, *_exactly(rows, targets, scale)])
        test = ir.Near(place, None, None, targets, radius * 1000 + random.choice([0, 999]))
        frame = pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.Int64}, orient="row")

        found = near_column(frame, ["a", "b"], test)

        assert found.to_list() == [is_near(test, row) for row in rows]


def _degrees(random: Random, targets: tuple[tuple[str, int, int], ...], scale: int) -> tuple[int | None, int | None]:
    """A point: anywhere, near a target, off the globe, or missing."""
    if random.random() < 0.1:
        return random.choice([(None, 1), (1, None), (91 * 10**scale, 0), (0, 181 * 10**scale), (-(2**62), 2**62)])
    north, east = random.uniform(-90, 90), random.uniform(-180, 180)
    if targets and random.random() < 0.6:
        _, lat, lon = random.choice(targets)
        north, east = lat / 1e6 + random.gauss(0, 0.3), lon / 1e6 + random.gauss(0, 0.3)
    return int(max(-90, min(90, north)) * 10**scale), int(max(-180, min(180, east)) * 10**scale)


def _exactly(
    rows: list[tuple[int | None, int | None]], targets: tuple[tuple[str, int, int], ...], scale: int
) -> list[int]:
    """Radii that are the distance of some row, to the metre."""
    if scale > 6 or not targets:
        return []
    fine = 10 ** (6 - scale)
    points = [(a * fine, b * fine) for a, b in rows if a is not None and b is not None and abs(a * fine) <= 90_000_000]
    return [metres(at, targets[0][1:]) or 1 for at in points[:5] if abs(at[1]) <= 180_000_000]

"""Places on both sides of a radius, for proposed tests."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from segctl.compile.boundaries import Written
from segctl.compile.boundary_specs import Candidate, Ground, Spec
from segctl.compile.lower_events import Lowering
from segctl.compile.lower_near import lower_near
from segctl.compile.mutate_leaves import smallest_radius
from segctl.compile.places.distance import Point, metres
from segctl.compile.places.postal import PostalCodes
from segctl.model import conditions as c
from segctl.model.types import ValueType


def near_candidates(leaf: c.NearCondition, ground: Ground) -> Iterator[Candidate]:
    """At a place, last inside and first outside, and where one unit more or less of the radius makes a difference."""
    found = lower_near(leaf, Lowering(ground.definitions, ground.lists))
    radius = found.radius_mm // 1000
    step = smallest_radius(leaf) // 1000
    wanted = {
        "at_the_place": (0, 1), "inside": (radius - step, radius), "outside": (radius + 1, radius + step),
        "far_away": (20 * radius, 10_000_000),
    }  # fmt: skip
    if found.codes is not None and isinstance(leaf.place, c.PostalPlace):
        yield from _of_codes(leaf.place, found.codes, found.targets, wanted)
    elif isinstance(leaf.place, c.PointPlace):
        yield from _of_points(leaf.place, found.targets, wanted, ground)
    yield "without_place", Spec()


def _of_codes(
    place: c.PostalPlace,
    codes: PostalCodes,
    targets: tuple[tuple[str, int, int], ...],
    wanted: dict[str, tuple[int, int]],
) -> Iterator[Candidate]:
    left = dict(wanted)
    for (country, code), (point, _) in codes.places.items():
        away = _distance(point, targets)
        for label, (lo, hi) in list(left.items()):
            if lo <= away <= hi:
                del left[label]
                traits: dict[str, Written] = {**_nested(place.code, code)}
                traits |= {} if place.country is None else _nested(place.country, country)
                yield label, Spec(traits=traits)
                if place.country is not None and label == "at_the_place":
                    yield "unknown_code", Spec(traits={**traits, **_nested(place.code, "00000")})
        if not left:
            return


def _of_points(
    place: c.PointPlace,
    targets: tuple[tuple[str, int, int], ...],
    wanted: dict[str, tuple[int, int]],
    ground: Ground,
) -> Iterator[Candidate]:
    _, north, east = targets[0]
    for label, (lo, hi) in wanted.items():
        # A degree of latitude is 111.195 km on the sphere that distances are measured on.
        away = round((lo + hi) / 2 / 111_195 * 1_000_000) if label != "at_the_place" else 0
        latitude = north - away if north > 0 else north + away
        degrees = {
            name.trait: (Decimal(value) / 1_000_000).quantize(Decimal(1).scaleb(-_scale(name, ground)))
            for name, value in ((place.latitude, latitude), (place.longitude, east))
        }
        yield label, Spec(traits=dict(degrees))


def _scale(trait: c.PlaceTrait, ground: Ground) -> int:
    stored = ground.definitions.project.trait(trait.trait)
    of: ValueType | None = stored.type if stored is not None else None
    return min(6, of.scale) if of is not None else 6


def _distance(point: Point, targets: tuple[tuple[str, int, int], ...]) -> int:
    return min((metres(point, (north, east)) for _, north, east in targets), default=10_000_000)


def _nested(trait: c.PlaceTrait, value: Written) -> dict[str, Written]:
    for name in reversed(trait.path):
        value = {name: value}
    return {trait.trait: value}

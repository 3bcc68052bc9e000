"""Assignment: vectors that others computed, exact bounds, and what must hold whatever the weights."""

from __future__ import annotations

import json
import re
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

from segctl.stats.assignment import (
    WHOLE,
    allocation,
    allocation_after,
    arm_of,
    arms_of,
    arms_salt,
    bound,
    dealt,
    growthbook_share,
    layer_salt,
    md5_shard,
    point,
    points,
    reallocated,
    share,
    shares,
    traffic_salt,
    universal_salt,
    within,
)

UNITS = [f"c-{number}" for number in range(40_000)]
THREE = {"control": Decimal(10), "mail": Decimal(45), "coupon": Decimal(45)}
WEIGHTS = st.lists(st.decimals(0, 100, places=2), min_size=1, max_size=5).filter(any)
NAMES = "abcde"
# printf 'shop\037arms\037winback\037c-1042' | sha256sum, GNU coreutils 9.1; the help topic shows the same.
VECTORS = [
    (arms_salt("shop", "winback"), "c-1042", "95e0fea23044539d", "coupon"),
    (arms_salt("shop", "winback"), "müller@example.org", "cde3f7b7d2ac9aaa", "coupon"),
    (arms_salt("shop", "winback"), "顧客-7 🎁", "6da65ec60a377404", "mail"),
    (arms_salt("shop", "winback"), "", "e36e4b0a0aac1f23", "coupon"),
    (universal_salt("shop", "2026-h1"), "c-1042", "7f7aaacf592a115c", "mail"),
    (layer_salt("shop", "mailings"), "c-1042", "c0f5247463f580ff", "coupon"),
    (traffic_salt("shop", "winback"), "c-1042", "a6a0855baec1a6b8", "coupon"),
]


def named(weights: list[Decimal]) -> dict[str, Decimal]:
    return dict(zip(NAMES, weights, strict=False))


@pytest.mark.parametrize(("salt", "unit", "first_64_bits", "arm"), VECTORS)
def test_points_are_what_sha256sum_says(salt: str, unit: str, first_64_bits: str, arm: str) -> None:
    place = point(salt, unit)

    assert format(place, "016x") == first_64_bits
    assert points(salt, [unit]).tolist() == [place]
    assert arm_of(place, THREE) == arm
    assert share(salt, unit) == shares(salt, [unit])[0] == pytest.approx(place / 2**64, abs=1e-15)


def test_the_help_topic_shows_the_same_vectors() -> None:
    topic = (Path(__file__).resolve().parents[2] / "segctl" / "help" / "experiments.md").read_text("utf-8")
    shown = {tuple(re.split(r" {2,}", line.strip())) for line in topic.splitlines()}

    told = [
        (salt.replace("\x1f", " "), unit, bits, f"{share(salt, unit):.6f}") for salt, unit, bits, _ in VECTORS if unit
    ]

    assert len(told) == 6
    assert set(told) <= shown


def test_no_units_have_no_points() -> None:
    assert points("salt", []).tolist() == []
    assert arms_of(points("salt", []), allocation(THREE)) == []
    assert dealt(points("salt", []), [], THREE) == []


def test_a_share_is_never_rounded_up_to_one() -> None:
    last = np.array([WHOLE - 1], dtype=np.uint64)

    assert bool(within(last, Decimal("0.5"), Decimal(1))[0])
    assert arm_of(WHOLE - 1, THREE) == "coupon"
    assert ((WHOLE - 1) >> 11) / 2**53 < 1


def test_bounds_are_exact_and_half_open() -> None:
    tenth = bound(Decimal("0.1"))

    assert Fraction(tenth - 1, WHOLE) < Fraction(1, 10) <= Fraction(tenth, WHOLE)
    edge = np.array([tenth - 1, tenth], dtype=np.uint64)
    assert within(edge, Decimal(0), Decimal("0.1")).tolist() == [True, False]
    assert within(edge, Decimal("0.1"), Decimal(1)).tolist() == [False, True]
    assert within(edge, Decimal("0.1"), Decimal("0.1")).tolist() == [False, False]
    assert arms_of(edge, allocation(THREE)) == ["control", "mail"]


def test_a_fraction_beyond_the_line_is_refused() -> None:
    with pytest.raises(ValueError, match="not a fraction"):
        bound(Decimal("1.01"))
    with pytest.raises(ValueError, match="weights"):
        allocation({"a": Decimal(0)})
    with pytest.raises(ValueError, match="weights"):
        allocation({"a": Decimal(-1), "b": Decimal(2)})


# --- Uniform and independent ------------------------------------------------------------------------------
def test_points_are_uniform() -> None:
    counts, _ = np.histogram(shares(arms_salt("shop", "winback"), UNITS), bins=200, range=(0, 1))

    assert chisquare(counts).pvalue > 0.001


@pytest.mark.parametrize(
    "other",
    [
        arms_salt("shop", "spring"),
        arms_salt("store", "winback"),
        traffic_salt("shop", "winback"),
        layer_salt("shop", "winback"),
        universal_salt("shop", "winback"),
    ],
)
def test_experiments_layers_traffic_and_holdout_are_independent(other: str) -> None:
    one = arms_of(points(arms_salt("shop", "winback"), UNITS), allocation(THREE))
    rank = (shares(other, UNITS) * 10).astype(int).tolist()
    seen = Counter(zip(one, rank, strict=True))

    assert chi2_contingency([[seen[arm, tenth] for tenth in range(10)] for arm in THREE]).pvalue > 0.001


def test_successive_generations_of_a_holdout_share_only_whom_chance_gives() -> None:
    first, second = (
        within(points(universal_salt("shop", name), UNITS), Decimal(0), Decimal("0.1"))
        for name in ("2026-h1", "2026-h2")
    )

    assert abs(int((first & second).sum()) - 400) < 4 * 20


# --- Ramping up and changing ------------------------------------------------------------------------------
@given(st.lists(st.decimals(0, 1, places=4), min_size=2, max_size=5))
@settings(max_examples=25, deadline=None)
def test_whoever_is_in_stays_in_when_traffic_grows(traffic: list[Decimal]) -> None:
    places = points(traffic_salt("shop", "winback"), UNITS[:500])
    before = np.zeros(500, dtype=bool)
    for reached in sorted(traffic):
        now = within(places, Decimal(0), reached)
        assert not (before & ~now).any()
        before = now


@given(WEIGHTS, WEIGHTS)
@settings(max_examples=60, deadline=None)
def test_changing_weights_moves_only_who_must_move(first: list[Decimal], second: list[Decimal]) -> None:
    before, after = allocation(named(first)), reallocated(allocation(named(first)), named(second))
    wanted = allocation(named(second))

    moved = sum(
        max(0, min(end, other_end) - max(start, other_start))
        for start, end, arm in before.pieces()
        for other_start, other_end, other in after.pieces()
        if arm != other
    )

    assert after.ends[-1] == WHOLE
    assert all(after.length(arm) == wanted.length(arm) for arm in NAMES)
    assert moved == sum(max(0, before.length(arm) - wanted.length(arm)) for arm in NAMES)


def test_weights_in_force_one_after_another_are_followed() -> None:
    halves, thirds = {"a": Decimal(1), "b": Decimal(1)}, {"a": Decimal(1), "b": Decimal(1), "c": Decimal(1)}
    places = points("salt", UNITS[:3000])

    first, second = (arms_of(places, allocation_after(epochs)) for epochs in ([halves], [halves, thirds]))

    assert {now for was, now in zip(first, second, strict=True) if was != now} == {"c"}
    assert 850 < second.count("c") < 1150


def test_weights_need_no_hundred() -> None:
    assert allocation({"a": Decimal(1), "b": Decimal(3)}) == allocation({"a": Decimal("12.5"), "b": Decimal("37.5")})


@given(WEIGHTS, st.integers(0, WHOLE - 1))
@settings(max_examples=50, deadline=None)
def test_one_and_many_agree(weights: list[Decimal], place: int) -> None:
    divided = allocation(named(weights))

    assert arms_of(np.array([place], dtype=np.uint64), divided) == [divided.arm(place)]
    assert sum(divided.length(arm) for arm in NAMES) == WHOLE


# --- Strata -----------------------------------------------------------------------------------------------
@given(WEIGHTS, st.lists(st.sampled_from(["de", "at", None]), max_size=60))
@settings(max_examples=60, deadline=None)
def test_counts_within_a_stratum_differ_from_the_weights_by_less_than_one(
    weights: list[Decimal], strata: list[str | None]
) -> None:
    arms = dealt(points("salt", UNITS[: len(strata)]), strata, named(weights))

    for stratum in set(strata):
        size = strata.count(stratum)
        for arm, weight in named(weights).items():
            dealt_here = sum(1 for a, s in zip(arms, strata, strict=True) if (a, s) == (arm, stratum))
            assert abs(dealt_here - Fraction(weight) / sum(map(Fraction, weights)) * size) < 1


def test_dealing_knows_no_order_of_units() -> None:
    units, strata = UNITS[:200], [str(number % 7) for number in range(200)]
    forward = dict(zip(units, dealt(points("salt", units), strata, THREE), strict=True))

    back = dict(zip(units[::-1], dealt(points("salt", units[::-1]), strata[::-1], THREE), strict=True))

    assert forward == back


def test_dealing_one_by_one_is_the_hash_itself() -> None:
    places = points("salt", UNITS[:300])

    assert dealt(places, list(UNITS[:300]), THREE) == arms_of(places, allocation(THREE))


def test_dealing_gives_everybody_the_chances_of_the_weights() -> None:
    """Without the shift one of three units would always be in the control group, though its weight is a tenth."""
    arms = [dealt(points(arms_salt("shop", str(at)), UNITS[:3]), ["x"] * 3, THREE) for at in range(1500)]

    for unit in range(3):
        seen = Counter(dealt_to[unit] for dealt_to in arms)
        assert chisquare([seen[arm] for arm in THREE], [150, 675, 675]).pvalue > 0.001


# --- Schemes of others ------------------------------------------------------------------------------------
def golden(shared: Path, name: str) -> tuple[dict[str, list[dict[str, object]]], dict[str, list[float]]]:
    case = json.loads((shared / "golden" / "experiments" / f"{name}.json").read_text("utf-8"))
    return case["inputs"], {key: of["value"] for key, of in case["expected"].items()}


def test_growthbook_agrees_with_its_specification(shared: Path) -> None:
    inputs, expected = golden(shared, "assignment-growthbook-hash")

    got = [
        growthbook_share(str(one["seed"]), str(one["value"]), version=int(str(one["version"])))
        for one in inputs["hash"]
    ]
    halves = allocation({"0": Decimal(1), "1": Decimal(1)})
    chosen = [int(halves.arm(int(Fraction(str(one["n"])) * WHOLE))) for one in inputs["chooseVariation"]]

    assert got == expected["hash"]
    assert chosen == expected["chooseVariation"]


def test_growthbook_hashes_the_code_units_of_javascript() -> None:
    # node: FNV-1a over charCodeAt, so an emoji is two units; by hand from the definition for one letter.
    assert growthbook_share("", "a", version=1) == ((0x811C9DC5 ^ 0x61) * 0x01000193 & 0xFFFFFFFF) % 1000 / 1000
    high = ((0x811C9DC5 ^ 0xD83C) * 0x01000193) & 0xFFFFFFFF
    assert growthbook_share("", "🎁", version=1) == (((high ^ 0xDF81) * 0x01000193) & 0xFFFFFFFF) % 1000 / 1000


def test_md5_shards_agree_with_md5sum(shared: Path) -> None:
    inputs, expected = golden(shared, "assignment-md5-shard")

    assert [md5_shard(str(text), 10_000) for text in inputs["inputs"]] == expected["shard"]

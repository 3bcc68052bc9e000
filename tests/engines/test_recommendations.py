"""Recommendations against a slow evaluator that counts pair by pair, and what must hold for every list."""

from __future__ import annotations

import math
import random
from collections import defaultdict

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.engines import recommendations
from segctl.engines.recommendations import affinities, lists

Row = tuple[int, str, str, float]
"""Subject, basket, product, age."""
HALF_LIFE = 30.0
rows = st.lists(
    st.tuples(
        st.integers(0, 5), st.integers(0, 3), st.sampled_from("ABCDEFG"), st.integers(0, 100).map(lambda n: n / 2)
    ).map(lambda row: (row[0], f"{row[0]}-{row[1]}", row[2], row[3])),
    max_size=60,
)


def frame(found: list[Row]) -> pl.DataFrame:
    schema = {"subject": pl.Int32, "basket": pl.String, "product": pl.String, "age": pl.Float64}
    return pl.DataFrame(found, schema=schema, orient="row")


def decayed(age: float, half_life: float = HALF_LIFE) -> float:
    return 0.5 ** (age / half_life)


def slow_pairs(found: list[Row]) -> dict[tuple[str, str], float]:
    """Likeness of every two products, basket by basket."""
    baskets: dict[str, dict[str, float]] = defaultdict(dict)
    for _, basket, product, age in found:
        baskets[basket][product] = min(age, baskets[basket].get(product, math.inf))
    both: dict[tuple[str, str], float] = defaultdict(float)
    norm: dict[str, float] = defaultdict(float)
    for products in baskets.values():
        size = 1 + math.log2(len(products))
        for one, age in products.items():
            norm[one] += decayed(age) / size
            for other in products:
                if other != one:
                    both[one, other] += decayed(age) / size
    return {
        (one, other): weight / (math.sqrt(norm[one] * norm[other]) + recommendations.DAMPING)
        for (one, other), weight in both.items()
    }


def slow_list(
    found: list[Row], viewed: list[Row], who: int, at_most: int, excluded: set[str], *, again: bool
) -> list[tuple[str, float, str]]:
    """The list of one person, in the words of the documentation."""
    own: dict[str, float] = {}
    seen: dict[str, float] = {}
    seed_life = HALF_LIFE * recommendations.SEED_HALF_LIFE
    for mine, events in ((own, found), (seen, viewed)):
        for subject, _, product, age in events:
            if subject == who:
                mine[product] = max(mine.get(product, 0.0), decayed(age, seed_life))
    pairs = slow_pairs(found)
    together: dict[str, float] = defaultdict(float)
    for seeds, factor in ((own, 1.0), (seen, recommendations.VIEW_WEIGHT)):
        for product, weight in seeds.items():
            for (one, other), likeness in pairs.items():
                if one == product:
                    together[other] += factor * weight * likeness
    newest: dict[tuple[int, str], float] = {}
    for subject, _, product, age in found:
        newest[subject, product] = min(age, newest.get((subject, product), math.inf))
    popular: dict[str, float] = defaultdict(float)
    for (_, product), age in newest.items():
        popular[product] += decayed(age)
    steps = [
        [(product, weight, "viewed") for product, weight in seen.items() if product not in own],
        [(product, weight, "bought_together") for product, weight in together.items()],
        [(product, weight, "popular") for product, weight in popular.items()],
    ]
    listed: list[tuple[str, float, str]] = []
    for step in steps:
        for product, weight, reason in sorted(step, key=lambda one: (-round(one[1], 9), one[0])):
            shut = product in excluded or (product in own and not again)
            if not shut and product not in [one for one, _, _ in listed]:
                listed.append((product, weight, reason))
    return listed[:at_most]


@given(bought=rows, viewed=rows, at_most=st.integers(1, 5), shut=st.sets(st.sampled_from("ABC")), again=st.booleans())
@settings(max_examples=40, deadline=None)
def test_lists_are_those_of_the_slow_evaluator(
    bought: list[Row], viewed: list[Row], at_most: int, shut: set[str], again: bool
) -> None:
    known = affinities(frame(bought), half_life_days=HALF_LIFE)
    people = pl.Series([0, 1, 5, 9], dtype=pl.Int32)

    found = lists(
        known, people, frame(bought), frame(viewed), half_life_days=HALF_LIFE, at_most=at_most,
        exclude_bought=not again, excluded=pl.Series(sorted(shut), dtype=pl.String) if shut else None,
    )  # fmt: skip

    for who in people:
        mine = found.filter(pl.col("subject") == who).sort("rank")
        expected = slow_list(bought, viewed, who, at_most, shut, again=again)
        assert mine["rank"].to_list() == list(range(1, len(expected) + 1))
        assert mine["reason"].to_list() == [reason for _, _, reason in expected]
        assert mine["score"].to_list() == pytest.approx([score for _, score, _ in expected], abs=1e-7)
        # Products of one score may stand in either order of the last digit.
        assert sorted(mine["product"]) == sorted(product for product, _, _ in expected) or len(expected) == at_most


@given(bought=rows, seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_the_order_of_rows_does_not_matter(bought: list[Row], seed: int) -> None:
    shuffled = random.Random(seed).sample(bought, len(bought))

    one, other = (affinities(frame(found), half_life_days=HALF_LIFE) for found in (bought, shuffled))

    assert one.pairs.equals(other.pairs)
    assert one.popular.equals(other.popular)


def test_blocks_of_products_give_the_same_as_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(7)
    bought = [(n % 40, f"b{n % 90}", f"p{chance.randrange(60)}", float(n % 50)) for n in range(900)]
    whole = affinities(frame(bought), half_life_days=HALF_LIFE)

    monkeypatch.setattr(recommendations, "PAIRS_AT_ONCE", 50)
    monkeypatch.setattr(recommendations, "PEOPLE_AT_ONCE", 3)
    parts = affinities(frame(bought), half_life_days=HALF_LIFE)

    assert parts.pairs.equals(whole.pairs)


def test_a_newcomer_gets_what_is_popular() -> None:
    bought = frame([(1, "a", "A", 1.0), (2, "b", "A", 1.0), (2, "b", "B", 1.0)])
    known = affinities(bought, half_life_days=HALF_LIFE)

    found = lists(
        known, pl.Series([9], dtype=pl.Int32), bought.clear(), bought.clear(), half_life_days=HALF_LIFE, at_most=3
    )

    assert found.select("product", "reason").rows() == [("A", "popular"), ("B", "popular")]


def test_whoever_has_everything_gets_nothing() -> None:
    bought = frame([(1, "a", "A", 1.0), (1, "a", "B", 1.0)])
    known = affinities(bought, half_life_days=HALF_LIFE)

    found = lists(known, pl.Series([1], dtype=pl.Int32), bought, bought.clear(), half_life_days=HALF_LIFE, at_most=3)

    assert found.is_empty()


def test_no_purchase_at_all_gives_empty_lists() -> None:
    nothing = frame([])

    known = affinities(nothing, half_life_days=HALF_LIFE)

    assert known.pairs.is_empty()
    assert lists(
        known, pl.Series([1], dtype=pl.Int32), nothing, nothing, half_life_days=HALF_LIFE, at_most=3
    ).is_empty()


def test_the_reason_names_the_product_that_says_most() -> None:
    bought = frame(
        [(n, f"b{n}", product, 1.0) for n in range(2, 9) for product in "AX"]
        + [(9, "c", "B", 1.0), (9, "c", "X", 1.0), (1, "mine", "A", 1.0), (1, "other", "B", 1.0)]
    )
    known = affinities(bought, half_life_days=HALF_LIFE)

    found = lists(known, pl.Series([1], dtype=pl.Int32), bought, bought.clear(), half_life_days=HALF_LIFE, at_most=1)

    assert found.select("product", "reason", "because").rows() == [("X", "bought_together", "A")]


def test_what_was_viewed_speaks_for_others_less_than_what_was_bought() -> None:
    bought = frame([(n, f"b{n}", product, 1.0) for n in range(2, 9) for product in "AX"])
    known = affinities(bought, half_life_days=HALF_LIFE)
    own = frame([(1, "mine", "A", 1.0)])

    def score(mine: pl.DataFrame, seen: pl.DataFrame) -> float:
        found = lists(known, pl.Series([1], dtype=pl.Int32), mine, seen, half_life_days=HALF_LIFE, at_most=2)
        return float(found.filter(pl.col("product") == "X")["score"].item())

    assert score(own.clear(), own) == pytest.approx(recommendations.VIEW_WEIGHT * score(own, own.clear()), abs=1e-8)

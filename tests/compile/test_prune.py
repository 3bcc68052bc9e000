"""Definitions with conditions taken out."""

from __future__ import annotations

from segctl.compile.prune import leaves, up_to, without
from segctl.model.conditions import All, AnyOf, Condition, NoneOf, Not, SegmentCondition

A, B, C, D = (SegmentCondition(name) for name in "abcd")
TREE = All((A, AnyOf((B, Not(C)), at_least=2), NoneOf((D,))))


def test_leaves_come_in_reading_order() -> None:
    assert leaves(TREE) == (A, B, C, D)


def test_without_takes_out_one_leaf_and_the_groups_it_leaves_empty() -> None:
    assert without(TREE, 0) == All((AnyOf((B, Not(C)), at_least=2), NoneOf((D,))))
    assert without(TREE, 2) == All((A, AnyOf((B,), at_least=1), NoneOf((D,))))
    assert without(TREE, 3) == All((A, AnyOf((B, Not(C)), at_least=2)))


def test_up_to_reads_so_far_and_no_further() -> None:
    steps: list[Condition | None] = [up_to(TREE, number) for number in range(4)]

    assert steps == [All((A,)), All((A, AnyOf((B,)))), All((A, AnyOf((B, Not(C)), at_least=2))), TREE]


def test_nothing_is_left_of_a_single_leaf() -> None:
    assert without(A, 0) is None

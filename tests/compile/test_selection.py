"""Which segments a selection means."""

from __future__ import annotations

import pytest

from segctl.compile.selection import select, with_references
from segctl.model.conditions import SegmentCondition, SegmentDefinition
from segctl.model.diagnostics import Location
from segctl.model.errors import UsageError


def _segment(name: str, **more: object) -> SegmentDefinition:
    location = Location(f"segments/eu/{name}.yaml")
    return SegmentDefinition(name, SegmentCondition("x"), location=location, **more)


SEGMENTS = {
    s.name: s
    for s in (
        _segment("winback", tags=("daily", "recovery"), owner="crm@shop.example"),
        _segment("winner", tags=("daily",)),
        _segment("vip", owner="crm@shop.example"),
        _segment("trial", status="draft"),
    )
}


@pytest.mark.parametrize(
    ("wanted", "unwanted", "expected"),
    [
        pytest.param([], [], ("vip", "winback", "winner"), id="nothing said: all but drafts"),
        pytest.param(["trial"], [], ("trial",), id="a draft by name"),
        pytest.param(["win*"], [], ("winback", "winner"), id="glob"),
        pytest.param(["tag:daily,owner:crm@*"], [], ("winback",), id="comma is and"),
        pytest.param(["tag:recovery vip"], [], ("vip", "winback"), id="blank is or"),
        pytest.param(["tag:recovery", "vip"], [], ("vip", "winback"), id="repeated is or"),
        pytest.param(["win*"], ["winner"], ("winback",), id="exclude comes last"),
        pytest.param(["path:segments/eu"], ["status:draft"], ("vip", "winback", "winner"), id="path and status"),
    ],
)
def test_select(wanted: list[str], unwanted: list[str], expected: tuple[str, ...]) -> None:
    assert select(SEGMENTS, wanted, unwanted) == expected


@pytest.mark.parametrize(("part", "hint"), [("winbak", "winback"), ("colour:red", "tag:"), ("tag:nightly", "ls")])
def test_a_part_that_selects_nothing_is_an_error_with_a_way_out(part: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        select(SEGMENTS, [part])

    assert hint in (caught.value.hint or "")


def test_an_empty_selection_is_not_everything() -> None:
    for nothing in (" ", ",", ""):
        with pytest.raises(UsageError, match="empty selection"):
            select(SEGMENTS, [nothing])


def test_excluding_nothing_excludes_nothing() -> None:
    assert select(SEGMENTS, exclude=[",", " "]) == select(SEGMENTS)


def test_references_are_followed_to_the_end_even_in_a_circle() -> None:
    graph = {"a": ["b"], "b": ["c"], "c": ["a"], "d": []}

    assert with_references(["a"], graph.__getitem__) == ("a", "b", "c")

"""Which segments a selection means."""

from __future__ import annotations

from pathlib import Path

import pytest

from segctl.compile.bind import conditions as bind_conditions
from segctl.compile.definitions import load_definitions
from segctl.compile.headers import segment_headers
from segctl.compile.kinds import KINDS, kinds_of
from segctl.compile.project import load_project
from segctl.compile.references import references
from segctl.compile.selection import Facts, needs, select, with_references
from segctl.model.conditions import SegmentCondition, SegmentDefinition
from segctl.model.diagnostics import Location
from segctl.model.errors import UsageError
from segctl.operations.init import create_project


def _segment(name: str, **more: object) -> SegmentDefinition:
    location = Location(f"segments/eu/{name}.yaml")
    return SegmentDefinition(name, SegmentCondition("x"), location=location, **more)


SEGMENTS = {
    s.name: s
    for s in (
        _segment("winback", tags=("daily", "recovery"), owner="crm@shop.example", send_to=("klaviyo",)),
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


FACTS = Facts(
    # trial → vip → winback, and winner stands alone.
    uses={"trial": ("vip",), "vip": ("winback",), "winback": (), "winner": ()},
    kinds={"vip": ("all", "sequence"), "winback": ("trait",)},
    digests={"trial": "t1", "vip": "v2", "winback": "w1", "winner": "n1"},
    before={"trial": "t1", "vip": "v1", "winback": "w1", "gone": "g1"},
    results={"vip": "failed", "winback": "ok", "trial": "what_if"},
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("destination:klav*", ("winback",)),
        ("kind:sequence", ("vip",)),
        ("state:new", ("winner",)),
        ("state:modified", ("vip", "winner")),
        ("state:unmodified", ("trial", "winback")),
        ("result:failed", ("vip",)),
        ("result:what_if", ("trial",)),
        ("+vip", ("vip", "winback")),
        ("vip+", ("trial", "vip")),
        ("+vip+", ("trial", "vip", "winback")),
        ("+trial", ("trial", "vip", "winback")),
        ("1+trial", ("trial", "vip")),
        ("2+trial", ("trial", "vip", "winback")),
        ("winback+1", ("vip", "winback")),
        ("0+trial", ("trial",)),
        ("state:modified+", ("trial", "vip", "winner")),
        ("+kind:sequence,tag:daily", ("winback",)),
        ("1+result:what_if", ("trial", "vip")),
    ],
)
def test_methods_and_neighbours(expression: str, expected: tuple[str, ...]) -> None:
    assert select(SEGMENTS, [expression], facts=FACTS) == expected


def test_excluding_follows_neighbours_too() -> None:
    assert select(SEGMENTS, ["*"], ["vip+"], facts=FACTS) == ("winback", "winner")


@pytest.mark.parametrize(
    ("part", "code", "hint"),
    [
        pytest.param("state:modifed", "SEG404", "state:modified", id="a value that does not exist"),
        pytest.param("status:live", "SEG404", "`active`", id="another one"),
        pytest.param("tga:daily", "SEG401", "`tag:`", id="a method that does not exist"),
        pytest.param("tag:daly", "SEG402", "tag:daily", id="the nearest tag"),
        pytest.param("owner:crm@shop.exmple", "SEG402", "owner:crm@shop.example", id="the nearest owner"),
        pytest.param("path:segments/ue", "SEG402", "path:segments/eu", id="the nearest folder"),
        pytest.param("plan.json", "SEG402", "`segctl apply plan.json`", id="a plan that was saved"),
        pytest.param("+winbak", "SEG402", "did you mean `winback`", id="behind a plus"),
        pytest.param("++", "SEG402", "write a name", id="only signs"),
        pytest.param("tag:recovery,winner", "SEG403", "--allow-empty", id="nothing in common"),
        pytest.param("result:failed,winner", "SEG403", "blank", id="nothing in common with a result"),
    ],
)
def test_mistakes_name_the_way_out(part: str, code: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        select(SEGMENTS, [part], facts=FACTS)

    assert caught.value.code == code
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize("part", ["x*", "tag:nightly", "state:modified", "tag:recovery,winner", "result:failed+"])
def test_nothing_may_be_allowed(part: str) -> None:
    before = Facts(digests=FACTS.digests, before=FACTS.digests)

    assert select(SEGMENTS, [part], facts=before, allow_empty=True) == ()


def test_a_misspelt_name_is_never_allowed() -> None:
    with pytest.raises(UsageError, match="winbak"):
        select(SEGMENTS, ["winbak"], allow_empty=True)


@pytest.mark.parametrize(
    ("expression", "asked"),
    [
        ("win* tag:daily", set()),
        ("+win*", {"uses"}),
        ("tag:x,state:new+", {"state", "uses"}),
        ("result:failed", {"results"}),
        ("vip kind:sequence", {"kinds"}),
    ],
)
def test_only_what_is_asked_for_need_be_looked_up(expression: str, asked: set[str]) -> None:
    assert needs([expression]) == asked
    assert needs([], [expression]) == asked


def test_kinds_and_references_are_the_same_bound_and_as_written(tmp_path: Path) -> None:
    create_project(tmp_path)
    project = load_project(tmp_path, None)[0]
    bound = load_definitions(project)[0].segments

    heads, _ = segment_headers(project)

    assert {n: h.kinds for n, h in heads.items()} == {n: kinds_of(d.where) for n, d in bound.items()}
    assert {n: set(h.uses) for n, h in heads.items()} == {
        n: set(references(d.where).segments) for n, d in bound.items()
    }
    assert any(head.uses for head in heads.values())


def test_every_kind_of_condition_can_be_selected_by() -> None:
    assert set(bind_conditions.KINDS) == set(KINDS)

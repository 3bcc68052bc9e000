"""Guards: what breaks one, who waits with a refused segment, and what may be allowed this once."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from builders import definitions
from end_to_end.program import ok, run

from segctl.model.conditions import Guards
from segctl.model.errors import UsageError
from segctl.operations.guards import Allowance, broken, loosened, parse_allowances, refusals
from segctl.state.recording import KnownSegment, Movement
from segctl.state.runs import SegmentState

THIRD = Decimal(1) / 3


@pytest.mark.parametrize(
    ("limits", "before", "entered", "left", "after", "names"),
    [
        pytest.param(Guards(max_removed=Decimal("0.2")), 10, 0, 2, 8, [], id="exactly at the limit"),
        pytest.param(Guards(max_removed=Decimal("0.2")), 10, 0, 3, 7, ["max_removed"], id="above it"),
        pytest.param(Guards(max_removed=Decimal(0)), 10, 5, 1, 14, ["max_removed"], id="nobody may leave"),
        pytest.param(Guards(max_added=Decimal("0.5")), 10, 6, 0, 16, ["max_added"], id="too many come"),
        pytest.param(Guards(max_added=Decimal("0.5")), None, 600, 0, 600, [], id="a first membership adds nothing"),
        pytest.param(Guards(max_removed=THIRD, max_added=THIRD), 0, 9, 0, 9, [], id="of nobody there is no share"),
        pytest.param(Guards(min_size=5), None, 4, 0, 4, ["min_size"], id="too small, the first time too"),
        pytest.param(Guards(min_size=5, max_size=5), 4, 1, 0, 5, [], id="sizes are included"),
        pytest.param(Guards(max_size=5), 5, 1, 0, 6, ["max_size"], id="too large"),
        pytest.param(Guards(Decimal("0.1"), None, 9), 10, 0, 2, 8, ["max_removed", "min_size"], id="two at once"),
    ],
)
def test_what_breaks_a_guard(
    limits: Guards, before: int | None, entered: int, left: int, after: int, names: list[str]
) -> None:
    found = broken("vip", limits, before=before, entered=entered, left=left, after=after)

    assert [one.guard for one in found] == names


def test_the_sentence_has_the_numbers() -> None:
    (found,) = broken("winback", Guards(Decimal("0.2")), before=61_002, entered=0, left=18_240, after=42_762)

    assert found.message == "`winback` would remove 18,240 of 61,002 members (29.9 %), limit 20 %"
    assert found.measured == Decimal(18_240) / 61_002


def moved(name: str, entered: int, left: int, state: SegmentState = SegmentState.IN_FORCE) -> Movement:
    known = KnownSegment(1, name, in_force_as_of=0, size=100)
    return Movement(known, state, 100, entered, left, 100 + entered - left)


BOUND = definitions(
    {
        "base": "guards: {max_removed: 10 %}\nwhere: {trait: country, equals: DE}",
        "middle": "where: {segment: base}",
        "top": "where: {not: {segment: middle}}",
        "alone": "guards: {max_removed: 10 %}\nwhere: {trait: country, equals: AT}",
    }
)


def test_what_rests_on_a_refused_segment_waits_with_it() -> None:
    moves = [moved("base", 0, 11), moved("middle", 0, 11), moved("top", 11, 0), moved("alone", 0, 10)]

    found = refusals(BOUND, moves)

    assert sorted(found) == ["base", "middle", "top"]
    assert found["top"] == "it refers to `base`, whose guard refuses the change"


def test_a_what_if_and_a_removed_segment_break_no_guard() -> None:
    moves = [moved("base", 0, 100, SegmentState.WHAT_IF), moved("alone", 0, 100, SegmentState.REMOVED)]

    assert refusals(BOUND, moves) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("removed=30%", Allowance("max_removed", Decimal("0.3"))),
        ("max_added = 12.5 %", Allowance("max_added", Decimal("0.125"))),
        ("base.min_size=0", Allowance("min_size", Decimal(0), "base")),
        ("alone.removed=100%", Allowance("max_removed", Decimal(1), "alone")),
    ],
)
def test_allowances_are_read(text: str, expected: Allowance) -> None:
    assert parse_allowances([text], BOUND.segments) == (expected,)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("removed=0.3", "removed=0.3%"),
        ("min_size=30%", "min_size=50"),
        ("min_size=2.5", "min_size=50"),
        ("remvoed=30%", "removed"),
        ("everything", "removed=30%"),
        ("bsae.removed=30%", "base"),
    ],
)
def test_an_allowance_that_makes_no_sense_names_the_way_out(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_allowances([text], BOUND.segments)

    assert hint in (caught.value.hint or "")


def test_an_allowance_loosens_and_never_tightens() -> None:
    limits = Guards(Decimal("0.2"), None, 50, 100)
    looser = parse_allowances(["removed=30%", "min_size=10", "max_size=500", "added=1%"], ())
    stricter = parse_allowances(["removed=10%", "min_size=60", "max_size=5"], ())

    assert loosened(limits, "vip", looser) == Guards(Decimal("0.3"), None, 10, 500)
    assert loosened(limits, "vip", stricter) == limits
    assert loosened(limits, "vip", parse_allowances(["base.removed=90%"], BOUND.segments)) == limits


# --- Through the program ----------------------------------------------------------------------------------
FILES = {
    "segctl.yaml": "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\ntraits: {country: text}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {customer_id: nr}\nprofiles: {country: land}\n",
    "crm.csv": "nr,land\n1,DE\n2,DE\n3,AT\n4,AT\n",
    "segments/dach.yaml": "segment: dach\nguards: {max_removed: 25 %}\nwhere: {trait: country, in: [DE, AT]}\n",
    "segments/rest.yaml": "segment: rest\nwhere: {not: {segment: dach}}\n",
    "segments/other.yaml": "segment: other\nwhere: {trait: country, equals: AT}\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    ok("ingest", cwd=tmp_path)
    ok("apply", cwd=tmp_path)
    (tmp_path / "segments/dach.yaml").write_text(FILES["segments/dach.yaml"].replace("[DE, AT]", "[DE]"))
    return tmp_path


def test_a_refused_segment_keeps_its_membership_and_the_others_go_on(shop: Path) -> None:
    done = run("apply", "-f", "json", cwd=shop)

    assert done.returncode == 5
    assert "2 of 4 members (50.0 %), limit 25 %" in done.stderr
    states = {row["segment"]: (row["members"], row["state"]) for row in json.loads(done.stdout)["data"]}
    assert states == {"dach": (4, "failed"), "rest": (0, "failed"), "other": (2, "in_force")}
    assert ok("show", "segment:dach", "-f", "ids", cwd=shop).split() == ["1", "2", "3", "4"]
    assert ok("ls", "-s", "result:failed", "-f", "ids", cwd=shop).split() == ["dach", "rest"]


def test_a_guard_is_lifted_once_with_a_reason_that_is_kept(shop: Path) -> None:
    without = run("apply", "--allow", "removed=50%", cwd=shop)
    allowed = run("apply", "--allow", "dach.removed=50%", "--reason", "Austria has its own segment", cwd=shop)

    assert (without.returncode, allowed.returncode) == (2, 0)
    assert ok("show", "segment:dach", "-f", "ids", cwd=shop).split() == ["1", "2"]
    assert "Austria has its own segment" in ok("show", "run:last", "-f", "json", cwd=shop)

"""What `apply` asks again, why it asks everybody, and that nothing which happens on the way changes the answer."""

from __future__ import annotations

import json
import random
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from end_to_end.program import PROGRAM, ok, run

from segctl.compile.selection import Selection
from segctl.operations.apply import EVERYTHING, Applied, apply
from segctl.operations.compact import compact
from segctl.operations.incremental.incremental import files_digest
from segctl.operations.ingest.ingest import ingest, sources_of
from segctl.operations.session import open_session
from segctl.state.standing import read_standing

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FILES = {
    "segctl.yaml": "segctl: 1\nname: shop\ntimezone: Europe/Berlin\nidentifiers: {nr: {class: known}}\n"
    "traits: {land: text}\nevents: {order: {properties: {value: integer}}, visit: {}}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {nr: nr}\nprofiles: {land: land}\n",
    "sources/shop.yaml": "source: shop\npath: shop*.csv\nkey: {nr: nr}\n"
    "events: [{event: {column: what}, time: at, id: id, properties: {value: value}}]\n",
    "traits/all.yaml": "traits: {spend: {event: order, sum: {of: value}}}\n",
    "segments/lately.yaml": "segment: lately\nwhere: {event: order, within_last: 5 days}\n",
    "segments/germans.yaml": "segment: germans\nwhere: {trait: land, equals: DE}\n",
    "segments/best.yaml": "segment: best\nwhere: {event: order}\nkeep: {top: 20 %, by: spend}\n",
}
PEOPLE = 40


def orders(root: Path, name: str, lines: list[tuple[int, datetime, int]]) -> None:
    text = "".join(f"order,{name}{at},{nr},{when.isoformat()},{value}\n" for at, (nr, when, value) in enumerate(lines))
    (root / f"shop{name}.csv").write_text("what,id,nr,at,value\n" + text)


def applied(root: Path, at: datetime, *, full: bool = False, only: str | None = None) -> Applied:
    with open_session(root, create=True) as session:
        ingest(session.project, session.workspace, sources_of(session.project).values(), now=at)
        selection = EVERYTHING if only is None else Selection((only,))
        return apply(session, as_of=at, started=at, full=full, selection=selection)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("incremental")
    for name, text in FILES.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    (root / "crm.csv").write_text("nr,land\n" + "".join(f"{nr},{'DE' if nr % 3 else 'AT'}\n" for nr in range(PEOPLE)))
    orders(root, "a", [(nr, NOW - timedelta(days=nr % 9, hours=1), nr) for nr in range(PEOPLE)])
    applied(root, NOW)
    return root


@pytest.fixture
def shop(made: Path, tmp_path: Path) -> Path:
    """The shop after its first run."""
    root = tmp_path / "shop"
    subprocess.run(["cp", "-r", str(made), str(root)], check=True)
    return root


def test_only_those_of_whom_something_is_new_are_asked(shop: Path) -> None:
    orders(shop, "b", [(3, NOW, 500), (7, NOW - timedelta(days=20), 1)])

    extent = applied(shop, NOW).extent

    assert extent is not None
    assert (extent.is_full, extent.profiles, extent.anew) == (False, 2, ())


def test_only_those_whose_time_has_come_are_asked(shop: Path) -> None:
    later = applied(shop, NOW + timedelta(hours=23)).extent

    assert later is not None
    # Those who ordered four days and an hour before leave the window.
    assert later.profiles == sum(nr % 9 == 4 for nr in range(PEOPLE))


@pytest.mark.parametrize("dated", ["event", "record"])
def test_one_who_comes_into_being_by_a_date_is_there_in_time(shop: Path, dated: str) -> None:
    if dated == "event":
        orders(shop, "b", [(99, NOW + timedelta(hours=2), 500)])
    else:
        crm = FILES["sources/crm.yaml"].replace("key:", "record_time: since\nkey:").replace("crm", "more")
        (shop / "sources/more.yaml").write_text(crm)
        (shop / "more.csv").write_text(f"nr,land,since\n99,DE,{(NOW + timedelta(hours=2)).isoformat()}\n")
    segment = "lately" if dated == "event" else "germans"
    before = {s.segment: s.members for s in applied(shop, NOW).segments}

    done = applied(shop, NOW + timedelta(hours=3))

    assert done.extent is not None
    assert not done.extent.is_full
    assert done.profiles == PEOPLE + 1
    assert {s.segment: s.members for s in done.segments}[segment] == before[segment] + 1


def test_everybody_is_asked_about_a_segment_whose_rule_is_another(shop: Path) -> None:
    (shop / "segments/germans.yaml").write_text("segment: germans\nwhere: {trait: land, equals: AT}\n")

    done = applied(shop, NOW)

    assert done.extent is not None
    assert (done.extent.profiles, done.extent.anew) == (0, ("germans",))
    assert {s.segment: s.members for s in done.segments}["germans"] == sum(nr % 3 == 0 for nr in range(PEOPLE))


def test_everybody_is_asked_about_a_segment_whose_list_is_another(shop: Path) -> None:
    (shop / "segments/vips.yaml").write_text("segment: vips\nwhere: {list: vips.txt, identifier: nr}\n")
    (shop / "vips.txt").write_text("1\n2\n3\n")
    applied(shop, NOW)
    (shop / "vips.txt").write_text("2\n")

    done = applied(shop, NOW)

    assert done.extent is not None
    assert (done.extent.profiles, done.extent.anew) == (0, ("vips",))
    assert {s.segment: (s.members, s.left) for s in done.segments}["vips"] == (1, 2)


def test_another_name_is_no_other_rule(shop: Path) -> None:
    (shop / "segments/germans.yaml").unlink()
    (shop / "segments/dach.yaml").write_text("segment: dach\nformerly: [germans]\nwhere: {trait: land, equals: DE}\n")

    done = applied(shop, NOW)

    assert done.extent is not None
    assert (done.extent.profiles, done.extent.anew) == (0, ())


def test_one_who_is_overtaken_leaves_though_nothing_is_new_about_him(shop: Path) -> None:
    orders(shop, "b", [(3, NOW, 500)])

    done = applied(shop, NOW)

    assert done.extent is not None
    assert done.extent.profiles == 1
    assert [(s.entered, s.left) for s in done.segments if s.segment == "best"] == [(1, 1)]


@pytest.mark.parametrize(
    ("then", "asked"),
    [
        pytest.param("T1,2,open\nT2,5,open", 2, id="goes over to somebody else"),
        pytest.param("T2,5,open", 1, id="is gone"),
        pytest.param("T1,1,done\nT2,5,open\nT3,7,open", 2, id="is settled, and another comes"),
    ],
)
def test_who_had_a_related_row_is_asked_when_it_moves_or_goes(shop: Path, then: str, asked: int) -> None:
    (shop / "segctl.yaml").write_text(FILES["segctl.yaml"] + "related: {tickets: {properties: {status: text}}}\n")
    (shop / "sources/desk.yaml").write_text(
        "source: desk\npath: desk.csv\nkey: {nr: nr}\npicture: full\n"
        "related: {table: tickets, id: id, properties: {status: status}}\n"
    )
    (shop / "segments/open.yaml").write_text("segment: open\nwhere: {related: tickets, where: {status: open}}\n")
    (shop / "desk.csv").write_text("id,nr,status\nT1,1,open\nT2,5,open\n")
    applied(shop, NOW)
    (shop / "desk.csv").write_text(f"id,nr,status\n{then}\n")

    extent = applied(shop, NOW + timedelta(minutes=1)).extent

    assert extent is not None
    assert (extent.is_full, extent.profiles) == (False, asked)
    _is_as_if_everybody_had_been_asked(shop, NOW + timedelta(minutes=1))


def test_of_a_file_that_is_written_again_only_those_are_asked_whose_rows_are_others(shop: Path) -> None:
    source = shop / "sources/shop.yaml"
    source.write_text(source.read_text() + "corrections: replace\n")
    applied(shop, NOW, full=True)
    compact(shop, env=None, now=NOW)
    # The first order was that of the first person.
    orders(shop, "a", [(5, NOW - timedelta(hours=1), 7)])

    extent = applied(shop, NOW).extent

    assert extent is not None
    assert (extent.is_full, extent.profiles) == (False, 2)
    _is_as_if_everybody_had_been_asked(shop, NOW)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param("full", "--full", id="asked for"),
        pytest.param("settings", "segctl.yaml changed since", id="project"),
        pytest.param("earlier", "what stands is of a later instant", id="what-if"),
        pytest.param("gone", "nothing stands from an earlier evaluation", id="deleted"),
        pytest.param("spoilt", "nothing stands from an earlier evaluation", id="spoilt"),
        pytest.param("unreadable", "what stands cannot be read", id="unreadable"),
        pytest.param("empty", "what stands cannot be read", id="bits that are all zero"),
        pytest.param("history", "what stands is of another history", id="restored"),
        pytest.param("many", "something is new of 40 profiles", id="many"),
    ],
)
def test_what_does_not_fit_is_told_and_everybody_is_asked(shop: Path, change: str, reason: str) -> None:
    at = NOW
    folder = shop / ".segctl/dev/standing"
    match change:
        case "settings":
            (shop / "segctl.yaml").write_text(FILES["segctl.yaml"].replace("land: text", "land: text, city: text"))
        case "earlier":
            at = NOW - timedelta(days=1)
        case "gone":
            subprocess.run(["rm", "-r", str(folder)], check=True)
        case "spoilt":
            (folder / "standing.json").write_text("{")
        case "unreadable":
            for path in folder.glob("*.parquet"):
                path.write_bytes(bytes(path.stat().st_size))
        case "empty":
            (bits,) = folder.glob("*.bits")
            bits.write_bytes(bytes(bits.stat().st_size))
        case "history":
            manifest = folder / "standing.json"
            with open_session(shop) as session:
                mine = files_digest(session, session.workspace.snapshot() - 1)
            manifest.write_text(manifest.read_text().replace(mine, "0" * len(mine)))
        case "many":
            orders(shop, "b", [(nr, NOW, 1) for nr in range(PEOPLE)])
        case _:
            pass

    extent = applied(shop, at, full=change == "full").extent

    assert extent is not None
    assert (extent.is_full, extent.reason) == (True, reason)


def test_what_is_done_with_answers_asks_nobody_again(shop: Path) -> None:
    text = FILES["segctl.yaml"].replace("name: shop", "name: store")
    (shop / "segctl.yaml").write_text(text + "language: de\nkeep_landed: 10 days\n")

    extent = applied(shop, NOW).extent

    assert extent is not None
    assert (extent.is_full, extent.profiles) == (False, 0)


def test_two_segments_may_ask_the_same_of_one_that_keeps_the_best(shop: Path) -> None:
    for name in ("north", "south"):
        (shop / f"segments/{name}.yaml").write_text(
            f"segment: {name}\nwhere: {{all: [{{segment: best}}, {{trait: land, equals: {name[0]}}}]}}\n"
        )
    applied(shop, NOW, full=True)
    orders(shop, "b", [(3, NOW, 500)])

    done = applied(shop, NOW + timedelta(minutes=1))

    assert done.extent is not None
    assert not done.extent.is_full
    assert [(s.entered, s.left) for s in done.segments if s.segment == "best"] == [(1, 1)]


def test_people_outside_the_population_are_not_too_many(shop: Path) -> None:
    kept = "key: {device: device}\nevents: [{event: {column: what}, time: at, id: id}]\n"
    visits = "".join(f"visit,v{nr},d{nr},{NOW.isoformat()}\n" for nr in range(PEOPLE))
    (shop / "devices.csv").write_text("what,id,device,at\n" + visits)
    (shop / "sources/devices.yaml").write_text(f"source: devices\npath: devices*.csv\n{kept}")
    (shop / "segctl.yaml").write_text(FILES["segctl.yaml"].replace("known}}", "known}, device: {class: anonymous}}"))
    applied(shop, NOW, full=True)
    (shop / "devices2.csv").write_text("what,id,device,at\n" + visits.replace(",v", ",w"))

    extent = applied(shop, NOW + timedelta(minutes=1)).extent

    assert extent is not None
    assert (extent.is_full, extent.profiles) == (False, PEOPLE)


def test_a_selection_uses_what_stands_and_leaves_it(shop: Path) -> None:
    with open_session(shop) as session:
        before = read_standing(session.workspace)
    orders(shop, "b", [(3, NOW, 500)])

    some = applied(shop, NOW, only="lately").extent

    with open_session(shop) as session:
        assert read_standing(session.workspace) == before
    assert some is not None
    assert (some.is_full, some.profiles) == (False, 1)
    again = applied(shop, NOW).extent
    assert again is not None
    assert again.profiles == 1


def test_verbose_says_why_and_so_does_the_document(shop: Path) -> None:
    done = run("apply", "--as-of", NOW.isoformat(), "--verbose", "-f", "json", cwd=shop)

    assert "0 profiles were evaluated, of whom something is new" in done.stderr
    evaluated = {"everybody": False, "reason": None, "profiles": 0, "segments_anew": []}
    assert json.loads(done.stdout)["run"]["evaluated"] == evaluated


def test_a_dry_run_leaves_nothing(shop: Path) -> None:
    with open_session(shop) as session:
        before = read_standing(session.workspace)
        apply(session, as_of=NOW + timedelta(days=1), started=NOW, dry_run=True)
        assert read_standing(session.workspace) == before


def test_two_at_once_are_both_right(shop: Path) -> None:
    orders(shop, "b", [(3, NOW, 500), (9, NOW, 700)])
    ok("ingest", cwd=shop)
    command = [*PROGRAM, "apply", "--as-of", NOW.isoformat(), "--lock-wait", "30s"]
    both = [subprocess.Popen(command, cwd=shop, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in "ab"]

    codes = [one.wait(120) for one in both]

    assert codes == [0, 0]
    _is_as_if_everybody_had_been_asked(shop, NOW)


@pytest.mark.crash
def test_killed_at_any_moment_the_next_run_is_right(shop: Path) -> None:
    dice = random.Random(11)
    for number in range(60):
        at = NOW + timedelta(minutes=number)
        orders(shop, f"k{number}", [(dice.randrange(PEOPLE), at, dice.randint(1, 99)) for _ in range(3)])
        ok("ingest", cwd=shop)
        process = subprocess.Popen([*PROGRAM, "apply", "--as-of", at.isoformat()], cwd=shop,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        time.sleep(dice.uniform(0.3, 1.6))
        process.kill()
        process.wait()
        _is_as_if_everybody_had_been_asked(shop, at)


def _is_as_if_everybody_had_been_asked(root: Path, at: datetime) -> None:
    found, right = applied(root, at), applied(root, at, full=True)
    assert found.extent is not None
    assert not found.extent.is_full
    assert [(s.segment, s.members) for s in found.segments] == [(s.segment, s.members) for s in right.segments]
    assert {s.entered + s.left for s in right.segments} == {0}

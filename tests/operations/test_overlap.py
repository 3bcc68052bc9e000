"""How segments lie to one another: what is proved, what is counted, and examples that hold as tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from end_to_end.program import ok, run

from segctl.cli.overlap_words import no_example_words
from segctl.model.errors import UsageError
from segctl.operations.overlap import Who, overlap
from segctl.operations.overlap_proof import relation_of
from segctl.operations.session import Session, open_session
from segctl.operations.show import members as shown_members

SEGMENTS = {
    "week": "{event: ordered, within_last: 7 days, count: {at_least: 3}}",
    "month": "{event: ordered, within_last: 30 days, count: {at_least: 3}}",
    "none_in_month": "{event: ordered, within_last: 30 days, count: 0}",
    "rich": "{trait: points, at_least: 50}",
    "rich_too": "{not: {trait: points, below: 50, missing: match}}",
    "poor": "{trait: points, below: 10}",
    "best": "{trait: points, at_least: 20}\nkeep: {top: 5, by: points}",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("overlap")
    for name in ("sources", "segments"):
        (folder / name).mkdir()
    (folder / "segctl.yaml").write_text(
        "segctl: 1\nname: shop\nlanguage: en\nidentifiers: {nr: {class: known}}\ntraits: {points: integer}\n"
        "events: {ordered: {}}\n"
    )
    (folder / "sources/crm.yaml").write_text("source: crm\npath: crm.csv\nkey: {nr: nr}\nprofiles: {points: points}\n")
    (folder / "sources/orders.yaml").write_text(
        "source: orders\npath: orders.csv\nkey: {nr: nr}\nevents:\n  - {event: ordered, time: at}\n"
    )
    dice = Random(3)
    points = {n: dice.choice(["", *map(str, range(100))]) for n in range(60)}
    (folder / "crm.csv").write_text("nr,points\n" + "".join(f"p{n:02},{p}\n" for n, p in points.items()))
    days = [(dice.randrange(60), dice.randint(1, 28), dice.choice([9, 10, 11])) for _ in range(220)]
    rows = "".join(f"p{n:02},2026-{month:02}-{day:02}T10:00:00Z\n" for n, day, month in days)
    (folder / "orders.csv").write_text("nr,at\n" + rows)
    for name, where in SEGMENTS.items():
        (folder / f"segments/{name}.yaml").write_text(f"segment: {name}\nwhere: {where}\n")
    ok("ingest", cwd=folder)
    ok("apply", "--as-of", "2026-11-20", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def session(shop: Path) -> Iterator[Session]:
    with open_session(shop) as opened:
        yield opened


def members(session: Session, name: str) -> set[str]:
    return set(shown_members(session, name).frame["profile_id"].to_list())


@pytest.mark.parametrize(
    ("first", "second", "proved"),
    [
        ("week", "month", "subset"),
        ("month", "week", "superset"),
        ("week", "none_in_month", "disjoint"),
        ("rich", "rich_too", "equivalent"),
        ("rich", "poor", "disjoint"),
        ("rich", "month", "overlapping"),
        ("best", "poor", "disjoint"),
        ("best", "rich", "open"),
    ],
)
def test_what_definitions_prove_is_told(session: Session, first: str, second: str, proved: str) -> None:
    found = overlap(session, (first, second), as_of=None)

    assert found.relation is not None
    assert found.relation.kind == proved


def test_examples_are_tests_that_pass(shop: Path, session: Session) -> None:
    (shop / "tests").mkdir(exist_ok=True)
    for first, second, most in (("week", "month", 2), ("rich", "month", 3), ("rich", "poor", 2)):
        relation = relation_of(session.definitions, session.lists, first, second)
        assert relation.example is not None
        assert len(relation.shown) == most
        (shop / f"tests/{first}_{second}.yaml").write_text(relation.example)

    done = run("test", cwd=shop)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("names", "who"), [(("best", "rich"), "`best` ranks"), (("rich", "poor"), None)])
def test_it_is_said_why_there_is_no_example(session: Session, names: tuple[str, str], who: str | None) -> None:
    found = overlap(session, names, as_of=None)
    said, auf_deutsch = no_example_words(found), no_example_words(found, "de")

    assert (said is None, auf_deutsch is None) == (who is None, who is None)
    assert who is None or said is None or said.startswith(f"no example: {who} all profiles")
    assert who is None or auf_deutsch is None or "`best` ordnet mit `keep`" in auf_deutsch


def test_the_command_and_the_page_say_it_too(shop: Path) -> None:
    shown = ok("overlap", "best", "rich", "--html", "page.html", cwd=shop)
    found = json.loads(ok("overlap", "best", "rich", "-f", "json", cwd=shop))

    assert "no example: `best` ranks" in shown
    assert found["no_example"].startswith("no example")
    assert "no example" in (shop / "page.html").read_text("utf-8")


def test_every_intersection_is_counted_exactly(session: Session) -> None:
    names = sorted(SEGMENTS)
    sets = {name: members(session, name) for name in names}
    found = overlap(session, names, as_of=None)

    exact: dict[tuple[str, ...], int] = {}
    for person in set().union(*sets.values()):
        key = tuple(name for name in names if person in sets[name])
        exact[key] = exact.get(key, 0) + 1
    assert {group.segments: group.profiles for group in found.groups} == exact
    assert [group.profiles for group in found.groups] == sorted(exact.values(), reverse=True)
    assert found.sizes == {name: len(sets[name]) for name in names}
    assert len(found.pairs) == len(names) * (len(names) - 1) // 2
    for pair in found.pairs:
        both, either = len(sets[pair.first] & sets[pair.second]), len(sets[pair.first] | sets[pair.second])
        assert (pair.both, pair.jaccard) == (both, both / either if either else None)


def test_the_people_of_each_part_are_named(session: Session) -> None:
    one, other = members(session, "rich"), members(session, "month")
    parts: dict[Who, set[str]] = {"all": one & other, "any": one | other, "first": one - other, "second": other - one}

    for who, wanted in parts.items():
        assert overlap(session, ("rich", "month"), as_of=None, who=who).ids == tuple(sorted(wanted))


def test_an_evaluation_agrees_with_the_run(session: Session) -> None:
    names = tuple(sorted(SEGMENTS))
    recorded = overlap(session, names, as_of=None)
    evaluated = overlap(session, names, as_of=recorded.as_of)

    assert (recorded.groups, recorded.pairs) == (evaluated.groups, evaluated.pairs)
    assert (recorded.population, evaluated.population) == (None, 60)


def test_a_changed_definition_is_told(shop: Path) -> None:
    path = shop / "segments/poor.yaml"
    before = path.read_text()
    path.write_text("segment: poor\nwhere: {trait: points, below: 100}\n")

    with open_session(shop) as session:
        found = overlap(session, ("poor", "rich"), as_of=None)
    path.write_text(before)

    assert found.changed == ("poor",)


def test_fewer_than_two_segments_are_refused(session: Session) -> None:
    for names in (("rich",), ("rich", "rich"), ()):
        with pytest.raises(UsageError, match="2 to 64 different segments"):
            overlap(session, names, as_of=None)


def test_the_command_writes_people_programs_and_a_page(shop: Path, session: Session) -> None:
    page = shop / "overlap.html"

    table = ok("overlap", "rich", "month", "week", "--html", str(page), "--plain", cwd=shop)
    document = json.loads(ok("overlap", "week", "month", "-f", "json", cwd=shop))
    ids = ok("overlap", "rich", "month", "-f", "ids", cwd=shop).split()

    assert max(map(len, table.splitlines())) <= 80
    assert document["schema"] == "segctl/overlap/1"
    assert document["facts"]["proved"] == "subset"
    assert ids == sorted(members(session, "rich") & members(session, "month"))
    text = page.read_text()
    assert "<script" not in text
    groups = overlap(session, ("rich", "month", "week"), as_of=None).groups
    assert text.count('class="hidden">in<') == sum(len(group.segments) for group in groups)

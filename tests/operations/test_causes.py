"""Why profiles moved: one scenario for each kind of cause, and two things at once, where the order decides."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from end_to_end.program import document, ok

from segctl.operations.apply import apply
from segctl.operations.causes.words import kind_of, say
from segctl.operations.diff import diff
from segctl.operations.ingest.ingest import ingest, sources_of
from segctl.operations.session import open_session

PROJECT = """segctl: 1
name: shop
timezone: Europe/Berlin
identifiers: {nr: {class: known}, mail: {class: known, personal: true}}
traits: {country: text, tier: text, secret: {type: text, sensitive: true}}
events:
  order: {properties: {value: {type: money, unit: EUR}}}
  visit: {}
"""
FILES = {
    "segctl.yaml": PROJECT,
    "sources/crm.yaml": "source: crm\npath: crm*.csv\nkey: {nr: nr}\nrecord_time: since\n"
    "profiles: {country: land, tier: tier, secret: secret}\n",
    "sources/shop.yaml": "source: shop\npath: shop*.csv\nkey: {nr: nr}\ncorrections: replace\nevents:\n"
    "- {event: {column: what}, time: at, id: id, properties: {value: value}}\n",
    "crm1.csv": "nr,land,tier,secret,since\n1,DE,silver,x,2026-01-01\n2,AT,gold,y,2026-01-01\n3,DE,gold,z,2026-01-01\n",
    "shop1.csv": "what,id,nr,at,value\norder,o1,1,2026-11-01T10:00:00Z,10\norder,o2,2,2026-11-10T10:00:00Z,20\n",
}
FIRST, SECOND = "2026-11-12T12:00:00Z", "2026-11-16T12:00:00Z"


class Shop:
    """A project between two runs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(exist_ok=True)
        (self.root / name).write_text(text, "utf-8")

    def segment(self, name: str, where: str) -> None:
        self.write(f"segments/{name}.yaml", f"segment: {name}\n{where}\n")

    def run(self, at: str) -> None:
        self.ingest(at)
        as_of = datetime.fromisoformat(at)
        with open_session(self.root) as session:
            apply(session, as_of=as_of, started=as_of)

    def ingest(self, at: str) -> None:
        with open_session(self.root, create=True) as session:
            sources = sources_of(session.project).values()
            ingest(session.project, session.workspace, sources, now=datetime.fromisoformat(at))

    def orders(self, *rows: str) -> None:
        self.write("shop2.csv", "\n".join(["what,id,nr,at,value", *rows, ""]))

    def records(self, *rows: str) -> None:
        self.write("crm2.csv", "\n".join(["nr,land,tier,secret,since", *rows, ""]))

    def moves(self, *names: str) -> dict[tuple[str, str, str], tuple[str | None, str]]:
        """(segment, profile, change) → cause and the day and hour it took effect, UTC."""
        with open_session(self.root) as session:
            moves = diff(session, names, now=datetime.fromisoformat(SECOND), with_moves=True).moves
        assert moves is not None
        return {
            (segment, who, change): (line, at.isoformat()[5:16])
            for segment, who, change, at, line, _ in moves.iter_rows()
        }

    def cause(self, segment: str, profile: str) -> str | None:
        found = [cause for (name, who, _), (cause, _) in self.moves().items() if (name, who) == (segment, profile)]
        assert len(found) == 1
        return found[0]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_an_event_that_arrived_is_named_with_its_time(shop: Shop) -> None:
    shop.segment("buyers", "where: {event: order, count: {at_least: 2}}")
    shop.run(FIRST)
    shop.orders(
        "order,o3,1,2026-11-13T10:00:00Z,5", "order,o4,1,2026-11-14T10:00:00Z,5", "visit,v1,1,2026-11-15T10:00:00Z,"
    )
    shop.run(SECOND)

    assert shop.moves() == {
        ("buyers", "1", "entered"): ("event order 2026-11-13 11:00:00+01:00 (shop #o3)", "11-13T11:00")
    }


def test_the_event_with_which_the_count_is_reached_is_the_cause(shop: Shop) -> None:
    shop.segment("buyers", "where: {event: order, count: {at_least: 4}}")
    shop.run(FIRST)
    shop.orders(*(f"order,n{i},1,2026-11-13T{10 + i}:00:00Z,5" for i in range(9)))
    shop.run(SECOND)

    assert shop.cause("buyers", "1") == "event order 2026-11-13 13:00:00+01:00 (shop #n2)"


def test_a_window_that_passed_is_named_with_the_instant(shop: Shop) -> None:
    shop.segment("recent", "where: {event: order, within_last: 14 days}")
    shop.run(FIRST)
    shop.run(SECOND)

    assert shop.moves() == {("recent", "1", "left"): ("time passed: order, in the last 14 days", "11-15T11:00")}


def test_of_two_windows_the_one_that_passed_is_named(shop: Shop) -> None:
    shop.segment("both", "where: {all: [{event: order, within_last: 14 days}, {event: order, older_than: 3 days}]}")
    shop.run(FIRST)
    shop.run(SECOND)

    assert shop.moves() == {
        ("both", "1", "left"): ("time passed: order, in the last 14 days", "11-15T11:00"),
        ("both", "2", "entered"): ("time passed: order, at least 3 days ago", "11-13T11:00"),
    }


def test_a_changed_trait_tells_the_values_and_who_said_so(shop: Shop) -> None:
    shop.segment("gold", "where: {trait: tier, equals: gold}")
    shop.run(FIRST)
    shop.records("1,DE,gold,x,2026-11-14")
    shop.run(SECOND)

    assert shop.moves() == {("gold", "1", "entered"): ("trait tier: silver → gold (crm)", "11-14T00:00")}


def test_values_of_sensitive_traits_stay_untold(shop: Shop) -> None:
    shop.segment("odd", "where: {trait: secret, equals: x}")
    shop.run(FIRST)
    shop.records("1,DE,silver,hush,2026-11-14")
    shop.run(SECOND)

    assert shop.cause("odd", "1") == "trait secret changed (crm)"


def test_of_several_traits_the_one_that_moved_is_named(shop: Shop) -> None:
    shop.segment("atgold", "where: {any: [{trait: tier, equals: gold}, {trait: country, equals: FR}]}")
    shop.run(FIRST)
    shop.records("1,AT,gold,x,2026-11-14")
    shop.run(SECOND)

    assert shop.cause("atgold", "1") == "trait tier: silver → gold (crm)"


def test_a_late_event_is_called_late(shop: Shop) -> None:
    shop.segment("buyers", "where: {event: order, count: {at_least: 2}}")
    shop.run(FIRST)
    shop.orders("order,o9,2,2026-11-11T10:00:00Z,5")
    shop.run(SECOND)

    assert shop.moves() == {
        ("buyers", "2", "entered"): ("late event: order 2026-11-11 11:00:00+01:00 (shop #o9)", "11-16T13:00")
    }


def test_a_correction_is_called_a_replacement(shop: Shop) -> None:
    shop.segment("big", "where: {event: order, sum: {of: value, at_least: 15 EUR}}")
    shop.run(FIRST)
    shop.orders("order,o1,1,2026-11-01T10:00:00Z,99")
    shop.run(SECOND)

    assert shop.cause("big", "1") == "event replaced: order 2026-11-01 11:00:00+01:00 (shop #o1)"


def test_a_row_gone_from_a_full_picture_is_named_with_its_source(shop: Shop) -> None:
    shop.write(
        "sources/crm.yaml",
        FILES["sources/crm.yaml"].replace("crm*.csv", "crm1.csv\npicture: full").replace("record_time: since\n", ""),
    )
    shop.segment("gold", "where: {trait: tier, equals: gold}")
    shop.run("2036-11-12T12:00:00Z")
    shop.write("crm1.csv", FILES["crm1.csv"].replace("3,DE,gold,z,2026-01-01\n", ""))
    shop.run("2036-11-16T12:00:00Z")

    assert shop.cause("gold", "3") == "row gone (crm)"


def test_another_definition_is_the_cause_of_all_it_moves(shop: Shop) -> None:
    shop.segment("gold", "where: {trait: tier, equals: gold}")
    shop.run(FIRST)
    shop.segment("gold", "where: {trait: tier, equals: silver}")
    shop.run(SECOND)

    assert {cause for cause, _ in shop.moves().values()} == {"definition changed"}
    assert len(shop.moves()) == 3


def test_a_changed_computed_trait_is_named(shop: Shop) -> None:
    shop.write("traits/t.yaml", "traits: {spent: {event: order, sum: {of: value}}}")
    shop.segment("rich", "where: {trait: spent, at_least: 1 EUR}")
    shop.run(FIRST)
    shop.write("traits/t.yaml", "traits: {spent: {event: order, within_last: 5 days, sum: {of: value}}}")
    shop.run(SECOND)

    assert shop.cause("rich", "1") == "definition changed: trait spent"


def test_another_list_is_named(shop: Shop) -> None:
    shop.write("lists/vip.csv", "1\n")
    shop.segment("vip", "where: {list: lists/vip.csv, identifier: nr}")
    shop.run(FIRST)
    shop.write("lists/vip.csv", "2\n")
    shop.run(SECOND)

    assert {cause for cause, _ in shop.moves().values()} == {"list changed: lists/vip.csv"}


def test_a_definition_comes_before_a_list(shop: Shop) -> None:
    shop.write("lists/vip.csv", "1\n")
    shop.segment("vip", "where: {list: lists/vip.csv, identifier: nr}")
    shop.run(FIRST)
    shop.write("lists/vip.csv", "1\n2\n")
    shop.segment("vip", "where: {any: [{list: lists/vip.csv, identifier: nr}, {trait: country, equals: DE}]}")
    shop.run(SECOND)

    assert (shop.cause("vip", "3"), shop.cause("vip", "2")) == ("definition changed", "list changed: lists/vip.csv")


def test_a_segment_that_is_referred_to_is_named_and_has_its_own_cause(shop: Shop) -> None:
    shop.segment("gold", "where: {trait: tier, equals: gold}")
    shop.segment("goldbuyers", "where: {all: [{segment: gold}, {event: order}]}")
    shop.run(FIRST)
    shop.records("1,DE,gold,x,2026-11-14")
    shop.run(SECOND)

    assert shop.moves() == {
        ("gold", "1", "entered"): ("trait tier: silver → gold (crm)", "11-14T00:00"),
        ("goldbuyers", "1", "entered"): ("segment gold", "11-14T00:00"),
    }


def test_whoever_is_outranked_was_displaced_and_whoever_outranks_has_a_cause(shop: Shop) -> None:
    shop.write("traits/t.yaml", "traits: {spent: {event: order, sum: {of: value}}}")
    shop.segment("best", "where: {event: order}\nkeep: {top: 1, by: spent}")
    shop.run(FIRST)
    shop.orders("order,o7,1,2026-11-14T10:00:00Z,90")
    shop.run(SECOND)

    assert shop.moves() == {
        ("best", "1", "entered"): ("event order 2026-11-14 11:00:00+01:00 (shop #o7)", "11-14T11:00"),
        ("best", "2", "left"): ("displaced by others", "11-16T13:00"),
    }


def test_a_new_profile_is_the_cause_where_its_being_there_is_enough(shop: Shop) -> None:
    shop.segment("idle", "where: {event: order, count: 0}")
    shop.segment("gold", "where: {trait: tier, equals: gold}")
    shop.run(FIRST)
    shop.records("9,CH,gold,x,2026-11-14")
    shop.run(SECOND)

    assert (shop.cause("idle", "9"), shop.cause("gold", "9")) == (
        "profile new (crm)",
        "trait tier: nothing → gold (crm)",
    )


def test_the_first_run_and_a_new_definition_replay_nothing(shop: Shop) -> None:
    shop.segment("gold", "where: {trait: tier, equals: gold}")
    shop.run(FIRST)
    shop.segment("german", "where: {trait: country, equals: DE}")
    shop.run(SECOND)

    assert {cause for cause, _ in shop.moves().values()} == {"definition new"}
    first = document("profile", "2", cwd=shop.root)["data"]
    assert [row["details"] for row in first if row["what"] == "entered"] == [
        {"cause": "first run", "cause_kind": "first_run"}
    ]


# --- Two things at once ------------------------------------------------------------------------------------
def test_a_definition_comes_before_an_event(shop: Shop) -> None:
    shop.segment("buyers", "where: {event: order, count: {at_least: 3}}")
    shop.run(FIRST)
    shop.segment("buyers", "where: {event: order, count: {at_least: 1}}")
    shop.orders(*(f"order,n{i},1,2026-11-13T{10 + i}:00:00Z,5" for i in range(4)))
    shop.run(SECOND)

    assert shop.cause("buyers", "1") == "definition changed"


def test_a_trait_comes_before_an_event_when_either_is_enough(shop: Shop) -> None:
    shop.segment("either", "where: {any: [{trait: tier, equals: gold}, {event: order, count: {at_least: 2}}]}")
    shop.run(FIRST)
    shop.records("1,DE,gold,x,2026-11-15")
    shop.orders("order,o3,1,2026-11-13T10:00:00Z,5")
    shop.run(SECOND)

    assert shop.cause("either", "1") == "trait tier: silver → gold (crm)"


def test_the_event_is_the_cause_when_trait_and_event_are_both_needed(shop: Shop) -> None:
    shop.segment("both", "where: {all: [{trait: tier, equals: gold}, {event: order, count: {at_least: 2}}]}")
    shop.run(FIRST)
    shop.records("1,DE,gold,x,2026-11-15")
    shop.orders("order,o3,1,2026-11-13T10:00:00Z,5")
    shop.run(SECOND)

    assert shop.cause("both", "1") == "event order 2026-11-13 11:00:00+01:00 (shop #o3)"


def test_an_event_comes_before_the_clock_when_either_is_enough(shop: Shop) -> None:
    shop.segment("either", "where: {any: [{event: visit}, {event: order, count: 0, within_last: 14 days}]}")
    shop.run(FIRST)
    shop.orders("visit,v1,1,2026-11-16T10:00:00Z,")
    shop.run(SECOND)

    assert shop.cause("either", "1") == "event visit 2026-11-16 11:00:00+01:00 (shop #v1)"


def test_a_new_event_is_the_cause_when_it_needs_the_clock_too(shop: Shop) -> None:
    shop.segment("left_cart", "where: {event: visit, between: [3 days ago, 2 hours ago]}")
    shop.run(FIRST)
    shop.orders("visit,v1,1,2026-11-14T10:00:00Z,")
    shop.run(SECOND)

    assert shop.cause("left_cart", "1") == "event visit 2026-11-14 11:00:00+01:00 (shop #v1)"


def test_an_event_of_another_kind_leaves_the_clock_its_cause(shop: Shop) -> None:
    shop.segment("recent", "where: {event: order, within_last: 14 days}")
    shop.run(FIRST)
    shop.orders("visit,v1,1,2026-11-14T10:00:00Z,")
    shop.run(SECOND)

    assert shop.cause("recent", "1") == "time passed: order, in the last 14 days"


# --- What is no change of the person -----------------------------------------------------------------------
def test_compaction_between_two_runs_is_no_news(shop: Shop) -> None:
    shop.segment("recent", "where: {event: order, within_last: 14 days}")
    shop.segment("buyers", "where: {event: order, count: {at_least: 2}}")
    shop.run(FIRST)
    shop.orders("order,o3,2,2026-11-13T10:00:00Z,5")
    shop.ingest(SECOND)
    ok("compact", cwd=shop.root)
    shop.run(SECOND)

    assert shop.cause("recent", "1") == "time passed: order, in the last 14 days"
    assert shop.cause("buyers", "2") == "event order 2026-11-13 11:00:00+01:00 (shop #o3)"


def test_an_event_that_is_corrected_after_compaction_is_named(shop: Shop) -> None:
    shop.segment("rich", "where: {event: order, sum: {of: value, above: 15}}")
    shop.run(FIRST)
    ok("compact", cwd=shop.root)
    shop.orders("order,o1,1,2026-11-01T10:00:00Z,90", "order,o2,2,2026-11-10T10:00:00Z,2")
    shop.run(SECOND)

    assert shop.cause("rich", "1") == "event replaced: order 2026-11-01 11:00:00+01:00 (shop #o1)"
    assert shop.cause("rich", "2") == "event replaced: order 2026-11-10 11:00:00+01:00 (shop #o2)"


def test_of_several_corrected_events_the_last_is_named_and_the_others_are_counted(shop: Shop) -> None:
    further = "order,o4,1,2026-11-02T10:00:00Z,10\norder,o5,1,2026-11-03T10:00:00Z,10\n"
    shop.write("shop1.csv", FILES["shop1.csv"] + further)
    shop.segment("rich", "where: {event: order, sum: {of: value, above: 50}}")
    shop.run(FIRST)
    shop.orders(*(f"order,{id_},1,2026-11-0{day}T10:00:00Z,30" for id_, day in (("o1", 1), ("o4", 2), ("o5", 3))))
    shop.run(SECOND)

    assert shop.cause("rich", "1") == "event replaced: order 2026-11-03 11:00:00+01:00 (shop #o5) and 2 more"
    assert (
        say("event removed: order (shop) and 2 more", language="de") == "Ereignis entfernt: order (shop) und 2 weitere"
    )
    assert kind_of("event removed and 2 more") == "event_removed"


def test_a_what_if_stands_between_no_two_runs(shop: Shop) -> None:
    shop.segment("recent", "where: {event: order, within_last: 14 days}")
    shop.run(FIRST)
    shop.run("2026-10-01T00:00:00Z")
    shop.run(SECOND)

    counts = document("history", "recent", cwd=shop.root)["data"]
    assert [row["causes"] for row in counts] == [["entered: 2 first run"], [], ["left: 1 time passed"]]


def test_counts_by_kind_are_told_without_moves(shop: Shop) -> None:
    shop.segment("recent", "where: {event: order, within_last: 14 days}")
    shop.run(FIRST)
    shop.orders("order,o3,3,2026-11-13T10:00:00Z,5")
    shop.run(SECOND)

    found = document("diff", cwd=shop.root)["sections"]["causes"]
    assert [(row["change"], row["profiles"], row["cause_kind"]) for row in found] == [
        ("entered", 1, "event_arrived"),
        ("left", 1, "time_passed"),
    ]
    assert "1  Ereignis eingetroffen" in ok("diff", "--language", "de", cwd=shop.root)

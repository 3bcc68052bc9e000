"""Source declarations: what binds, and what is said about mistakes."""

# ruff: noqa: E501 - messages are tested word for word, one case a line

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from segctl.compile.arithmetic import FormulaError, parse_formula
from segctl.compile.project import load_project
from segctl.compile.project_edit import add_declarations
from segctl.compile.sources import bind_source_file, bind_source_text, load_sources
from segctl.model.catalogue_data import ENTRIES
from segctl.model.project import EventKind, IdentifierType, Project, StoredTrait
from segctl.model.sources import Call, Column, Limit, Literally, NumberForm, Source
from segctl.model.types import INTEGER, TEXT, Kind, ValueType

ROOT = Path(__file__).resolve().parents[2]
MONEY = ValueType(Kind.MONEY, 2, "EUR")
PROJECT = Project(
    root="/nowhere",
    name="shop",
    timezone="Europe/Berlin",
    identifiers=(IdentifierType("customer_id"), IdentifierType("device_id", "anonymous")),
    traits=(StoredTrait("city", TEXT), StoredTrait("points", INTEGER)),
    events=(
        EventKind("order_completed", (("value", MONEY), ("count", INTEGER))),
        EventKind("page_viewed", (("section", TEXT), ("count", TEXT))),
    ),
)
EVENTS = "source: s\npath: a.csv\nkey: {customer_id: k}\nevents:\n  - event: order_completed\n    time: t\n"


def bound(text: str) -> Source:
    source, found = bind_source_text(text, "sources/s.yaml", PROJECT)
    assert source is not None, found
    return source


def problems(text: str) -> list[str]:
    source, found = bind_source_text(text, "sources/s.yaml", PROJECT)
    assert source is None
    return [f"{d.location.line}:{d.location.column} {d.code} {d.message} | {d.hint}" for d in found if d.location]


def test_keys_come_in_the_order_of_the_projects_identifiers() -> None:
    source = bound(EVENTS.replace("{customer_id: k}", "{device_id: c, customer_id: k}"))

    assert source.key == (("customer_id", Column("k")), ("device_id", Column("c")))
    assert source.events[0].time.rule.zone == "Europe/Berlin"
    assert source.max_bad_rows == Limit(share=Decimal("0.01"))


def test_a_property_takes_the_type_of_each_kind() -> None:
    text = EVENTS.replace("event: order_completed", "event: {column: e}") + "    properties: {count: c}\n"

    targets = bound(text).events[0].properties

    assert [(t.type.kind, t.kinds) for t in targets] == [
        (Kind.INTEGER, ("order_completed",)),
        (Kind.TEXT, ("page_viewed",)),
    ]


def test_two_rules_with_one_id_keep_their_events_apart() -> None:
    text = EVENTS + "    id: n\n  - event: page_viewed\n    time: t\n    id: n\n"

    assert [rule.id_space for rule in bound(text).events] == ["", ":page_viewed"]


@pytest.mark.parametrize(
    ("written", "limit"),
    [
        ("0", Limit(count=0)),
        ("20", Limit(count=20)),
        ("20 rows", Limit(count=20)),
        ("0.5 %", Limit(share=Decimal("0.005"))),
    ],
)
def test_limits(written: str, limit: Limit) -> None:
    assert bound(f"max_bad_rows: {written}\n" + EVENTS).max_bad_rows == limit


def test_a_limit_is_exceeded_beyond_its_bound_only() -> None:
    share = Limit(share=Decimal("0.01"))

    assert not share.is_exceeded(1, 100)
    assert share.is_exceeded(2, 100)
    assert Limit(count=0).is_exceeded(1, 10**9)
    assert not share.is_exceeded(0, 0)


def test_thousands_alone_say_what_is_decimal() -> None:
    source = bound('csv: {thousands: "."}\n' + EVENTS)
    target = bound(EVENTS + '    properties: {value: {column: v, decimal: ","}}\n').events[0].properties[0]

    assert (source.csv.decimal, source.csv.thousands) == (",", ".")
    assert target.numbers == NumberForm(",", None)


def test_the_digest_is_about_meaning() -> None:
    plain, moved = bound(EVENTS), bound("# a comment\n\n" + EVENTS)
    other = bound(EVENTS.replace("time: t", "time: u"))

    assert plain.digest == moved.digest
    assert plain.digest != other.digest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("source: s\npth: a.csv\nkey: {customer_id: k}\nprofiles: {city: c}\n", "2:1 SEG300 `pth` is no key of a source | did you mean `path`?"),
        (EVENTS.replace("order_completed", "order_complete"), "5:12 SEG301 `order_complete` is not a declared event | did you mean `order_completed`?"),
        (EVENTS + "    properties: {valeu: v}\n", "7:18 SEG301 `valeu` is not a declared property of `order_completed` | did you mean `value`?"),
        (EVENTS.replace("customer_id", "custmer_id"), "3:7 SEG301 `custmer_id` is not a declared identifier | did you mean `customer_id`?"),
        ("source: s\npath: a\nkey: {customer_id: k}\nprofiles: {ctiy: c}\n", "4:12 SEG301 `ctiy` is not a declared trait | did you mean `city`?"),
        (EVENTS.replace("time: t", "time: {column: t, zone: Berlin}"), "6:29 SEG306 `Berlin` is no known time zone | zones are written as `Europe/Berlin` or `UTC`"),
        (EVENTS + '    properties: {value: {formula: "a × b"}}\n', "7:38 SEG302 the formula cannot be read: write `*` for `×` | names with blanks or signs stand in backticks: `` `unit price` * quantity ``"),
        (EVENTS + "picture: full\n", "7:1 SEG303 a full picture is for profiles; events are a log | delete the line"),
        (EVENTS + "profiles: {city: c}\n", "1:1 SEG303 a source has one of `profiles`, `events` and `related` | declare two sources over the same file"),
        ("source: s\npath: a\nprofiles: {city: c}\n", "1:1 SEG303 profiles need a `key` | name the column that says who it is"),
        (EVENTS.replace("    time: t\n", ""), "5:5 SEG300 the event rule has no `time` | name the column: `time: created_at`"),
        ("max_bad_rows: viele\n" + EVENTS, "1:15 SEG304 `viele` is no limit of bad rows | write a count (`20`) or a share (`1 %`)"),
        (EVENTS.replace("source: s", "source: Shop"), "1:9 SEG305 `Shop` is no name for a source | names are small letters, digits and `_`, and start with a letter"),
        ("only: {status: {equal: paid}}\n" + EVENTS, "1:17 SEG300 `equal` is no operator of `only` | did you mean `equals`?"),
        ("only: {total: {above: viele}}\n" + EVENTS, "1:23 SEG304 `viele` is not a number | compare numbers, written as `1234.5`"),
        ("only: {total: {between: 5}}\n" + EVENTS, "1:25 SEG300 `between` takes two numbers | write `between: [1, 10]`"),
        ("only: {nr: {contains: [a, b]}}\n" + EVENTS, "1:23 SEG300 `contains` takes one value | write `contains: VALUE`"),
        ("only: {nr: {matches: '\\bC'}}\n" + EVENTS, "1:22 SEG304 the word boundary `\\b` is not portable | Postgres reads it as a backspace and Polars by Unicode, others by ASCII"),
        ("only: {total: {above: 1e999999999}}\n" + EVENTS, "1:23 SEG304 `1e999999999` is not a number | compare numbers, written as `1234.5`"),
    ],
)  # fmt: skip
def test_mistakes_are_named_at_their_place(text: str, expected: str) -> None:
    assert expected in problems(text)


@pytest.mark.parametrize("text", ["[]", "a", "source: []\n", "events: x\nsource: s\npath: {}\n", "source: s\nkey: []\nprofiles: []\npath: [[a]]\n", "csv: 3\njson: []\nonly: 1\nsource: s\n", "events: [1, {event: {}}, {event: [a], time: []}]\nsource: s\npath: a\n"])  # fmt: skip
def test_nonsense_gives_diagnostics_and_no_traceback(text: str) -> None:
    assert problems(text)


def test_all_mistakes_of_a_file_come_together() -> None:
    assert (
        len(problems("source: S\nkey: {x: y}\nevents:\n  - {event: no, time: t}\n  - {event: order_completed}\n")) >= 5
    )


def test_two_files_with_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    for name in ("a", "b"):
        (tmp_path / "sources" / f"{name}.yaml").write_text(EVENTS)
    project = Project(str(tmp_path), "shop", identifiers=PROJECT.identifiers, events=PROJECT.events)

    sources, found = load_sources(project)

    assert list(sources) == ["s"]
    assert [(d.code, d.location.file if d.location else "") for d in found] == [("SEG305", "sources/b.yaml")]


def test_formulas_bind_products_before_sums_and_left_before_right() -> None:
    a, b, c = Column("a"), Column("b"), Column("c")

    assert parse_formula("a - b - c") == Call("-", (Call("-", (a, b)), c))
    assert parse_formula("a + b * c") == Call("+", (a, Call("*", (b, c))))
    assert parse_formula("-(`unit price` / 1.5)") == Call(
        "neg", (Call("/", (Column("unit price"), Literally(Decimal("1.5")))),)
    )
    assert parse_formula("coalesce(items.price, 0)") == Call("coalesce", (Column("items.price"), Literally(Decimal(0))))


@pytest.mark.parametrize("text", ["", "a +", "(a", "a b", "1,5", "f(a)", "'x", "a ** b", "coalesce()", "(" * 500 + "a" + ")" * 500, "+".join(["a"] * 900), "-" * 300 + "a"])  # fmt: skip
def test_broken_and_hostile_formulas_are_refused(text: str) -> None:
    with pytest.raises(FormulaError):
        parse_formula(text)


def test_declarations_are_added_without_touching_the_rest() -> None:
    before = (
        "segctl: 1\nname: x  # mine\ntraits:   # what we know\n    city: text\n\n# events follow\nevents:\n  a: {}\n"
    )

    after = add_declarations(before, {"traits": {"points": "integer"}, "identifiers": {"id": "{class: known}"}})

    assert (
        after
        == before.replace("    city: text\n", "    city: text\n    points: integer\n")
        + "\nidentifiers:\n  id: {class: known}\n"
    )


@pytest.mark.parametrize("before", ["traits: {city: text}\n", "traits:\n", "a: [\n", "traits:\n- x\n"])
def test_what_cannot_be_added_to_safely_is_left_alone(before: str) -> None:
    assert add_declarations(before, {"traits": {"points": "integer"}}) is None


EXAMPLES = sorted(path for top in ("configs", "segctl/templates") for path in (ROOT / top).rglob("sources/*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: "/".join(path.parts[-3:]))
def test_the_shipped_sources_bind_and_fit_the_schema(path: Path) -> None:
    schema = json.loads((ROOT / "segctl" / "compile" / "schemas" / "source.json").read_text(encoding="utf-8"))
    project, _ = load_project(path.parents[1])

    source, found = bind_source_file(path, project)

    assert source is not None, found
    assert not found
    assert not [error.message for error in Draft202012Validator(schema).iter_errors(yaml.safe_load(path.read_text()))]


@pytest.mark.parametrize(
    "text", [EVENTS + "pth: x\n", EVENTS.replace("    time: t\n", ""), "picture: whole\n" + EVENTS]
)
def test_what_does_not_bind_does_not_fit_the_schema(text: str) -> None:
    schema = json.loads((ROOT / "segctl" / "compile" / "schemas" / "source.json").read_text(encoding="utf-8"))

    assert list(Draft202012Validator(schema).iter_errors(yaml.safe_load(text)))
    assert problems(text)


def test_every_code_of_ingest_is_in_the_catalogue() -> None:
    files = [*(ROOT / "segctl").glob("operations/ingest/*.py"), *(ROOT / "segctl").glob("operations/quarantine/*.py")]
    files += [ROOT / "segctl" / "compile" / name for name in ("sources.py", "source_rules.py", "source_nodes.py")]
    raised = {code for file in files for code in re.findall(r"SEG3[0-3]\d", file.read_text(encoding="utf-8"))}

    assert raised
    assert not raised - set(ENTRIES)

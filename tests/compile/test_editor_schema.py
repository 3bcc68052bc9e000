"""Schemas with a project's names accept its files and refuse every name that it does not have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from builders import PROJECT, SEGMENTS, TRAITS
from jsonschema import Draft202012Validator
from test_schemas import EXAMPLES, GOOD, SCHEMAS, parsed

from segctl.compile import editor_schema
from segctl.operations.editor import names_of

SHOP = EXAMPLES[0]
PATTERNS = {"segment": "segments/**/*.yaml", "traits": "traits/**/*.yaml", "source": "sources/**/*.yaml",
            "test": "tests/**/*.yaml", "destination": "destinations/**/*.yaml",
            "experiment": "experiments/**/*.yaml", "workflow": "workflows/**/*.yaml",
            "content": "content/**/*.yaml"}  # fmt: skip


@cache
def validator(folder: Path, kind: str) -> Draft202012Validator:
    shipped = json.loads((SCHEMAS / f"{kind}.json").read_text(encoding="utf-8"))
    schema = editor_schema.SCHEMAS[kind](shipped, names_of(folder))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def accepts(kind: str, text: str, folder: Path = SHOP) -> bool:
    return bool(validator(folder, kind).is_valid(parsed(text)))


@pytest.fixture(scope="module")
def builders_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("editor")
    for folder in ("segments", "traits", "lists"):
        (root / folder).mkdir()
    (root / "segctl.yaml").write_text(PROJECT, encoding="utf-8")
    (root / "traits" / "t.yaml").write_text(TRAITS, encoding="utf-8")
    for name in ("x", "c", "eu"):
        (root / "lists" / f"{name}.csv").write_text("a\n", encoding="utf-8")
    for name, text in SEGMENTS.items():
        (root / "segments" / f"{name}.yaml").write_text(f"segment: {name}\n{text}", encoding="utf-8")
    return root


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("kind", PATTERNS)
def test_every_file_of_a_project_is_accepted(folder: Path, kind: str) -> None:
    files = sorted(folder.glob(PATTERNS[kind]))

    assert files or kind in ("test", "traits", "destination", "experiment", "workflow", "content")
    refused = {
        str(file): error.message[:200]
        for file in files
        for error in validator(folder, kind).iter_errors(parsed(file.read_text(encoding="utf-8")))
    }
    assert refused == {}


@pytest.mark.parametrize("condition", GOOD)
def test_what_binds_is_accepted(condition: str, builders_project: Path) -> None:
    assert accepts("segment", f"segment: tested\nwhere: {condition}", builders_project)


# What names something of the project, in which file; `of` and `by` are properties and traits.
NAMING = {"trait", "event", "segment", "related", "of", "by", "per", "identifier", "places", "same", "score", "value"}


def renamed(node: Any, *, of_segment: bool = False) -> Iterator[Any]:
    """The document with one name misspelt, once for each name in it."""
    if isinstance(node, list):
        for at, item in enumerate(node):
            for changed in renamed(item):
                yield [*node[:at], changed, *node[at + 1 :]]
    if isinstance(node, dict):
        for key, item in node.items():
            is_name = key in NAMING and not (of_segment and key == "segment")
            if is_name and isinstance(item, str) and item not in ("*", "") and not re.search(r"\{", item):
                yield {**node, key: f"{item}_x"}
            elif key == "where" and isinstance(item, dict) and not CONDITIONS & set(item):
                for name in item:
                    yield {**node, key: {f"{k}_x" if k == name else k: v for k, v in item.items()}}
            elif key == "gap":
                continue
            else:
                for changed in renamed(item):
                    yield {**node, key: changed}


CONDITIONS = {"all", "any", "none", "not", "trait", "event", "sequence", "segment", "sample", "list", "related", "near"}


@pytest.mark.parametrize("kind", ["segment", "traits"])
def test_every_misspelt_name_is_refused(kind: str) -> None:
    tried = 0
    for file in sorted(SHOP.glob(PATTERNS[kind])):
        for changed in renamed(yaml.safe_load(file.read_text(encoding="utf-8")), of_segment=kind == "segment"):
            tried += 1
            assert not validator(SHOP, kind).is_valid(changed), (file.name, changed)
    assert tried > {"segment": 100, "traits": 14}[kind]


@pytest.mark.parametrize(
    "condition",
    [
        "{trait: points, contains: x}", "{trait: tier, above: 3}", "{trait: newsletter, in: [true]}",
        "{trait: interests, equals: Wandern}", "{trait: birth_date, above: 3}", "{trait: points, ignore_case: true}",
        "{event: page_viewed, where: {price: 3}}", "{event: order_completed, sum: {of: coupon, above: 3}}",
        "{event: order_completed, where: {value: {contains: x}}}", "{event: order_completed, where: {time.year: 3}}",
        "{related: tickets, where: {price: 3}}", "{related: tickets, where: {time.hour: 3}}",
        "{related: colleagues, where: {topic: x}}", "{list: lists/stuff.csv, identifier: customer_id}",
        "{sequence: [{event: page_viewed}, {then: {event: order_completed, where: {section: x}}}]}",
        "{event: page_viewed, count: {followed_by: {event: order_completed, where: {section: x}}, at_least: 1}}",
    ],
)  # fmt: skip
def test_what_does_not_fit_a_type_or_an_event_is_refused(condition: str) -> None:
    assert not accepts("segment", f"segment: tested\nwhere: {condition}")


def test_names_made_of_for_each_are_not_marked() -> None:
    text = "segment: fans_of_{c}\nfor_each: {c: [tier]}\nwhere: {trait: '{c}', equals: gold}"

    assert accepts("segment", text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("test", "cases: [{case: a, given: {x: {order_complete: today}}, expect: {vip: {members: [x]}}}]"),
        ("test", "cases: [{case: a, given: {x: {points: 3}}, expect: {vpi: {members: [x]}}}]"),
        ("test", "memberships: {vpi: []}\ncases: [{case: a, given: {x: {points: 3}}, expect: {vip: {members: [x]}}}]"),
        ("source", "{source: a, path: a.csv, key: {customer: id}, profiles: {points: p}}"),
        ("source", "{source: a, path: a.csv, key: {customer_id: id}, profiles: {pionts: p}}"),
        ("source", "{source: a, path: a.csv, key: {customer_id: id}, events: [{event: bought, time: t}]}"),
        ("source", "{source: a, path: a.csv, key: {a: b}, events: [{event: page_viewed, time: t}]}"),
        ("source", "{source: a, path: a, events: [{event: page_viewed, time: t, properties: {value: v}}]}"),
        ("source", "{source: a, path: a.csv, key: {customer_id: id}, related: {table: ticket, id: x}}"),
        ("segment", "{segment: a, fresh: {order_complete: 1 day}, where: {trait: points, equals: 3}}"),
        ("segment", "{segment: a, keep: {top: 3, by: pionts}, where: {trait: points, equals: 3}}"),
    ],
)  # fmt: skip
def test_wrong_names_elsewhere_are_refused(kind: str, text: str) -> None:
    assert not accepts(kind, text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("test", "cases: [{case: a, given: {x: {points: 3, 'event: page_viewed': t}}, expect: {vip: {members: []}}}]"),
        ("source", "{source: a, path: a.csv, key: {customer_id: id}, profiles: {points: p}}"),
        ("segment", "{segment: a, fresh: {orders: 1 day}, where: {list: data/who.txt, identifier: customer_id}}"),
    ],
)  # fmt: skip
def test_right_names_elsewhere_are_accepted(kind: str, text: str) -> None:
    assert accepts(kind, text)


def test_an_editor_sees_types_and_titles() -> None:
    name = validator(SHOP, "segment").schema["$defs"]["traitName"]["anyOf"][0]

    shown = dict(zip(name["enum"], name["enumDescriptions"], strict=True))
    assert shown["lifetime_value"] == "money in EUR: Kundenwert"
    assert shown["points"] == "integer in points: Treuepunkte"


@pytest.mark.parametrize(
    "line",
    ["fields: {x: frist_name}", "identify: {email: emial}", "audiences: {winbak: x}", "purposes: [newsleter]"],
)
def test_a_destination_names_what_the_project_has(line: str) -> None:
    head = "destination: files\nkind: file\n"

    assert accepts("destination", f"{head}fields: {{x: first_name}}\naudiences: {{winback: x}}\n")
    assert not accepts("destination", f"{head}{line}\n")

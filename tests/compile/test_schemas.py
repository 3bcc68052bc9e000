"""The shipped JSON Schemas say the same about form as the binder."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import test_bind_meaning
import test_bind_problems
import yaml
from builders import PROJECT, SEGMENTS, TRAITS, definitions_of, diagnostics_of
from jsonschema import Draft202012Validator

from segctl.compile.definitions import load_definitions
from segctl.compile.project import bind_project_text, load_project
from segctl.model.catalogue import entries
from segctl.model.diagnostics import has_errors
from segctl.model.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "segctl" / "compile" / "schemas"
EXAMPLES = [ROOT / "configs", *sorted(path for path in (ROOT / "segctl" / "templates").glob("*") if path.is_dir())]


class EditorLoader(yaml.SafeLoader):
    """YAML as editors read it for a schema: YAML 1.2, where dates are texts and `NO` is no truth value."""


EditorLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":bool", ":int", ":float"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for tag, pattern, first in (
    ("tag:yaml.org,2002:bool", r"^(true|false|True|False|TRUE|FALSE)$", "tfTF"),
    ("tag:yaml.org,2002:int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"^[-+]?[0-9]+\.[0-9]*$", "-+0123456789"),
):
    EditorLoader.add_implicit_resolver(tag, __import__("re").compile(pattern), list(first))


def parsed(text: str) -> Any:
    return yaml.load(text, Loader=EditorLoader)


@cache
def validator(name: str) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def problems(name: str, text: str) -> list[str]:
    return [error.message[:200] for error in validator(name).iter_errors(parsed(text))]


def rows(function: Any) -> list[str]:
    (mark,) = [mark for mark in function.pytestmark if mark.name == "parametrize"]
    return [row[0] for row in mark.args[1]]


GOOD = [
    *(f"{{trait: {written}}}" for written in rows(test_bind_meaning.test_traits)),
    *(f"{{event: order_completed, {written}}}" for written in rows(test_bind_meaning.test_measures)),
    *(f"{{{written}}}" for written in rows(test_bind_meaning.test_selections_ask_for_one_event)),
    *(f"{{event: order_completed, where: {{{written}}}}}" for written in rows(test_bind_meaning.test_where)),
    "{all: [{event: product_added}, {not: {segment: staff_members}}], same: [product_id]}",
    "{any: [{sample: {percent: 10}}, {list: lists/x.csv, identifier: email}], at_least: 2}",
    "{none: [{trait: tier, changed: {to: gold, within_last: 30 days}}]}",
    "{sequence: [{event: logged_in, within_last: 3 days}, {then_not: {event: order_us, within: 2 hours}}], start: any}",
]
# Mistakes of form; mistakes of names and types are for the binder alone.
BAD = [
    *(row[0] for row in test_bind_problems.FORM if row[1] in ("SEG210", "SEG211", "SEG213", "SEG214")),
    "country", "[{trait: visits, equals: 1}]", "{all: {trait: visits, equals: 1}}", "{all: []}", "{any: 3}",
    "{not: [{trait: visits, equals: 1}]}", "{any: [{trait: visits, equals: 1}], at_least: 0}", "{sample: 10 %}",
    "{trait: country, in: DE}", "{trait: country, in: []}", "{trait: country, equals: [DE, AT]}",
    "{trait: points, between: [1]}", "{trait: points, equals: 5, missing: maybe}", "{trait: country, equals: }",
    "{event: order_completed, latest: 0}", "{event: order_completed, where: {}}", "{event: order_completed, count: 3}",
    "{event: order_completed, count: {}}", "{event: order_completed, days: 0}", "{event: order_completed, first: {}}",
    "{event: order_completed, within_next: 7 days}", "{event: order_completed, within_last: 7 Tage}",
    "{event: order_completed, within_last: 7 days, since: today}", "{event: order_completed, gap: average}",
    "{event: order_completed, count: {at_least: 1}, sum: {of: value, above: 3}}",
    "{event: order_completed, gap: {of: mean, at_least: 3 days}}", "{event: order_completed, sum: {above: 3}}",
    "{event: order_completed, share: {at_least: 50 %}}", "{trait: interests, size: 0}", "{sequence: []}",
    "{sequence: [{event: order_completed}]}", "{trait: tier, changed: gold}",
    "{sequence: [{then: {event: logged_in}}, {then: {event: order_us}}]}",
    "{sequence: [{event: logged_in}, {event: order_us}]}",
    "{sequence: [{event: logged_in}, {then: {event: order_us, within_last: 3 days}}]}",
    "{sequence: [{event: logged_in}, {then: {event: order_us}}], start: begin}",
]  # fmt: skip


@pytest.mark.parametrize("condition", GOOD)
def test_what_binds_is_valid(condition: str) -> None:
    assert not has_errors(diagnostics_of(condition))
    assert problems("segment", f"segment: tested\nwhere: {condition}") == []


@pytest.mark.parametrize("condition", BAD)
def test_a_mistake_of_form_is_found_by_both(condition: str) -> None:
    assert has_errors(diagnostics_of(condition))
    assert problems("segment", f"segment: tested\nwhere: {condition}") != []


@pytest.mark.parametrize(
    "header",
    [
        "titel: x", "tags: daily", "tags: []", "status: on", "guards: {max_removed: 20}", "guards: {min_size: few}",
        "keep: {top: 5}", "keep: {by: points}", "keep: {top: 5, bottom: 5, by: points}", "keep: {top: 0, by: points}",
        "fresh: {order_completed: soon}", "formerly: old", "send_to: {a: 1}", "purpose: News Letter",
        "keep: {top: 5, by: points, missing: drop}", "guards: {max_lost: 20 %}", "owner: [a]",
    ],
)  # fmt: skip
def test_a_mistake_in_the_header_is_found_by_both(header: str) -> None:
    text = f"{header}\nwhere: {{trait: country, equals: DE}}"

    assert has_errors(definitions_of({"tested": text})[1])
    assert problems("segment", f"segment: tested\n{text}") != []


@pytest.mark.parametrize(
    "text", ["segment: Tested\nwhere: {trait: a, equals: 1}", "segment: x", "where: {trait: a}", "[]"]
)
def test_a_segment_needs_a_name_and_a_condition(text: str) -> None:
    assert problems("segment", text) != []


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_every_example_project_binds_and_is_valid(folder: Path) -> None:
    project, found = load_project(folder)
    definitions, more = load_definitions(project)

    assert [*found, *more] == []
    assert definitions.segments
    assert problems("project", (folder / "segctl.yaml").read_text(encoding="utf-8")) == []
    for name, pattern in (("segment", "segments/**/*.yaml"), ("traits", "traits/**/*.yaml")):
        for file in folder.glob(pattern):
            assert problems(name, file.read_text(encoding="utf-8")) == [], file


def test_the_sample_project_is_valid() -> None:
    assert problems("project", PROJECT) == []
    assert problems("traits", TRAITS) == []
    assert all(problems("segment", f"segment: {name}\n{text}") == [] for name, text in SEGMENTS.items())


@pytest.mark.parametrize(
    "trait",
    [
        "{}", "{event: order_completed}", "{event: order_completed, formula: points}", "{formula: }",
        "{event: order_completed, count: {at_least: 3}}", "{event: order_completed, sum: value}",
        "{event: order_completed, sum: {}}", "{event: order_completed, first: {within_last: 3 days}}",
        "{event: order_completed, gap: mean}", "{event: order_completed, count: {}, sum: {of: value}}",
        "{event: order_completed, count: {}, within_next: 3 days}",
        "{event: order_completed, count: {}, missing: match}",
        "{type: text}", "text", "{formula: points, where: {coupon: X}}",
    ],
)  # fmt: skip
def test_a_mistake_in_a_trait_is_found_by_both(trait: str) -> None:
    text = f"traits:\n  tested: {trait}"

    assert has_errors(definitions_of({}, text)[1])
    assert problems("traits", text) != []


@pytest.mark.parametrize(
    "trait",
    [
        "{event: order_completed, days: {}}", "{event: order_completed, count: {followed_by: {event: logged_in}}}",
        "{event: order_completed, share: {where: {coupon: X}}, latest: 5, within_last: 1 year}",
        "{event: '*', first: time, title: 2026}", "{event: order_completed, gap: max, description: x}",
        "{formula: points, unit: points}", "{formula: '2 * visits'}",
    ],
)  # fmt: skip
def test_a_good_trait_is_good_for_both(trait: str) -> None:
    text = f"traits:\n  tested: {trait}"

    assert not has_errors(definitions_of({}, text)[1])
    assert problems("traits", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "name: shop", "segctl: 2", "segctl: 1\nlanguage: fr", "segctl: 1\nzone: UTC", "segctl: 1\npopulation: known",
        "segctl: 1\npopulation: [all]", "segctl: 1\nname: My Shop", "segctl: 1\nkeep_landed: long",
        "segctl: 1\ntraits: {points: int}", "segctl: 1\ntraits: {points: {unit: EUR}}", "segctl: 1\ntraits: {a: list}",
        "segctl: 1\ntraits: {a: {type: list}}", "segctl: 1\ntraits: {a: {type: list, of: {type: list, of: text}}}",
        "segctl: 1\ntraits: {a: {type: struct}}", "segctl: 1\ntraits: {a: {type: text, unit: EUR}}",
        "segctl: 1\ntraits: {a: {type: text, of: text}}", "segctl: 1\ntraits: {a: {type: integer, scale: 2}}",
        "segctl: 1\ntraits: {a: {type: money, scale: 12}}", "segctl: 1\ntraits: {a: {type: text, personal: maybe}}",
        "segctl: 1\ntraits: {Größe: text}", "segctl: 1\nevents: {a: {fields: {b: text}}}",
        "segctl: 1\nevents: {a: text}",
        "segctl: 1\nidentifiers: {email: known}", "segctl: 1\nidentifiers: {email: {class: private}}",
        "segctl: 1\nenvironments: {prod: {timezone: UTC}}", "segctl: 1\nenvironments: [dev]", "- segctl: 1",
    ],
)  # fmt: skip
def test_a_mistake_in_the_project_file_is_found_by_both(text: str) -> None:
    try:
        found = has_errors(bind_project_text(text, Path("/nowhere/x"))[1])
    except UsageError:
        found = True

    assert found
    assert problems("project", text) != []


@pytest.mark.parametrize(
    "text",
    [
        "segctl: 1", "segctl: 1\nevents: {a: , b: {}}",
        "segctl: 1\nkeep_landed: 2 weeks\nenvironments: {dev: , prod: {}}",
        "segctl: 1\ntraits:\nevents:",
        "segctl: 1\ntraits: {a: {type: money, unit: EUR, scale: 4, round: true, title: 5}}",
        "segctl: 1\npopulation: [known, anonymous]\nworkspace: ~/data",
    ],
)  # fmt: skip
def test_a_good_project_file_is_good_for_both(text: str) -> None:
    assert bind_project_text(text, Path("/nowhere/x"))[1] == []
    assert problems("project", text) == []


def test_every_key_is_described() -> None:
    for name in ("segment", "traits", "project"):
        schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
        assert all("description" in of for of in schema["properties"].values() if "properties" not in of), name


def test_examples_of_the_catalogue_about_form_are_invalid() -> None:
    for code in ("SEG210", "SEG211", "SEG212", "SEG213", "SEG214", "SEG215", "SEG217", "SEG242", "SEG251"):
        assert problems("segment", entries()[code].example) != [], code

"""The shipped JSON Schemas with a project's own names, so that an editor completes them and marks wrong ones."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from segctl.compile.bind.operators import fitting
from segctl.compile.bind.scope import describe_type
from segctl.compile.editor_names import Names, Typed, properties_of, with_time_parts
from segctl.model.experiments import ARM
from segctl.model.types import Kind, ValueType

Schema = dict[str, Any]
_TEMPLATE = r"\{[a-z][a-z0-9_]*\}"
"""A field of `for_each` in a value: what comes out of it is checked by `lint`, not while typing."""
_NUMERIC_MEASURES = ("sum", "average")
_MEASURES = ("min", "max", "distinct", "first_value", "last_value", "most_frequent")
_NOTHING: Schema = {"not": {}}


def segment_schema(shipped: Schema, names: Names) -> Schema:
    """Segment files: traits with the operators of their type, events and tables with their properties, and so on."""
    schema, defs = _copy(shipped)
    defs["template"] = {"type": "string", "pattern": _TEMPLATE, "description": "A field of `for_each`."}
    _shared_names(defs, names, templates=True)
    _conditions(defs, names)
    _headers(schema, names)
    return schema


def traits_schema(shipped: Schema, names: Names) -> Schema:
    """Files of computed traits."""
    schema, defs = _copy(shipped)
    _shared_names(defs, names, templates=False)
    defs["eventTrait"]["allOf"] = [*defs["eventTrait"].get("allOf", ()), {"$ref": "#/$defs/byEvent"}]
    related = defs["relatedTrait"]
    # The shipped one shares parts with traits of events, whose properties are others.
    for measure in ("sum", "average", "min", "max", "distinct", "share"):
        related["properties"][measure] = copy.deepcopy(defs["eventTrait"]["properties"][measure])
    related["properties"]["related"] = _enum(dict.fromkeys(names.tables, ""), "A declared table.")
    related["properties"]["where"] = {"$ref": "#/$defs/rowWhere"}
    related["properties"]["share"]["properties"]["where"] = {"$ref": "#/$defs/rowWhere"}
    related["allOf"] = [{"$ref": "#/$defs/byTable"}]
    score = defs["scoreTrait"]["properties"]
    for key in ("score", "with"):
        score[key] = {"$ref": "#/$defs/traitName", "description": score[key]["description"]}
    defs["rfmTrait"]["properties"]["rfm"]["allOf"] = [{"$ref": "#/$defs/byEvent"}]
    return schema


def test_schema(shipped: Schema, names: Names) -> Schema:
    """Files of tests: what profiles may have, and segments."""
    schema, defs = _copy(shipped)
    segments = {"propertyNames": _enum(names.segments, "A segment.")}
    defs["memberships"] |= segments
    defs["case"]["properties"]["expect"] |= segments
    profile = defs["profile"]
    value = profile.pop("additionalProperties")
    known = {name: names.described(name, of) for name, of in names.stored.items()}
    known |= dict.fromkeys(names.identifiers, "An identifier.") | {
        name: f"Event or row: {names.titles.get(name, name)}" for name in (*names.events, *names.tables)
    }
    profile["properties"] = {name: value | {"description": text} for name, text in known.items()} | profile[
        "properties"
    ]
    # A name that is a trait and an event alike is told apart by its kind.
    profile["patternProperties"] = {"^ *(trait|event|identifier|related) *:": value}
    profile["additionalProperties"] = False
    return schema


def source_schema(shipped: Schema, names: Names) -> Schema:
    """Source files: which identifiers, traits, events, tables and properties rows become."""
    schema, defs = _copy(shipped)
    value = {"$ref": "#/$defs/value"}
    events = _enum({name: names.titles.get(name, "") for name in names.events}, "A declared event.")
    properties = schema["properties"]
    properties["key"] = _keys(properties["key"], dict.fromkeys(names.identifiers, "An identifier."), value)
    stored = {name: names.described(name, of) for name, of in names.stored.items()}
    properties["profiles"]["oneOf"][0] = _keys(properties["profiles"]["oneOf"][0], stored, value)
    properties["events"]["oneOf"][1]["additionalProperties"] = events
    rule = defs["rule"]["properties"]
    rule["event"]["oneOf"][0] = events
    rule["event"]["oneOf"][1]["properties"]["map"]["additionalProperties"] = events
    every = {name: names.described(name, of) for name, of in properties_of(names.events.values()).items()}
    rule["properties"] = _keys(rule["properties"], every, value)
    defs["rule"] |= _all(
        _when("event", event, {"properties": {"properties": {"propertyNames": _enum(_described(names, typed))}}})
        for event, typed in names.events.items()
    )
    table = properties["related"]
    table["properties"]["table"] = _enum(dict.fromkeys(names.tables, ""), "A declared table.")
    table |= _all(
        _when("table", name, {"properties": {"properties": {"propertyNames": _enum(_described(names, typed))}}})
        for name, typed in names.tables.items()
    )
    return schema


def destination_schema(shipped: Schema, names: Names) -> Schema:
    """Destination files: what may be told of people, for which purposes, and which segments have names there."""
    schema, _ = _copy(shipped)
    values = {name: names.described(name, of) for name, of in names.traits.items() if "." not in name}
    values = dict.fromkeys(names.identifiers, "An identifier.") | values
    properties = schema["properties"]
    properties["identify"]["additionalProperties"] = _enum(values)
    properties["fields"]["additionalProperties"] = _enum(values | {ARM: "The arm of an experiment."})
    properties["audiences"]["propertyNames"] = _enum(names.segments)
    properties["purposes"]["items"] = _enum(names.purposes)
    return schema


def experiment_schema(shipped: Schema, names: Names) -> Schema:
    """Experiment files: segments, stored traits, and events with their properties."""
    schema, defs = _copy(shipped)
    _shared_names(defs, names, templates=False)
    for part in ("metric", "part"):
        defs[part]["allOf"] = [{"$ref": "#/$defs/byEvent"}]
    stored = _enum({name: names.described(name, of) for name, of in names.stored.items()})
    segments, properties = _enum(names.segments), schema["properties"]
    properties["segment"] |= segments
    properties["exclude"]["items"] = segments
    properties["strata"]["items"] = stored
    properties["unit"]["oneOf"][1]["properties"]["same"] = stored
    return schema


def workflow_schema(shipped: Schema, names: Names) -> Schema:
    """Workflow files: segments, events, purposes and stored traits."""
    schema, defs = _copy(shipped)
    segments, events = _enum(names.segments, "A segment."), _enum(dict.fromkeys(names.events, ""), "A declared event.")
    for one in defs["trigger"]["oneOf"]:
        for key in ("entered", "left", "stayed", "segment"):
            if key in one["properties"]:
                one["properties"][key] = segments
    defs["event"]["anyOf"] = [events, {"type": "array", "items": events, "minItems": 1}]
    purposes = _enum(names.purposes, "A declared purpose.")
    schema["properties"]["purpose"] |= purposes
    for one in defs["step"]["oneOf"]:
        if "purpose" in one["properties"]:
            one["properties"]["purpose"] = purposes
    defs["quiet"]["properties"]["zone"] |= _enum(dict.fromkeys(names.stored, ""))
    return schema


def content_schema(shipped: Schema, names: Names) -> Schema:
    """Content files: traits, events, segments and purposes."""
    schema, defs = _copy(shipped)
    defs["trait"] = _enum({name: names.described(name, of) for name, of in names.traits.items()}, "A trait.")
    defs["event"] = _enum(dict.fromkeys(names.events, ""), "A declared event.")
    defs["segment"] = _enum(names.segments, "A segment.")
    defs["template"]["properties"]["purpose"] = _enum(names.purposes, "A declared purpose.")
    return schema


SCHEMAS = {
    "segment": segment_schema,
    "traits": traits_schema,
    "test": test_schema,
    "source": source_schema,
    "destination": destination_schema,
    "experiment": experiment_schema,
    "workflow": workflow_schema,
    "content": content_schema,
}
"""Schema name → function that puts the names in."""


# --- What segments and traits share -----------------------------------------------------------------------
def _shared_names(defs: Schema, names: Names, *, templates: bool) -> None:
    """Definitions of names, and the event selections, rows and operands that use them."""
    traits = {name: names.described(name, of) for name, of in names.traits.items()}
    events = {name: names.titles.get(name, "") for name in names.events}
    every = with_time_parts(properties_of(names.events.values()))
    rows = properties_of(names.tables.values())
    anything = _described(names, properties_of(names.events.values()) | rows)
    defs["traitName"] = _name(traits, "A stored or computed trait.", templates=templates)
    defs["eventName"] = _name(events, "A declared event.", templates=templates)
    defs["propertyName"] = _name(anything, "A property.", templates=templates)
    defs["listFile"] = _list_file(names, templates=templates)
    defs["events"]["anyOf"] = [
        {"anyOf": [{"$ref": "#/$defs/eventName"}, {"const": "*", "description": "Every event."}]},
        {"type": "array", "items": {"$ref": "#/$defs/eventName"}, "minItems": 1},
    ]
    for part in ("where", "rowWhere"):
        defs[part] = _where(names, every if part == "where" else rows, templates=templates, like=defs["where"])
    defs["byEvent"] = _all(_of_event(names, event, typed, templates) for event, typed in names.events.items())
    defs["byTable"] = _all(_of_table(names, table, typed, templates) for table, typed in names.tables.items())
    defs["followedBy"]["allOf"] = [{"$ref": "#/$defs/byEvent"}]
    defs["same"]["items"] = {"$ref": "#/$defs/propertyName"}
    defs["traitOperand"]["properties"]["trait"] = {"$ref": "#/$defs/traitName", "description": "Of the same profile."}
    defs["listOperand"]["properties"]["list"] = {"$ref": "#/$defs/listFile"}


def _of_event(names: Names, event: str, typed: Typed, templates: bool) -> Schema:
    where = _where(names, with_time_parts(typed), templates=templates)
    measures = _measures(names, typed, where, templates)
    # `value` is what `rfm` sums.
    value = measures["sum"]["properties"]["of"]
    return _when("event", event, {"properties": {"where": where, "value": value, **measures}})


def _of_table(names: Names, table: str, typed: Typed, templates: bool) -> Schema:
    where = _where(names, typed, templates=templates)
    return _when("related", table, {"properties": {"where": where, **_measures(names, typed, where, templates)}})


def _measures(names: Names, typed: Typed, where: Schema, templates: bool) -> Schema:
    numeric = {name: of for name, of in typed.items() if of.is_numeric}
    found: Schema = {"share": {"properties": {"where": where}}}
    for measures, options in ((_NUMERIC_MEASURES, numeric), (_MEASURES, typed)):
        of = _name(_described(names, options), "A property of it.", templates=templates)
        found |= {measure: {"properties": {"of": of}} for measure in measures}
    return found


def _where(names: Names, typed: Typed, *, templates: bool, like: Schema | None = None) -> Schema:
    found: Schema = {
        "properties": {name: _value_of(of) | {"description": names.described(name, of)} for name, of in typed.items()},
        "additionalProperties": False,
    }
    if templates:
        found["patternProperties"] = {_TEMPLATE: {"$ref": "#/$defs/propertyValue"}}
    if like is not None:
        found |= {"type": "object", "description": like["description"], "minProperties": 1}
    return found


def _value_of(of: ValueType) -> Schema:
    """A value, or a test with an operator that the type has."""
    keys = ["trait", "list", *fitting(of), *(["ignore_case"] if of.kind in (Kind.TEXT, Kind.LIST) else [])]
    return {"$ref": "#/$defs/propertyValue", "if": {"type": "object"}, "then": {"propertyNames": {"enum": keys}}}


# --- Conditions and headers of segments -------------------------------------------------------------------
def _conditions(defs: Schema, names: Names) -> None:
    defs["segmentName"] = _name(names.segments, "Member of this segment.", templates=True)
    defs["segment"]["properties"]["segment"] = {"$ref": "#/$defs/segmentName"}
    defs["trait"]["properties"]["trait"] = {"$ref": "#/$defs/traitName"}
    defs["trait"] |= _all([*defs["trait"].get("allOf", ()), *_by_type(names.traits)])
    for part in ("event", "firstStep", "step"):
        defs[part]["allOf"] = [*defs[part].get("allOf", ()), {"$ref": "#/$defs/byEvent"}]
    defs["propertyTest"]["properties"]["of"] = {"$ref": "#/$defs/propertyName"}
    _related(defs, names)
    _near(defs, names)
    consent = defs["consent"]["properties"]
    consent["consent"] = _name(names.purposes, "A declared purpose.", templates=True)
    consent["channel"] = _name(dict.fromkeys(names.channels, ""), "A channel of the purpose.", templates=True)
    identifiers = _name(dict.fromkeys(names.identifiers, ""), "The identifier in the column.", templates=True)
    defs["list"]["properties"] |= {"list": {"$ref": "#/$defs/listFile"}, "identifier": identifiers}
    defs["listOfItems"]["properties"]["list"] = {"$ref": "#/$defs/listFile"}


def _by_type(traits: Typed) -> Iterable[Schema]:
    """Which operators the traits of each type have."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, of in traits.items():
        keys = (*fitting(of), *(("ignore_case",) if of.kind in (Kind.TEXT, Kind.LIST) else ()))
        groups.setdefault(keys, []).append(name)
    for keys, members in groups.items():
        told = describe_type(traits[members[0]]) if len(members) == 1 else "Operators that these traits have."
        yield {
            "if": {"properties": {"trait": {"enum": members}}, "required": ["trait"]},
            "then": {"description": told, "propertyNames": {"enum": ["trait", *keys, "changed", "missing"]}},
        }


def _related(defs: Schema, names: Names) -> None:
    related = defs["related"]["properties"]
    titles = {name: names.titles.get(name, "") for name in (*names.tables, *names.colleagues)}
    related["related"] = _name(titles, "A declared table or group of colleagues.", templates=True)
    related["where"]["anyOf"][0] = {"$ref": "#/$defs/rowWhere"}
    share = copy.deepcopy(defs["event"]["properties"]["share"])
    share["properties"]["where"] = {"$ref": "#/$defs/rowWhere"}
    related["share"] = share | {"description": related["share"]["description"]}
    groups = {"properties": {"where": {"$ref": "#/$defs/condition"}}}
    defs["related"]["allOf"] = [{"$ref": "#/$defs/byTable"}, *(_when("related", g, groups) for g in names.colleagues)]


def _near(defs: Schema, names: Names) -> None:
    near = defs["near"]["properties"]
    places = _name(dict.fromkeys(names.places, ""), "Declared under `places`.", templates=True)
    near["near"]["oneOf"][2]["properties"]["places"] = places
    near["trait"]["anyOf"][0] = {"$ref": "#/$defs/traitName"}
    parts = defs["placeTraits"]["properties"]
    for key in ("latitude", "longitude", "postal_code"):
        parts[key] = {"$ref": "#/$defs/traitName", "description": parts[key]["description"]}
    parts["country"] = {
        "description": parts["country"]["description"],
        "anyOf": [{"$ref": "#/$defs/traitName"}, {"type": "string", "pattern": "^[A-Z]{2}$"}],
    }


def _headers(schema: Schema, names: Names) -> None:
    properties = schema["properties"]
    for key in ("owner", "purpose"):
        properties[key] |= {"examples": list(names.used[key])} if names.used[key] else {}
    for key in ("tags", "send_to"):
        properties[key]["items"] |= {"examples": list(names.used[key])} if names.used[key] else {}
    for key in ("by", "per"):
        properties["keep"]["properties"][key] |= {"$ref": "#/$defs/traitName"}
        properties["keep"]["properties"][key].pop("type")
    fresh = properties["fresh"]
    limit = fresh["additionalProperties"]
    inputs = (*names.events, *names.sources, *names.tables)
    fresh["properties"] = dict.fromkeys(inputs, limit) | fresh.get("properties", {})
    fresh |= {"patternProperties": {_TEMPLATE: limit}, "additionalProperties": False}


# --- Pieces -----------------------------------------------------------------------------------------------
def _copy(shipped: Schema) -> tuple[Schema, Schema]:
    schema = copy.deepcopy(shipped)
    schema["$id"] = f"{shipped['$id']}/project"
    schema["description"] = f"{shipped['description']} With the names of this project: write it anew when they change."
    return schema, schema["$defs"]


def _described(names: Names, typed: Typed) -> dict[str, str]:
    return {name: names.described(name, of) for name, of in typed.items()}


def _enum(options: Mapping[str, str], description: str = "") -> Schema:
    """One of the names; `enumDescriptions` is what VS Code shows beside each."""
    told = {"description": description} if description else {}
    if not options:
        return _NOTHING | told
    shown = {"enumDescriptions": list(options.values())} if any(options.values()) else {}
    return {"enum": list(options), **shown, **told}


def _name(options: Mapping[str, str], description: str, *, templates: bool) -> Schema:
    if not templates:
        return _enum(options, description)
    return {"description": description, "anyOf": [_enum(options), {"$ref": "#/$defs/template"}]}


def _list_file(names: Names, *, templates: bool) -> Schema:
    """A known list; files in other folders are not looked for, so they are not marked."""
    elsewhere = {"type": "string", "pattern": "^(?!lists/)[^{}]*\\.[A-Za-z0-9]+$"}
    options = [_enum(dict.fromkeys(names.lists, "")), elsewhere]
    return {
        "description": "A file of the project.",
        "anyOf": [*options, {"$ref": "#/$defs/template"}] if templates else options,
    }


def _keys(schema: Schema, options: Mapping[str, str], value: Schema) -> Schema:
    """An object whose keys are these names."""
    return schema | {
        "properties": {name: value | ({"description": text} if text else {}) for name, text in options.items()},
        "additionalProperties": False,
    }


def _all(parts: Iterable[Schema]) -> Schema:
    """`allOf`, which must not be empty."""
    found = list(parts)
    return {"allOf": found} if found else {}


def _when(key: str, name: str, then: Schema) -> Schema:
    return {"if": {"properties": {key: {"const": name}}, "required": [key]}, "then": then}

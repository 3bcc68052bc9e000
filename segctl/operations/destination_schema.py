"""The JSON Schema of `destinations/*.yaml`, made from what each kind says of its settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from segctl.operations.destinations import RECIPIENTS

if TYPE_CHECKING:
    from segctl.model.destinations import Option

Schema = dict[str, Any]
_NAME = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,62}$"}
_TEXTS = {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True}
_NAMES = {"type": "object", "additionalProperties": {"type": "string"}}
_SHARE = {"type": "string", "pattern": "^\\s*\\d+(\\.\\d+)?\\s*%\\s*$"}


def destination_schema() -> Schema:
    """The schema with the kinds that ship with segctl; of another kind only the common keys are known."""
    from segctl.connectors.destinations import DESTINATIONS, kind

    kinds = sorted(DESTINATIONS)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "segctl/destination/1",
        "title": "segctl destination",
        "description": "One file of the folder destinations: which service, what for, and how people are named there.",
        "type": "object",
        "required": ["destination", "kind"],
        "properties": _common(kinds),
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": name}}, "required": ["kind"]},
                "then": _of_kind(kind(name).OPTIONS),
            }
            for name in kinds
        ],
        "$defs": {"secret": _secret()},
    }


def written() -> str:
    """The schema as it ships."""
    return json.dumps(destination_schema(), ensure_ascii=False, indent=1) + "\n"


def _common(kinds: list[str]) -> Schema:
    able = {"anyOf": [{"enum": kinds}, {"type": "string"}]}
    guards = {
        "max_removed": _SHARE | {"description": "Larger shares of removals are refused."},
        "max_added": _SHARE | {"description": "Larger shares of additions are refused."},
        "min_size": {"type": "integer", "minimum": 0},
        "max_size": {"type": "integer", "minimum": 0},
    }
    recipient = {
        "class": {"enum": list(RECIPIENTS)},
        "country": {"type": "string"},
        "transfer": {"type": "string"},
        "name": {"type": "string"},
    }
    return {
        "destination": _NAME | {"description": "Name, unique in the project."},
        "kind": able | {"description": "Kind of connector; segctl help destinations lists them."},
        "title": {"type": "string"},
        "description": {"type": "string"},
        "owner": {"type": "string"},
        "purposes": _TEXTS | {"description": "Purposes of segctl.yaml that it may be used for."},
        "channel": {"type": "string", "description": "What people are reached by there; else the kind's own."},
        "mode": {"enum": ["mirror", "add", "update"], "description": "add: nobody leaves; update: nobody enters."},
        "identify": _NAMES | {"description": "Identifier there: trait or identifier of the project."},
        "fields": _NAMES | {"description": "Field there: trait. Nothing else leaves the house."},
        "audiences": _NAMES | {"description": "Segment: name or id of its audience there."},
        "guards": {"type": "object", "properties": guards, "additionalProperties": False},
        "allowed_hosts": _TEXTS | {"description": "Hosts that may be spoken to; else the kind's own."},
        "recipient": {"type": "object", "properties": recipient, "additionalProperties": False},
    }


def _of_kind(options: tuple[Option, ...]) -> Schema:
    found: Schema = {
        # Written again, since what may stand here is the common keys and these.
        "properties": dict.fromkeys(_common([]), True) | {option.name: _of_option(option) for option in options},
        "additionalProperties": False,
    }
    required = [option.name for option in options if option.required]
    return found | ({"required": required} if required else {})


def _of_option(option: Option) -> Schema:
    forms: dict[str, Schema] = {
        "text": {"type": ["string", "number"]},
        "url": {"type": "string", "pattern": "^https?://"},
        "integer": {"type": "integer"},
        "number": {"type": "number"},
        "boolean": {"type": "boolean"},
        "choice": {"enum": list(option.choices)},
        "list": {"type": ["array", "string"], "items": {"type": ["string", "number"]}},
        "mapping": {"type": "object"},
        "secret": {"$ref": "#/$defs/secret"},
    }
    default = {} if option.default is None else {"default": option.default}
    return forms[option.type] | {"description": f"{option.help[:1].upper()}{option.help[1:]}."} | default


def _secret() -> Schema:
    words = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    forms = {"env": {"type": "string"}, "file": {"type": "string"}, "command": {"anyOf": [words, {"type": "string"}]}}
    return {
        "description": "Where a secret stands: {env: NAME}, {file: path} or {command: [program, …]}.",
        "type": "object",
        "properties": forms,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }

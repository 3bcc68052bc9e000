"""The schema of destinations says the same as the kinds, and as the binder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from segctl.operations.destination_schema import written

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "segctl" / "compile" / "schemas" / "destination.json"
HOOK = "destination: hook\nkind: webhook\nurl: https://example.com/hook\n"


def errors(text: str) -> list[str]:
    """What the shipped schema finds."""
    schema = json.loads(SHIPPED.read_text("utf-8"))
    return [error.message for error in Draft202012Validator(schema).iter_errors(yaml.safe_load(text))]


def test_the_shipped_schema_is_that_of_the_kinds(golden: Any) -> None:
    golden.compare(written(), SHIPPED)


def test_the_shipped_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json.loads(SHIPPED.read_text("utf-8")))


@pytest.mark.parametrize("path", sorted((ROOT / "configs" / "destinations").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shops_destinations_fit(path: Path) -> None:
    assert errors(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "kind: webhook\n",
        "destination: hook\n",
        "destination: hook\nkind: webhook\n",
        HOOK + "tittle: x\n",
        HOOK + "per: persn\n",
        HOOK + "timeout_s: soon\n",
        HOOK + "secret: whsec_0123456789\n",
        HOOK + "mode: miror\n",
        HOOK + "guards: {max_removed: 20}\n",
        HOOK + "recipient: {class: newspaper}\n",
        HOOK + "identify: email\n",
    ],
)
def test_a_mistake_is_marked(text: str) -> None:
    assert errors(text)


def test_a_kind_of_another_package_is_not_marked() -> None:
    assert errors("destination: x\nkind: of_our_own\nanything: {at: all}\n") == []

"""What `collector:` of a source may say."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml

from segctl.compile.project import bind_project_text
from segctl.compile.sources import bind_source_text
from segctl.model.fetching_collector import PROTOCOLS, CollectorFetch
from segctl.model.secrets import Secret, forget, masked
from segctl.model.sources import Source

PROJECT = (
    "segctl: 1\nname: t\nidentifiers:\n  user_id: {class: known}\nevents:\n  paid: {properties: {amount: number}}\n"
)
TRACKED = "source: s\nkind: collector\ntracking: segment\n"
MAPPED = "source: s\nkind: collector\nkey: {user_id: who}\nevents:\n  - {event: paid, time: at, properties: {}}\n"


def hooked(accepts: str, more: str) -> str:
    return f"{MAPPED}collector: {{accepts: {accepts}, secret: {{env: A}}, {more}}}\n"


def bound(text: str) -> tuple[Source | None, list[tuple[str, int, str]]]:
    project, findings = bind_project_text(PROJECT, Path("."))
    assert project is not None, findings
    source, found = bind_source_text(text, "sources/s.yaml", project)
    return source, [(one.code, one.location.line if one.location else 0, one.message) for one in found]


def fetch(text: str) -> CollectorFetch:
    source, found = bound(text)
    assert found == []
    assert source is not None
    assert isinstance(source.fetch, CollectorFetch)
    return source.fetch


def schema_takes(text: str) -> bool:
    schema = json.loads(files("segctl.compile.schemas").joinpath("source.json").read_text(encoding="utf-8"))
    return bool(jsonschema.Draft202012Validator(schema).is_valid(yaml.safe_load(text)))


def test_a_declaration_of_three_lines_takes_what_its_shape_sends() -> None:
    assert fetch(TRACKED) == CollectorFetch("segment")
    assert fetch(MAPPED).accepts == "json"
    assert schema_takes(TRACKED)


def test_every_setting_is_bound() -> None:
    text = TRACKED + (
        "collector:\n  accepts: segment\n  keys: {shop: {env: SHOP}, app: {file: app.key}}\n"
        "  origins: [https://Shop.example, 'http://localhost:3000']\n  rate: 50\n  max_kb: 20\n  max_batch: 7\n"
        "  tolerance: 1 min\n  remember: 1 h\n  ip: short\n  id: nr\n"
    )

    assert schema_takes(text)
    assert fetch(text) == CollectorFetch(
        "segment",
        keys=(("shop", Secret("env", ("SHOP",))), ("app", Secret("file", ("app.key",)))),
        origins=("https://shop.example", "http://localhost:3000"),
        rate=50,
        most_bytes=20_000,
        most_messages=7,
        tolerance_s=60.0,
        remember_s=3600.0,
        address="short",
        id="nr",
    )


def test_webhooks_have_secrets_two_of_them_while_one_is_exchanged() -> None:
    text = MAPPED + "collector: {accepts: hubspot, secret: [{env: A}, {env: B}], url: 'https://t.example/hooks/s'}\n"

    found = fetch(text)

    assert schema_takes(text)
    assert found.secrets == (Secret("env", ("A",)), Secret("env", ("B",)))
    assert found.url == "https://t.example/hooks/s"


def test_what_signs_no_time_is_remembered_for_long() -> None:
    text = hooked("shopify", "topics: [orders/create, orders/paid]")

    found = fetch(text)

    assert schema_takes(text)
    assert found.topics == ("orders/create", "orders/paid")
    assert found.remember_s == 90 * 86_400.0
    assert fetch(hooked("shopify", "remember: 2 d")).remember_s == 2 * 86_400.0
    assert fetch(hooked("stripe", "remember: 10 min")).remember_s == 600.0


@pytest.mark.parametrize(
    ("text", "code", "line", "said"),
    [
        (TRACKED + "collector: {acepts: segment}\n", "SEG300", 4, "acepts"),
        (TRACKED + "collector: {accepts: matomo}\n", "SEG304", 4, "matomo"),
        (TRACKED + "collector: {accepts: stripe, secret: {env: A}}\n", "SEG642", 4, "no records of `tracking"),
        ("source: s\nkind: collector\ntracking: ga360\n", "SEG642", 3, "nothing sends records of `ga360`"),
        (TRACKED + "collector: {secret: {env: A}}\n", "SEG642", 4, "signs nothing"),
        (MAPPED + "collector: {accepts: stripe, keys: {a: {env: A}}, secret: {env: B}}\n", "SEG642", 6, "no write key"),
        (MAPPED + "collector: {accepts: stripe}\n", "SEG300", 6, "`secret` is missing"),
        (MAPPED + "collector: {accepts: hubspot, secret: {env: B}}\n", "SEG300", 6, "signs the address"),
        (MAPPED + "collector: {accepts: json, url: 'https://a.b'}\n", "SEG642", 6, "is for HubSpot"),
        (TRACKED + "collector: {keys: {a: {env: A}}, open: true}\n", "SEG642", 4, "anybody"),
        (TRACKED + "collector: {keys: {A: {env: A}}}\n", "SEG305", 4, "no name"),
        (TRACKED + "collector: {origins: shop.example}\n", "SEG304", 4, "no origin"),
        (TRACKED + "collector: {origins: 'https://shop.example/x'}\n", "SEG304", 4, "no origin"),
        (TRACKED + "collector: {max_kb: 20000}\n", "SEG304", 4, "from 1 to"),
        (TRACKED + "collector: {rate: 0}\n", "SEG304", 4, "from 1 to"),
        (TRACKED + "collector: {tolerance: soon}\n", "SEG304", 4, "soon"),
        (hooked("stripe", "tolerance: 2 d"), "SEG642", 6, "taken again"),
        (hooked("standard_webhooks", "remember: 9 min, tolerance: 5 min"), "SEG642", 6, "taken again"),
        (hooked("stripe", "topics: [a]"), "SEG642", 6, "signs what its requests are about"),
        (TRACKED + "collector: {ip: all}\n", "SEG304", 4, "all"),
        (TRACKED + "collector: [a]\n", "SEG300", 4, "keys with values"),
        (TRACKED + "path: a.csv\n", "SEG303", 4, "is for files"),
        ("source: s\npath: a.csv\ntracking: segment\ncollector: {}\n", "SEG303", 4, "for sources of kind `collector`"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(text: str, code: str, line: int, said: str) -> None:
    source, found = bound(text)

    assert source is None
    assert [(one, at) for one, at, message in found if said in message] == [(code, line)]


def test_a_key_that_is_written_out_is_refused_and_masked() -> None:
    try:
        _, found = bound(TRACKED + "collector: {keys: {shop: wk_written_out_123}}\n")

        assert [(code, line) for code, line, _ in found] == [("SEG370", 4)]
        assert masked("wk_written_out_123") == "***"
    finally:
        forget()


def test_every_protocol_is_in_the_schema() -> None:
    schema = json.loads(files("segctl.compile.schemas").joinpath("source.json").read_text(encoding="utf-8"))

    assert tuple(schema["$defs"]["collector"]["properties"]["accepts"]["enum"]) == PROTOCOLS

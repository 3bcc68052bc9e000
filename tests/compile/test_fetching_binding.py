"""Declarations of REST sources: what binds, what presets add, and what is said about mistakes."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from segctl.compile.fetching_auth import AUTH_KEYS, OAUTH_KEYS
from segctl.compile.fetching_presets import preset, preset_names
from segctl.compile.fetching_rest import CURSOR_KEYS, LIMITS_KEYS, PAGES_KEYS, REST_KEYS
from segctl.compile.sources import bind_source_text
from segctl.model.fetching_rest import (
    ApiKey,
    Basic,
    Bearer,
    ClientCredentials,
    Cursor,
    Limits,
    Pages,
    RestFetch,
)
from segctl.model.project import EventKind, IdentifierType, Project, StoredTrait
from segctl.model.secrets import Secret, forget, masked
from segctl.model.sources import Column, Source
from segctl.model.types import TEXT, TIME, Kind, ValueType

HELP = Path(__file__).resolve().parents[2] / "segctl" / "help"
MONEY = ValueType(Kind.MONEY, 2, "EUR")
PROJECT = Project(
    root="/nowhere",
    name="shop",
    identifiers=(IdentifierType("customer_id"), IdentifierType("email"), IdentifierType("klaviyo_id")),
    traits=(StoredTrait("email", TEXT), StoredTrait("city", TEXT), StoredTrait("created_at", TIME)),
    events=(
        EventKind("order_completed", (("order_id", TEXT), ("value", MONEY))),
        EventKind("klaviyo_event", (("metric_id", TEXT),)),
    ),
)
HEAD = "source: api\nkind: rest\nkey: {customer_id: id}\nprofiles: {city: city}\nrest:\n"
URL = "  base_url: https://api.example.com/v1/\n"


@pytest.fixture(autouse=True)
def _forget():
    yield
    forget()


def bound(text: str) -> Source:
    source, found = bind_source_text(text, "sources/api.yaml", PROJECT)
    assert source is not None, [f.message for f in found]
    return source


def rest(text: str) -> RestFetch:
    fetch = bound(HEAD + URL + text).fetch
    assert isinstance(fetch, RestFetch)
    return fetch


def problems(text: str) -> list[str]:
    source, found = bind_source_text(text, "sources/api.yaml", PROJECT)
    assert source is None
    return [f"{d.code} {d.message} | {d.hint}" for d in found]


def test_everything_that_can_be_said_about_a_service() -> None:
    text = """
  path: people
  method: POST
  repeatable: true
  auth: {api_key: {header: X-Key, value: {env: KEY}, prefix: "Key "}}
  params: {fields: [a, b], token: {file: secrets/token}}
  headers: {X-Version: 2026-01}
  body: {query: "{people}", first: 100, deep: {yes: true}}
  records: data.items
  error: error
  pages: {style: cursor, param: vars.after, path: data.next, size: 50, size_param: vars.first, total: n, in: body}
  cursor: {field: updated, param: since, format: epoch_ms, overlap: 5 min}
  limits: {requests: 10, per: 2 s, retries: 3, longest_wait: 1 h, connect: 5 s, read: 500 ms, page: 2 min, page_mb: 8}
  ca_bundle: ca.pem
"""
    assert rest(text) == RestFetch(
        "https://api.example.com/v1",
        "people",
        "POST",
        ApiKey("header", "X-Key", Secret("env", ("KEY",)), "Key "),
        (("fields", "a"), ("fields", "b"), ("token", Secret("file", ("secrets/token",)))),
        (("X-Version", "2026-01"),),
        '{"query": "{people}", "first": 100, "deep": {"yes": true}}',
        True,
        "data.items",
        "error",
        Pages("cursor", "vars.after", "data.next", "", "", 50, "vars.first", 1, "n", "body"),
        Cursor("updated", "since", "epoch_ms", overlap_s=300),
        Limits(10, 2.0, 3, longest_wait_s=3600, connect_s=5, read_s=0.5, page_s=120, page_bytes=8 * 1024 * 1024),
        "ca.pem",
    )


@pytest.mark.parametrize(
    ("written", "auth"),
    [
        ("{bearer: {command: [pass, show, key]}}", Bearer(Secret("command", ("pass", "show", "key")))),
        ("{basic: {user: me, password: {env: P}}}", Basic("me", Secret("env", ("P",)))),
        ("{basic: {user: {env: KEY}}}", Basic(Secret("env", ("KEY",)), "")),
        ("{api_key: {query: key, value: {env: K}}}", ApiKey("query", "key", Secret("env", ("K",)))),
        ("none", None),
        (
            (
                "{oauth2: {token_url: https://login.example.com/t, client_id: c, client_secret: {env: S}, scope: a b,"
                " params: {account_id: 7}, send: basic}}"
            ),
            ClientCredentials(
                "https://login.example.com/t",
                "c",
                Secret("env", ("S",)),
                None,
                "a b",
                (("account_id", "7"),),
                "basic",
            ),
        ),
    ],
)
def test_credentials(written: str, auth: object) -> None:
    assert rest(f"  auth: {written}\n").auth == auth


@pytest.mark.parametrize(
    "written",
    ["{bearer: sk_live_written}", "{basic: {user: me, password: sk_live_written}}", "{basic: {user: sk_live_written}}",
     "{api_key: {header: X, value: sk_live_written}}",
     "{oauth2: {token_url: https://a.example, client_id: c, client_secret: sk_live_written}}"],
)  # fmt: skip
def test_a_secret_that_is_written_out_is_refused_and_masked(written: str) -> None:
    found = problems(f"{HEAD}{URL}  auth: {written}\n")

    assert [line[:6] for line in found] == ["SEG370"]
    assert "sk_live_written" not in found[0]
    assert masked("line: sk_live_written") == "line: ***"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("source: api\nkind: rest\nkey: {customer_id: id}\nprofiles: {city: c}\n", "SEG300", "has the key `rest`"),
        (HEAD + "  path: x\n", "SEG300", "the source has no `base_url`"),
        (HEAD + "  base_url: api.example.com\n", "SEG304", "is no address of a service"),
        (HEAD + "  base_url: https://me:secret@api.example.com\n", "SEG370", "user and password in an address"),
        (HEAD + "  base_url: http://api.example.com\n", "SEG370", "in the clear"),
        (HEAD + "  base_url: https://{shop}.example.com\n", "SEG300", "needs a word for `shop`"),
        (HEAD + "  base_url: https://{s}.example.com\n  with: {s: evil.com/}\n", "SEG304", "is no word for `s`"),
        (HEAD + URL + "  pages: {style: pages}\n", "SEG304", "`pages` is no `style`"),
        (HEAD + URL + "  pages: {style: cursor, param: after}\n", "SEG300", "need either `path` or `last`"),
        (HEAD + URL + "  pages: {style: offset}\n", "SEG300", "pages by `offset` need `param`"),
        (HEAD + URL + "  cursor: {field: a}\n", "SEG300", "`cursor` needs `field`"),
        (HEAD + URL + "  cursor: {field: a, param: b, template: x}\n", "SEG300", "`template` lacks `{cursor}`"),
        (HEAD + URL + "  limits: {per: soon}\n", "SEG304", "`soon` is no span"),
        (HEAD + URL + "  limits: {requests: 0}\n", "SEG304", "`requests` is more than 0"),
        (HEAD + URL + "  body: {a: 1}\n", "SEG303", "a GET has no body"),
        (HEAD + URL + "  auth: {bearer: {env: A}, basic: {user: b}}\n", "SEG300", "`auth` is one of"),
        (HEAD + URL + "  auth: {bearer: {env: A, file: b}}\n", "SEG300", "`bearer` is one of"),
        (HEAD + URL + "  auth: {api_key: {value: {env: A}}}\n", "SEG300", "say either `header` or `query`"),
        (HEAD + URL + "  retires: 3\n", "SEG300", "`retires` is no key of `rest`"),
        (HEAD + URL + "path: a.csv\n", "SEG303", "`path` is for files"),
        ("source: api\npath: a\nkey: {customer_id: i}\nprofiles: {city: c}\nrest: {}\n", "SEG303", "kind `rest`"),
        ("source: api\npreset: hubspot_contact\n", "SEG383", "there is no preset `hubspot_contact`"),
        (("source: a\nkind: rest\nrest: {base_url: https://a.example}\nkey: {email: e}\nevents:\n"
         "  - {event: order_completed, time: t}\n"), "SEG303", "need an `id`"),
    ],
)  # fmt: skip
def test_mistakes_are_named(text: str, code: str, message: str) -> None:
    found = problems(text)

    assert any(line.startswith(code) and message in line for line in found), found


def test_http_is_for_this_machine_or_a_network_that_is_trusted() -> None:
    assert bound(HEAD + "  base_url: http://127.0.0.1:8080\n").fetch
    assert bound(HEAD + "  base_url: http://crm.intern\n  allow_http: true\n").fetch


def test_speed_and_credentials_do_not_change_the_place() -> None:
    plain = rest("  path: a\n")

    assert plain.place == rest("  path: a\n  limits: {requests: 1}\n  auth: {bearer: {env: A}}\n").place
    assert plain.place != rest("  path: b\n").place
    assert plain.place != rest("  path: a\n  params: {status: any}\n").place


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_binds_with_three_lines_and_its_words(name: str) -> None:
    found = preset(name)
    words = ", ".join(f"{word}: abc" for word, _ in found.asks)

    source = bound(f"source: {name}\npreset: {name}\nrest: {{with: {{{words}}}}}\n")

    assert isinstance(source.fetch, RestFetch)
    assert source.fetch.base_url.startswith("https://")
    assert source.fetch.pages.style != "none"
    assert source.fetch.auth is not None
    assert found.env
    assert source.key
    assert {target.name for target in source.traits} <= {"email", "city", "created_at"}


def test_a_preset_asks_for_its_words() -> None:
    found = problems("source: shop\npreset: shopify_orders\n")

    assert any("needs a word for `shop`" in line for line in found)


def test_what_the_user_writes_goes_before_the_preset() -> None:
    text = """source: shop
preset: shopify_customers
rest:
  with: {shop: acme}
  auth: {bearer: {file: token}}
  pages: {size: 50}
key: {customer_id: id}
profiles: {city: note, created_at: ~}
"""
    source = bound(text)

    assert isinstance(source.fetch, RestFetch)
    assert source.fetch.base_url == "https://acme.myshopify.com/admin/api/2026-10"
    assert source.fetch.auth == Bearer(Secret("file", ("token",)))
    assert source.fetch.pages == Pages("link", size=50, size_param="limit")
    assert source.key == (("customer_id", Column("id")), ("email", Column("email")))
    assert {target.name: target.value for target in source.traits} == {"email": Column("email"), "city": Column("note")}


def test_events_of_a_preset_keep_what_the_project_declares() -> None:
    (rule,) = bound("source: shop\npreset: shopify_orders\nrest: {with: {shop: acme}}\n").events

    assert rule.kinds == ("order_completed",)
    assert sorted(target.name for target in rule.properties) == ["order_id", "value"]


def test_own_events_replace_those_of_a_preset() -> None:
    text = """source: shop
preset: shopify_customers
rest: {with: {shop: acme}}
events:
  - {event: order_completed, time: created_at, id: id}
"""
    source = bound(text)

    assert source.traits == ()
    assert source.record_time is None
    assert len(source.events) == 1


def _schema() -> Draft202012Validator:
    path = Path(__file__).resolve().parents[2] / "segctl" / "compile" / "schemas" / "source.json"
    return Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


REST_YAML = re.findall(r"(?:^  .*\n|^\n)+", (HELP / "rest.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("block", [block for block in REST_YAML if "source:" in block])
def test_the_declarations_in_the_help_bind_and_fit_the_schema(block: str) -> None:
    text = textwrap.dedent(block).strip() + "\n"

    bound(text)

    assert [error.message for error in _schema().iter_errors(yaml.safe_load(text))] == []


def test_the_schema_knows_every_preset_and_every_key() -> None:
    schema = _schema().schema
    rest_keys = schema["$defs"]["rest"]["properties"]
    auth = rest_keys["auth"]["oneOf"][1]["properties"]

    assert tuple(schema["properties"]["preset"]["enum"]) == preset_names()
    assert set(rest_keys) == set(REST_KEYS)
    assert set(rest_keys["pages"]["oneOf"][1]["properties"]) == set(PAGES_KEYS)
    assert set(rest_keys["cursor"]["oneOf"][1]["properties"]) == set(CURSOR_KEYS)
    assert set(rest_keys["limits"]["properties"]) == set(LIMITS_KEYS)
    assert set(auth) == set(AUTH_KEYS)
    assert set(auth["oauth2"]["properties"]) == set(OAUTH_KEYS)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("source: a\n", False),
        ("source: a\nkind: file\n", False),
        ("source: a\npath: b\n", True),
        ("source: a\nkind: rest\nrest: {base_url: https://a.example}\n", True),
        ("source: a\npreset: hubspot_contacts\n", True),
        ("source: a\npreset: hubspot\n", False),
        ("source: a\nkind: rest\nrest: {auth: {bearer: written}}\n", False),
        ("source: a\nkind: rest\nrest: {auth: {bearer: {env: A}, basic: {user: b}}}\n", False),
        ("source: a\nkind: rest\nrest: {pages: {style: pages}}\n", False),
    ],
)
def test_the_schema_says_what_the_binder_says(text: str, fits: bool) -> None:
    assert (not list(_schema().iter_errors(yaml.safe_load(text)))) == fits


def test_the_help_lists_every_preset_with_its_words_and_variables() -> None:
    lines = (HELP / "rest.md").read_text(encoding="utf-8").splitlines()

    for name in preset_names():
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        assert all(word in line for word, _ in preset(name).asks), line
        assert preset(name).env[0] in line

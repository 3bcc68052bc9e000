"""Declarations of tracking records: short ones say enough, wrong ones say where."""

from __future__ import annotations

from pathlib import Path

import pytest

from segctl.compile.project import bind_project_text
from segctl.compile.sources import bind_source_text
from segctl.model.sources import Column, Source
from segctl.model.tracking import DEVICE, PAGE, Sessions

TEXT = """
segctl: 1
name: web
identifiers:
  email: {class: known}
  customer_id: {class: known}
  device_id: {class: anonymous}
traits: {plan: text, points: integer}
events:
  order_completed: {properties: {value: money, ip: text}}
  session: {properties: {duration: integer}}
  visit: {properties: {duration: text}}
"""
SHORT = "source: web\npath: web.ndjson\ntracking: segment\n"


def bound(body: str, project: str = TEXT) -> tuple[Source | None, list[str]]:
    declared, findings = bind_project_text(project, Path("."))
    assert not findings
    assert declared is not None
    source, found = bind_source_text(body, "sources/web.yaml", declared)
    return source, [f"{finding.code} {finding.location.line if finding.location else 0}" for finding in found]


def right(body: str, project: str = TEXT) -> Source:
    source, found = bound(body, project)
    assert found == []
    assert source is not None
    return source


def test_three_lines_say_enough() -> None:
    source = right(SHORT)

    (rule,) = source.events
    assert source.key == (("customer_id", Column("user_id")), ("device_id", Column("anonymous_id")))
    assert rule.kinds == ("order_completed", "visit")
    # The address is dropped although a property has its name; sessions keep device and page beside what is declared.
    assert [target.name for target in rule.properties] == ["value", "duration", DEVICE, PAGE]
    assert source.tracking is not None
    assert source.tracking.sessions == Sessions("session", 1_800_000_000)
    (about,) = source.also
    assert (about.name, about.keeps_on_empty, about.holds_profiles) == ("web/identify", True, True)
    assert [target.name for target in about.traits] == ["plan", "points"]
    assert about.digest != source.digest


def test_identifiers_of_the_usual_names_win() -> None:
    source = right(SHORT, TEXT.replace("  customer_id", "  crm_id: {class: known}\n  user_id"))

    assert [name for name, _ in source.key] == ["user_id", "device_id"]


def test_everything_can_be_said() -> None:
    source = right(
        SHORT
        + "key: {customer_id: user_id}\nevents: {Bought: order_completed}\nproperties: {value: record.context.sum}\n"
        "sessions: {gap: 1 hours}\ngeo: {mmdb: c.mmdb}\nprofiles: {plan: tier}\nonly: {path: {starts_with: /shop}}\n"
    )

    assert source.tracking is not None
    assert source.tracking.names == (("Bought", "order_completed"),)
    assert source.tracking.sessions == Sessions("session", 3_600_000_000)
    assert source.tracking.mmdb == "c.mmdb"
    assert source.events[0].properties[0].value == Column("record.context.sum")
    assert source.also[0].traits[0].value == Column("tier")
    assert source.also[0].only == ()


@pytest.mark.parametrize("word", ["none", "off"])
def test_what_is_not_wanted_is_left_out(word: str) -> None:
    source = right(SHORT + f"sessions: {word}\nprofiles: {word}\n")

    assert source.tracking is not None
    assert source.tracking.sessions is None
    assert source.also == ()


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (SHORT.replace("segment", "segmnt"), "SEG304 3"),
        (SHORT + "events: [order_completed]\n", "SEG391 4"),
        (SHORT + "events: {Bought: ordr}\n", "SEG301 4"),
        (SHORT + "properties: {valu: total}\n", "SEG301 4"),
        (SHORT + "sessions: {event: visits}\n", "SEG392 4"),
        (SHORT + "sessions: {event: visit}\n", "SEG392 4"),
        (SHORT + "sessions: 1 months\n", "SEG304 4"),
        (SHORT + "sessions: soon\n", "SEG304 4"),
        (SHORT + "geo: {mmdb: c.mmdb}\nproperties: {ip: ip}\n", "SEG393 5"),
        (SHORT + "geo: {mmdb: c.mmdb}\nproperties: {ip: record.context.ip}\n", "SEG393 5"),
        (SHORT + "geo: {}\n", "SEG300 4"),
        (SHORT + "picture: full\n", "SEG394 4"),
        (SHORT + "record_time: at\n", "SEG394 4"),
        (SHORT.replace("segment", "ga360") + "profiles: all\n", "SEG394 4"),
        ("source: s\npath: x\nsessions: none\nprofiles: {plan: p}\nkey: {email: e}\n", "SEG303 3"),
    ],
)
def test_a_mistake_is_named_at_its_line(body: str, found: str) -> None:
    source, findings = bound(body)

    assert source is None
    assert findings == [found]


def test_a_project_without_identifiers_cannot_tell_visitors_apart() -> None:
    _, findings = bound(SHORT, "segctl: 1\nname: web\nevents: {page_viewed: {}}\n")

    assert findings == ["SEG390 1"]

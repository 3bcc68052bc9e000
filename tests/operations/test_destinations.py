"""Declared destinations: bound with positions, checked against their kinds, and named by segments."""

from __future__ import annotations

from pathlib import Path

import pytest

from segctl.model.destinations import Destination
from segctl.model.errors import UsageError
from segctl.model.secrets import Secret, forget
from segctl.operations.destinations import abilities_of, channel_of, find_destination, recipient_of
from segctl.operations.lint.lint import lint
from segctl.operations.session import bound_definitions

PROJECT = """segctl: 1
name: shop
identifiers: {customer_id: {class: known}, email: {class: known}}
traits: {first_name: text, country: text}
purposes: {newsletter: {title: Newsletter, basis: consent, channels: [email]}}
"""
SEGMENT = "segment: german\nwhere: {trait: country, equals: DE}\n"
HOOK = "destination: hook\nkind: webhook\nurl: https://example.com/hook\n"


@pytest.fixture(autouse=True)
def _forgetting() -> object:
    yield
    forget()


def project(folder: Path, destination: str | None = HOOK, *, segment: str = SEGMENT, name: str = "hook") -> Path:
    """A small project with one segment and one destination."""
    (folder / "segments").mkdir()
    (folder / "segctl.yaml").write_text(PROJECT, "utf-8")
    (folder / "segments" / "german.yaml").write_text(segment, "utf-8")
    if destination is not None:
        (folder / "destinations").mkdir()
        (folder / "destinations" / f"{name}.yaml").write_text(destination, "utf-8")
    return folder


def findings(folder: Path) -> list[tuple[str, int | None, str]]:
    """Code, line and hint of every finding."""
    return [(one.code, one.location and one.location.line, one.hint or "") for one in lint(folder).diagnostics]


def test_everything_is_bound(tmp_path: Path) -> None:
    text = HOOK + (
        "title: Hook\nowner: crm@shop.example\npurposes: [newsletter]\nchannel: email\nmode: add\n"
        "identify: {email: email, external_id: customer_id}\nfields: {vorname: first_name}\n"
        "audiences: {german: Deutsche}\nguards: {max_removed: 20 %, min_size: 5}\nallowed_hosts: [example.com]\n"
        "recipient: {country: US, transfer: scc}\nsecret: {env: HOOK}\nper: person\ntimeout_s: 15\n"
    )

    definitions, _ = bound_definitions(project(tmp_path, text))
    hook = definitions.destinations["hook"]

    assert hook == Destination(
        "hook",
        "webhook",
        purposes=("newsletter",),
        channel="email",
        mode="add",
        identify=(("email", "email"), ("external_id", "customer_id")),
        fields=(("vorname", "first_name"),),
        audiences=(("german", "Deutsche"),),
        options={
            "url": "https://example.com/hook", "secret": Secret("env", ("HOOK",)), "per": "person", "timeout_s": 15,
            "allow_http": False, "allow_private": False,
        },
        allowed_hosts=("example.com",),
        recipient=(("country", "US"), ("transfer", "scc")),
        guards=hook.guards,
        title="Hook",
        owner="crm@shop.example",
    )  # fmt: skip
    assert (str(hook.guards.max_removed), hook.guards.min_size) == ("0.2", 5)
    assert abilities_of(hook).identifiers == ("email", "external_id")
    assert recipient_of(hook) == {"class": "webhook", "country": "US", "transfer": "scc"}
    assert channel_of(hook) == "email"


@pytest.mark.parametrize(
    ("text", "code", "line", "hint"),
    [
        ("kind: webhook\n", "SEG890", 1, "`destination: hook`"),
        ("destination: hook\n", "SEG890", 1, "kind: webhook"),
        ("destination: hook\nkind: webhok\n", "SEG891", 2, "`webhook`"),
        (HOOK + "tittle: x\n", "SEG892", 4, "`title`"),
        (HOOK + "per: persn\n", "SEG892", 4, "`person`"),
        (HOOK + "timeout_s: soon\n", "SEG892", 4, "seconds"),
        (HOOK + "allow_private: maybe\n", "SEG892", 4, "private network"),
        ("destination: hook\nkind: webhook\n", "SEG892", 1, "`url: …`"),
        (HOOK + "secret: whsec_0123456789\n", "SEG370", 4, "{env: NAME}"),
        (HOOK.replace("https", "http"), "SEG370", 3, "https"),
        (HOOK.replace("https://", "https://me:pass@"), "SEG370", 3, "{env: NAME}"),
        (HOOK + "identify: {email: emial}\n", "SEG893", 4, "`email`"),
        (HOOK + "fields: {x: frist_name}\n", "SEG893", 4, "`first_name`"),
        (HOOK + "purposes: [newsleter]\n", "SEG893", 4, "`newsletter`"),
        (HOOK + "audiences: {germn: x}\n", "SEG893", 4, "`german`"),
        (HOOK + "mode: miror\n", "SEG212", 4, "`mirror`"),
        (HOOK + "guards: {max_removed: 20}\n", "SEG256", 4, "20 %"),
        (HOOK + "recipient: {class: newspaper}\n", "SEG892", 4, "`esp`"),
        (HOOK + "recipient: {land: US}\n", "SEG210", 4, ""),
    ],
)
def test_a_mistake_is_told_at_its_place(tmp_path: Path, text: str, code: str, line: int, hint: str) -> None:
    found = findings(project(tmp_path, text))

    assert [(one[0], one[1]) for one in found] == [(code, line)]
    assert hint in found[0][2]


def test_a_former_name_of_a_segment_leads_to_the_name_of_today(tmp_path: Path) -> None:
    renamed = SEGMENT.replace("where", "formerly: [deutsche]\nwhere")

    found = findings(project(tmp_path, HOOK + "audiences: {deutsche: Kunden}\n", segment=renamed))

    assert found == [("SEG893", 4, "it is called `german` now")]


def test_a_secret_that_is_written_out_is_shown_nowhere(tmp_path: Path) -> None:
    from segctl.model.secrets import masked

    found = lint(project(tmp_path, HOOK + "secret: whsec_0123456789abc\n")).diagnostics

    assert "whsec_0123456789abc" not in repr(found)
    assert masked("whsec_0123456789abc") == "***"


def test_send_to_names_declared_destinations(tmp_path: Path) -> None:
    found = findings(project(tmp_path, segment=SEGMENT + "send_to: [hook, hok]\n"))

    assert found == [("SEG894", 3, "did you mean `hook`?")]


def test_two_segments_in_one_audience_are_warned_of_and_two_audiences_are_not(tmp_path: Path) -> None:
    root = project(tmp_path, HOOK + "audiences: {german: News, other: News}\n")
    (root / "segments/other.yaml").write_text("segment: other\nwhere: {trait: country, equals: AT}\n", "utf-8")

    shared = [code for code, *_ in findings(root)]
    (root / "destinations/hook.yaml").write_text(HOOK + "audiences: {german: News, other: Others}\n", "utf-8")

    assert (shared, findings(root)) == (["SEG895"], [])


def test_a_destination_with_a_mistake_is_declared_all_the_same(tmp_path: Path) -> None:
    found = findings(project(tmp_path, HOOK.replace("webhook", "webhok"), segment=SEGMENT + "send_to: [hook]\n"))

    assert [code for code, *_ in found] == ["SEG891"]


def test_a_project_without_destinations_may_name_any(tmp_path: Path) -> None:
    assert findings(project(tmp_path, None, segment=SEGMENT + "send_to: [later]\n")) == []


def test_two_files_cannot_declare_one_destination(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "destinations" / "other.yaml").write_text(HOOK, "utf-8")

    assert sorted(code for code, *_ in findings(tmp_path)) == ["SEG218", "SEG890"]


def test_an_unknown_name_is_refused_with_the_nearest(tmp_path: Path) -> None:
    definitions, _ = bound_definitions(project(tmp_path))

    with pytest.raises(UsageError) as caught:
        find_destination(definitions, "hok")

    assert caught.value.hint == "did you mean `hook`?"


def test_a_kind_that_cannot_mirror_takes_what_it_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from segctl.connectors.destinations import webhook

    monkeypatch.setattr(webhook, "ABILITIES", replace(webhook.ABILITIES, modes=("add",)))
    project(tmp_path)

    definitions, _ = bound_definitions(tmp_path)
    (tmp_path / "destinations" / "hook.yaml").write_text(HOOK + "mode: mirror\n", "utf-8")

    assert definitions.destinations["hook"].mode == "add"
    assert findings(tmp_path) == [("SEG892", 4, "it can `add`")]

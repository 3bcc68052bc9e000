"""`segctl consent` and `segctl suppress` from the outside."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_process import Finished

PROJECT = """segctl: 1
name: shop
language: de
identifiers: {customer_id: {}}
traits: {email: {type: text, personal: true}}
purposes:
  news: {basis: consent, channels: [email]}
  service: {basis: contract, channels: [email]}
"""
ANNA = "zoeq@post.example"


@pytest.fixture
def call(tmp_path: Path, run: Callable[..., Finished]) -> Callable[..., Finished]:
    (tmp_path / "segctl.yaml").write_text(PROJECT)
    return run


def test_a_person_says_yes_and_takes_it_back(call: Callable[..., Finished]) -> None:
    check = ("consent", "check", "-", "--purpose", "news")
    grant = ("consent", "grant", ANNA, "--purpose", "news", "--proof", "form-1")

    assert call(*check, text=ANNA).code == 1
    assert call(*grant).code == 0
    assert "pending" in call(*check, text=ANNA).out
    assert call("consent", "confirm", ANNA, "--purpose", "news").code == 0
    assert call(*check, text=ANNA).code == 0
    assert call("consent", "withdraw", "-", text="Zoeq+shop@POST.example").code == 0
    found = call(*check, "--json", text=ANNA)
    assert (found.code, json.loads(found.out)["data"][0]["reason"]) == (1, "withdrawn")


def test_an_objection_to_all_stops_what_rests_on_consent_too(call: Callable[..., Finished]) -> None:
    check = ("consent", "check", ANNA, "--purpose", "news")
    lift = ("consent", "lift", ANNA, "--against", "all", "--reason", "asked", "--proof", "form-2", "--confirmed")
    call("consent", "grant", ANNA, "--purpose", "news", "--proof", "form-1", "--confirmed")
    assert call(*check).code == 0

    done = call("consent", "object", ANNA, "--against", "all", "--json")
    recorded = {row["action"] for row in json.loads(done.out)["data"]}
    assert recorded == {"object_marketing", "object_profiling", "object_general"}
    assert call(*check).code == 1
    assert call(*lift).code == 0
    assert call(*check).code == 0


def test_withdrawing_needs_no_sound_project(call: Callable[..., Finished], tmp_path: Path) -> None:
    (tmp_path / "segctl.yaml").write_text(PROJECT + "nonsense: {\n")
    assert call("consent", "withdraw", ANNA).code == 2  # no YAML at all: no workspace is known

    (tmp_path / "segctl.yaml").write_text(PROJECT + "nonsense: 1\n")
    assert call("consent", "grant", ANNA, "--purpose", "news").code == 2
    assert call("consent", "withdraw", ANNA).code == 0
    assert call("suppress", "add", ANNA).code == 0


def test_no_address_stands_in_output_or_workspace(call: Callable[..., Finished], tmp_path: Path) -> None:
    call("consent", "object", ANNA, "--against", "profiling")
    for arguments in (("consent", "show", ANNA), ("consent", "proof", ANNA, "--json"), ("suppress", "ls")):
        done = call(*arguments)
        assert ANNA not in done.out + done.err
    assert ANNA in call("consent", "show", ANNA, "--show-personal").out
    stored = b"".join(path.read_bytes() for path in (tmp_path / ".segctl").rglob("*") if path.is_file())
    assert b"zoeq" not in stored


def test_a_suppressed_person_stays_suppressed(call: Callable[..., Finished], tmp_path: Path) -> None:
    assert call("suppress", "add", ANNA, "--reason", "asked").code == 0
    (tmp_path / "list.csv").write_text(
        f"email,at,action,purpose,proof_ref,is_confirmed\n{ANNA},2026-01-01,grant,news,old-list,yes\n"
    )
    assert call("consent", "import", "list.csv").code == 0
    assert "suppressed" in call("consent", "check", ANNA, "--purpose", "news").out

    refused = call("suppress", "rm", ANNA, "--reason", "came back", "--proof", "p", "--confirmed", "--at", "2020-01-01")
    assert (refused.code, "SEG810" in refused.err) == (2, True)
    lifted = call("suppress", "rm", ANNA, "--reason", "came back", "--proof", "p", "--confirmed")
    assert lifted.code == 0
    assert call("consent", "check", ANNA, "--purpose", "news").code == 0


def test_refused_rows_end_with_3_and_stand_in_the_file_named(call: Callable[..., Finished], tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("email,at,action\nbroken,2026-01-01,withdraw\nb@x.example,2026-01-01,withdraw\n")
    done = call("consent", "import", "list.csv", "--rejected", "bad.csv", "--json")

    assert done.code == 3
    assert json.loads(done.out)["facts"] == {"rows": 2, "recorded": 1}
    assert (tmp_path / "bad.csv").read_text().splitlines()[1].startswith("2,the contact point")
    assert call("consent", "import", "nowhere.csv").code == 2


def test_a_lost_key_ends_with_6(call: Callable[..., Finished], tmp_path: Path) -> None:
    call("consent", "withdraw", ANNA)
    (tmp_path / ".segctl/dev/consent.key").unlink()

    for arguments in (("consent", "check", ANNA), ("consent", "grant", ANNA, "--purpose", "news"), ("consent",)):
        done = call(*arguments)
        assert (done.code, "SEG800" in done.err) == (6, True)


def test_the_matrix_is_printed_in_the_language_asked_for(call: Callable[..., Finished]) -> None:
    german = json.loads(call("consent", "check", "--matrix", "--json", "--language", "de").out)["data"]

    assert len(german) > 300
    assert (german[0]["reason"], german[0]["because"]) == ("unknown", "es ist nichts vermerkt")


def test_coverage_of_nobody_is_told(call: Callable[..., Finished], tmp_path: Path) -> None:
    rows = json.loads(call("consent", "coverage", "--json").out)["data"]
    assert [(row["purpose"], row["people"], row["allowed"]) for row in rows] == [("news", 0, 0), ("service", 0, 0)]

    (tmp_path / "segctl.yaml").write_text(PROJECT.partition("purposes:")[0])
    assert "SEG811" in call("consent", "coverage").err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("consent", "check", "nobody"), "SEG806"),
        (("consent", "grant", ANNA, "--purpose", "nwes"), "SEG809"),
        (("consent", "withdraw", ANNA, "--at", "2999-01-01"), "SEG808"),
        (("suppress", "rm", ANNA), "SEG815"),
    ],
)
def test_mistakes_are_told_with_a_code_and_a_hint(
    call: Callable[..., Finished], arguments: tuple[str, ...], code: str
) -> None:
    done = call(*arguments)

    assert done.code == 2
    assert f"error[{code}]" in done.err
    assert "hint:" in done.err
    assert ANNA not in done.err

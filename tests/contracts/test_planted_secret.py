"""A secret that the project reads is planted, and looked for in everything that a command writes, however it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.server import Asked, Fake, Fault, Reply, serving

PLANTED = "pk_planted_4f1d0c9a77e2b35d"
FAULTS: tuple[Fault, ...] = ("expired", "forbidden", "redirect", "broken", "too_many", "lost_after", "bad_request")
"""The last one makes rows invalid, which are not sent again."""
PROJECT = """segctl: 1
name: shop
identifiers: {customer_id: {class: known}}
traits: {email: {type: text, personal: true}, country: text}
purposes: {newsletter: {title: Newsletter, basis: consent, channels: [email]}}
contact_points: {email: email}
"""
SOURCE = "source: people\npath: people.csv\nkey: {customer_id: id}\nprofiles: {email: email, country: country}\n"
SEGMENT = "segment: german\npurpose: newsletter\nsend_to: [hook]\nwhere: {trait: country, equals: DE}\n"
PEOPLE = "id,email,country\n1,anna.planted@example.com,DE\n2,jo.planted@example.com,DE\n"
CONSENTS = "email,purpose,channel,action,at,legal_basis,proof_ref,is_confirmed\n" + "".join(
    f"{name}.planted@example.com,newsletter,email,grant,2026-11-01T10:00:00Z,consent,doi,true\n"
    for name in ("anna", "jo")
)


class Echo(Fake):
    """Fails as it is told, and tells back all that it was sent."""

    def can_fail(self, asked: Asked) -> bool:
        return True

    def answer(self, asked: Asked) -> Reply:
        return Reply(200, {})


@pytest.fixture
def service() -> Iterator[tuple[Echo, str]]:
    """The stand-in and its address."""
    fake = Echo()
    with serving(fake) as url:
        yield fake, url


def project(folder: Path, url: str) -> Path:
    """A project with two people and a webhook whose token is the secret."""
    for name in ("sources", "segments", "destinations"):
        (folder / name).mkdir()
    hook = (
        f"destination: hook\nkind: webhook\nurl: {url}/hook?key=1\nallow_private: true\npurposes: [newsletter]\n"
        "token: {env: PLANTED_TOKEN}\nidentify: {email: email}\nfields: {country: country}\n"
    )
    files = {
        "segctl.yaml": PROJECT, "sources/people.yaml": SOURCE, "segments/german.yaml": SEGMENT,
        "destinations/hook.yaml": hook, "people.csv": PEOPLE, "consents.csv": CONSENTS,
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def said(folder: Path, *words: str) -> str:
    """All that a command writes, its log file included."""
    log = folder / "log.txt"
    command = [sys.executable, "-m", "segctl", *words, "-vv", "--log-file", str(log)]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "PLANTED_TOKEN": PLANTED}
    )
    assert done.returncode != 70, done.stderr
    return done.stdout + done.stderr + (log.read_text("utf-8") if log.exists() else "")


def assert_unseen(folder: Path, text: str) -> None:
    """Neither in what was written nor in any file of the project."""
    assert PLANTED not in text
    kept = [path for path in folder.rglob("*") if path.is_file() and PLANTED.encode() in path.read_bytes()]
    assert kept == []


@pytest.mark.parametrize("fault", ["forbidden", "redirect"])
def test_trying_a_destination_shows_no_secret(tmp_path: Path, service: tuple[Echo, str], fault: Fault) -> None:
    fake, url = service
    fake.fails_next(*[fault] * 5)
    project(tmp_path, url)

    text = said(tmp_path, "doctor", "--online", "hook")

    assert "problem" in text
    assert any(asked.headers.get("authorization") == f"Bearer {PLANTED}" for asked in fake.asked)
    assert_unseen(tmp_path, text)


@pytest.mark.slow
def test_no_failing_push_shows_a_secret_or_a_person(tmp_path: Path, service: tuple[Echo, str]) -> None:
    fake, url = service
    project(tmp_path, url)
    for words in (("ingest",), ("apply",), ("consent", "import", "consents.csv")):
        said(tmp_path, *words)
    for fault in FAULTS:
        before = len(fake.asked)
        fake.faults.clear()
        fake.fails_next(*[fault] * 20)

        text = said(tmp_path, "push", "--all", "--timeout", "3s")

        assert len(fake.asked) > before, (fault, text)
        assert_unseen(tmp_path, text)
        assert ".planted@" not in text, fault
    fake.faults.clear()
    dry = said(tmp_path, "push", "--all", "--dry-run", "--json")
    assert_unseen(tmp_path, dry)

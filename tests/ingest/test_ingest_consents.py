"""Sources feed the consent ledger: once, with the ingest's own commit, denials first."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from segctl.operations.ingest import consents as ingest_consents
from segctl.operations.ingest.ingest import ingest, sources_of
from segctl.operations.ingest.result import IngestResult
from segctl.operations.session import open_session

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PROJECT = """segctl: 1
name: world
timezone: Europe/Berlin
identifiers: {nr: {class: known}, user_id: {class: known}, anonymous_id: {class: anonymous}}
traits: {mail: {type: text, personal: true}, visits: integer}
events: {page_viewed: {properties: {path: text}}}
contact_points: {email: mail, account: user_id, device: anonymous_id}
purposes:
  news: {basis: consent, channels: [email]}
  stats: {basis: consent, channels: [web]}
  ads: {basis: consent, channels: [web], signals: [ad_storage], tcf: {vendor: 12, purposes: [1]}}
"""
CRM = """source: crm
path: crm*.csv
key: {nr: nr}
max_bad_rows: 50 %
profiles: {mail: mail, visits: visits}
consents:
  purpose: news
  channel: email
  columns: {email: mail, action: news, at: since}
  set: {proof_ref: crm, is_confirmed: "yes"}
  words: {ja: grant, nein: withdraw, offen: ""}
"""
HEAD = "nr,mail,visits,news,since"
Ledger = list[tuple[Any, ...]]


def project(root: Path, sources: dict[str, str], files: dict[str, str]) -> None:
    texts = {"segctl.yaml": PROJECT, **{f"sources/{name}.yaml": text for name, text in sources.items()}, **files}
    for name, text in texts.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)


def ingested(root: Path, *, dry_run: bool = False) -> IngestResult:
    with open_session(root, create=True) as session:
        sources = sources_of(session.project).values()
        return ingest(session.project, session.workspace, sources, now=NOW, dry_run=dry_run)


def ledger(root: Path, columns: Sequence[str] = ("action", "purpose", "channel")) -> Ledger:
    db = sqlite3.connect(root / ".segctl/dev/state.db")
    found = db.execute(f"SELECT {', '.join(columns)} FROM consent_events ORDER BY at, action").fetchall()
    db.close()
    return found


def test_rows_say_yes_no_or_nothing(tmp_path: Path) -> None:
    rows = [
        "1,a@post.example,1,ja,2026-01-02",
        "2,b@post.example,1,nein,2026-01-03",
        "3,c@post.example,1,offen,2026-01-04",
    ]
    project(tmp_path, {"crm": CRM}, {"crm.csv": "\n".join([HEAD, *rows, "4,d@post.example,1,,2026-01-05", ""])})

    result = ingested(tmp_path)

    assert ledger(tmp_path) == [("grant", "news", "email"), ("withdraw", "news", "email")]
    (kinds,) = {tuple(row) for row in ledger(tmp_path, ("kind", "origin", "source"))}
    assert kinds == ("email", "import", "crm")
    assert any("2 statements about consent" in note for note in result.sources[0].notes)


def test_the_same_rows_again_add_nothing(tmp_path: Path) -> None:
    row = "1,a@post.example,1,ja,2026-01-02"
    project(tmp_path, {"crm": CRM}, {"crm.csv": f"{HEAD}\n{row}\n"})
    ingested(tmp_path)

    (tmp_path / "crm2.csv").write_text(f"{HEAD}\n{row}\n1,a@post.example,2,nein,2026-02-02\n")
    ingested(tmp_path)
    # Another declaration reads the files again.
    (tmp_path / "sources/crm.yaml").write_text(CRM.replace("profiles: {mail: mail", "profiles: {mail: mail"))
    (tmp_path / "sources/crm.yaml").write_text(CRM.replace("visits: visits}", "visits: nr}"))
    ingested(tmp_path)

    assert [row[0] for row in ledger(tmp_path)] == ["grant", "withdraw"]


def test_a_bad_row_can_deny_and_never_gives(tmp_path: Path) -> None:
    rows = [
        "1,a@post.example,many,ja,2026-01-02",
        "2,b@post.example,many,nein,2026-01-03",
        "3,c@post.example,1,ja,2026-01-03",
    ]
    project(tmp_path, {"crm": CRM.replace("50 %", "90 %")}, {"crm.csv": "\n".join([HEAD, *rows, ""])})

    result = ingested(tmp_path)

    assert sorted(row[0] for row in ledger(tmp_path)) == ["grant", "withdraw"]
    assert any("the row is bad" in note for note in result.sources[0].notes)


def test_a_denial_needs_no_time_and_a_grant_does(tmp_path: Path) -> None:
    rows = ["1,a@post.example,1,ja,someday", "2,b@post.example,1,nein,someday", "3,nobody,1,ja,2026-01-01"]
    project(tmp_path, {"crm": CRM}, {"crm.csv": "\n".join([HEAD, *rows, ""])})

    result = ingested(tmp_path)

    assert ledger(tmp_path, ("action", "at = recorded")) == [("withdraw", 1)]
    told = " ".join(result.sources[0].notes)
    assert "the time cannot be read" in told
    assert "post.example" not in told


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    project(tmp_path, {"crm": CRM}, {"crm.csv": f"{HEAD}\n1,a@post.example,1,ja,2026-01-02\n"})

    ingested(tmp_path, dry_run=True)

    assert ledger(tmp_path) == []


def test_an_ingest_that_fails_in_its_commit_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path, {"crm": CRM}, {"crm.csv": f"{HEAD}\n1,a@post.example,1,ja,2026-01-02\n"})
    write = ingest_consents.ConsentSink.write

    def broken(sink: ingest_consents.ConsentSink, db: Any) -> None:
        write(sink, db)
        raise KeyboardInterrupt

    monkeypatch.setattr(ingest_consents.ConsentSink, "write", broken)
    with pytest.raises(KeyboardInterrupt):
        ingested(tmp_path)
    assert ledger(tmp_path) == []
    monkeypatch.undo()

    ingested(tmp_path)

    assert [row[0] for row in ledger(tmp_path)] == ["grant"]


def message(number: int, who: str, preferences: dict[str, Any] | None, name: str = "Page Viewed") -> dict[str, Any]:
    context = {} if preferences is None else {"consent": {"categoryPreferences": preferences}}
    at = f"2026-05-01T10:{number:02}:00Z"
    return {
        "type": "track", "event": name, "messageId": f"m{number}", "timestamp": at, "context": context,
        "anonymousId": who,
    }  # fmt: skip


def test_preferences_of_segment_are_recorded_where_they_change(tmp_path: Path) -> None:
    messages = [
        message(1, "v1", {"Advertising": True, "Analytics": False}),
        message(2, "v1", {"Advertising": True, "Analytics": False}),
        message(3, "v1", None),
        message(4, "v1", {"Advertising": "yes", "Analytics": True}, "Segment Consent Preference Updated"),
        message(5, "v2", {"Functional": True}),
    ]
    source = (
        "source: web\npath: web.ndjson\ntracking: segment\n"
        "consents: {channel: web, categories: {Advertising: ads, Analytics: stats}}\n"
    )
    project(tmp_path, {"web": source}, {"web.ndjson": "".join(json.dumps(m) + "\n" for m in messages)})

    ingested(tmp_path)

    assert ledger(tmp_path, ("action", "purpose", "kind", "origin", "is_own")) == [
        ("deny", "stats", "device", "event", 1),
        ("grant", "ads", "device", "event", 1),
        ("deny", "ads", "device", "event", 1),
        ("grant", "stats", "device", "event", 1),
    ]


@pytest.mark.parametrize(
    ("signals", "action"),
    [({"x-ga-gcs": "G111"}, "grant"), ({"x-ga-gcs": "G101"}, "deny"), ({"x-ga-gcs": "G1"}, "deny")],
)
def test_consent_mode_of_a_tag_manager(tmp_path: Path, signals: dict[str, str], action: str) -> None:
    record = {"event_name": "page_view", "client_id": "c.1", "event_time": 1_777_000_000, **signals}
    source = "source: web\npath: web.ndjson\ntracking: gtm\nconsents: {purpose: ads, channel: web}\n"
    project(
        tmp_path, {"web": source}, {"web.ndjson": json.dumps(record) + "\n" + json.dumps({**record, **signals}) + "\n"}
    )

    ingested(tmp_path)

    assert ledger(tmp_path, ("action", "purpose", "kind")) == [(action, "ads", "device")]


def test_a_tc_string_that_is_cut_off_is_a_denial(tmp_path: Path) -> None:
    record = {**message(1, "v1", None), "context": {"consent": {"tc": "CP48"}}}
    source = (
        "source: web\npath: web.ndjson\ntracking: segment\n"
        "consents: {purpose: ads, channel: web, columns: {tcf: context.consent.tc}}\n"
    )
    project(tmp_path, {"web": source}, {"web.ndjson": json.dumps(record) + "\n"})

    ingested(tmp_path)

    assert ledger(tmp_path, ("action", "reason")) == [("deny", "tcf_malformed")]

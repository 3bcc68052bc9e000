"""The consent ledger: append-only, whatever is tried."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from segctl.model.consent import ConsentEvent
from segctl.state import consents
from segctl.state.workspace import Workspace

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def event(name: str, action: str = "grant", **more: object) -> ConsentEvent:
    values: dict[str, object] = {"key_id": "k1", **more}
    return ConsentEvent(name, NOW, "email", b"e" * 16, b"w" * 16, action=action, **values)


@pytest.fixture
def ledger(tmp_path: Path) -> Workspace:
    workspace = Workspace.open(tmp_path / "ws", create=True)
    consents.record_key(workspace, "k1", at=NOW)
    consents.append(workspace, [event("a"), event("b", "withdraw")], recorded=NOW)
    return workspace


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_events SET action = 'grant' WHERE seq = 2",
        "UPDATE consent_events SET at = 0",
        "DELETE FROM consent_events WHERE seq = 2",
        "DELETE FROM consent_events",
        "UPDATE consent_keys SET id = 'k2'",
        "DELETE FROM consent_keys",
    ],
)
def test_rows_are_neither_changed_nor_deleted(ledger: Workspace, statement: str) -> None:
    before = [tuple(row) for row in ledger.query("SELECT * FROM consent_events")]
    with sqlite3.connect(ledger.folder / "state.db") as db, pytest.raises(sqlite3.DatabaseError, match=r"never|append"):
        db.execute(statement)

    assert [tuple(row) for row in ledger.query("SELECT * FROM consent_events")] == before


def test_nothing_takes_the_place_of_a_row(ledger: Workspace) -> None:
    columns = ", ".join(("seq", "recorded", *consents.COLUMNS))
    with sqlite3.connect(ledger.folder / "state.db") as db:
        for name, seq in (("'b'", "NULL"), ("'c'", "2")):
            chosen = columns.replace("event_id", f"{name} AS event_id").replace("seq,", f"{seq} AS seq,", 1)
            db.execute(
                f"INSERT OR REPLACE INTO consent_events ({columns}) SELECT {chosen} FROM consent_events WHERE seq = 1"
            )

    assert [tuple(r) for r in ledger.query("SELECT seq, event_id, action FROM consent_events ORDER BY seq")] == [
        (1, "a", "grant"), (2, "b", "withdraw"),
    ]  # fmt: skip


def test_an_event_is_recorded_once(ledger: Workspace) -> None:
    assert consents.append(ledger, [event("b", "grant"), event("c")], recorded=NOW) == [0, 3]
    assert consents.known_events(ledger, ["a", "c", "x"]) == {"a", "c"}
    assert consents.head(ledger) == 3


def test_a_row_comes_back_as_it_was_said(ledger: Workspace) -> None:
    said = event(
        "full", "grant", purpose="news", channel="email", brand="x", recipient_class="esp", legal_basis="consent",
        notice_id="n", notice_version="2", notice_hash="h", language="de", jurisdiction="DE", origin="command",
        source="form", capture_method="web", proof_ref="p", proof_hash="q", actor="anna", is_own=True,
        is_confirmed=True, expires_at=NOW + timedelta(days=1), supersedes="a", reason="r", facts={"sale_ref": "7"},
    )  # fmt: skip
    consents.append(ledger, [said], recorded=NOW)

    assert consents.rows_of(ledger, [b"w" * 16])[-1].event == said
    assert consents.stored_events(ledger, ["full", "nobody"]) == {"full": said}


def test_a_denial_counts_from_when_it_was_heard_of(ledger: Workspace) -> None:
    later = NOW + timedelta(days=3)
    late = [ConsentEvent(n, later, "email", b"e" * 16, b"w" * 16, "k1", a) for n, a in (("d", "deny"), ("g", "grant"))]
    consents.append(ledger, late, recorded=NOW)

    times = {int(row[0]): row[1] for row in consents.states(ledger)}

    assert times == {
        1: consents.micros(NOW),
        2: consents.micros(NOW),
        3: consents.micros(NOW),
        4: consents.micros(later),
    }


def test_only_what_gives_is_taken_back(ledger: Workspace) -> None:
    corrections = [event("x", "correct", supersedes="a"), event("y", "correct", supersedes="b")]
    consents.append(ledger, corrections, recorded=NOW)

    assert consents.taken_back(ledger) == {1}


def test_a_broken_batch_leaves_nothing(ledger: Workspace) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        consents.append(ledger, [event("c"), event("d", key_id=None)], recorded=NOW)

    assert consents.head(ledger) == 2

"""How things stand, and the same as a file that Prometheus reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from audience_shop import NOW, FakeGate, shop, tell
from prometheus_client.parser import text_string_to_metric_families

from segctl.model.destinations import Destination
from segctl.operations.audience.audience import audiences
from segctl.operations.plan.push import irreversible, plan_push
from segctl.operations.session import Session
from segctl.operations.status import quantiles, status
from segctl.operations.status_metrics import metrics_text
from segctl.state.deliveries import packed
from segctl.state.deliveries_batches import Fault, NewRow, Result, intend, settle
from segctl.state.deliveries_log import begin_push, end_part
from segctl.state.locks import hold
from segctl.state.pauses import Pause, record_pauses
from segctl.state.withdrawals import withdrawal_times

KEY = "0" * 32


@pytest.fixture
def session(tmp_path: Path) -> Session:
    people = [{"email": f"p{i}@post.example"} for i in range(3)]
    return shop(tmp_path, people, {"winback": range(3)})


def pushed(session: Session, *, status: str = "ok") -> int:
    """Winback went out; the ledger's number of the audience."""
    (audience,) = audiences(session, FakeGate(), now=NOW)
    tell(session, audience, at=NOW - timedelta(minutes=5))
    end_part(session.workspace, 1, 1, status, finished=NOW, counts={"calls": 1, "seconds": 3.0})  # type: ignore[arg-type]  # a word
    return 1


def steps(session: Session) -> list[str]:
    return [command for command, _ in status(session, now=NOW).next_steps]


def test_before_the_first_push_the_destination_is_behind(session: Session) -> None:
    found = status(session, now=NOW)

    (mail,) = found.destinations
    assert (mail.status, mail.people, mail.at) == ("never", 0, None)
    assert mail.behind_s == 3600
    assert steps(session) == ["segctl push"]


def test_after_a_push_nothing_is_left_to_do(session: Session) -> None:
    pushed(session)

    (mail,) = status(session, now=NOW).destinations
    assert (mail.status, mail.people, mail.behind_s, mail.at) == ("ok", 3, 0, NOW - timedelta(minutes=5))
    assert steps(session) == []


@pytest.mark.parametrize("word", ["refused", "stopped", "interrupted"])
def test_a_push_that_did_not_arrive_leaves_it_behind(session: Session, word: str) -> None:
    pushed(session, status=word)

    (mail,) = status(session, now=NOW).destinations
    assert (mail.status, mail.behind_s) == (word, 3600)


def test_failures_and_waiting_removals_are_counted_apart(session: Session) -> None:
    pushed(session)
    workspace = session.workspace
    push = begin_push(workspace, NOW, {})
    for action, state in (("add", "invalid"), ("remove", "rejected")):
        row = NewRow(KEY if action == "add" else "1" * 32, "d", "c9", "{}", b"")
        number = intend(workspace, id=action, push=push.number, audience=1, action=action, rows=[row], head=0,
                        attempt=1, at=NOW)  # fmt: skip
        settle(workspace, Result(number, 1, action, NOW, faults={row.key: Fault(state, "no")}))

    (mail,) = status(session, now=NOW).destinations

    assert (mail.failed, mail.invalid, mail.rejected, mail.removals_waiting) == (1, 1, 0, 1)
    assert steps(session)[:2] == ["segctl push --all", "segctl push --retry-failed --preview"]


def test_what_is_paused_says_how_to_go_on(session: Session) -> None:
    record_pauses(session.workspace, [Pause("destination", "mail", "pause", NOW, "anna", "wrong account")])

    found = status(session, now=NOW)

    assert found.destinations[0].paused == "paused since 2026-11-22 by anna: wrong account"
    assert steps(session) == ["segctl resume mail"]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [([], None), ([4.0], (1, 4.0, 4.0, 4.0)), ([float(i) for i in range(1, 101)], (100, 50.0, 95.0, 100.0))],
)
def test_quantiles_by_the_nearest_rank(seconds: list[float], expected: tuple[float, ...] | None) -> None:
    found = quantiles(seconds)

    assert (None if found is None else (found.count, found.p50, found.p95, found.most)) == expected


def test_prometheus_reads_what_status_says(session: Session) -> None:
    pushed(session)
    record_pauses(session.workspace, [Pause("segment", "winback", "pause", NOW, "anna", "why")])
    name = 'shop "1"\\2\n'

    text = metrics_text(status(session, now=NOW), project=name, environment="dev")

    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert all(family.type == "gauge" and family.documentation for family in families.values())
    labels = {sample.labels["project"] for family in families.values() for sample in family.samples}
    assert labels == {name}
    (people,) = families["segctl_delivered_people"].samples
    assert (people.labels["destination"], people.labels["segment"], people.value) == ("mail", "winback", 3)
    words = {s.labels["status"]: s.value for s in families["segctl_last_push_status"].samples}
    assert words["ok"] == 1
    assert sum(words.values()) == 1
    assert families["segctl_last_push_timestamp_seconds"].samples[0].value == (NOW - timedelta(minutes=5)).timestamp()
    assert families["segctl_paused"].samples[0].labels["name"] == "winback"


# --- Withdrawals ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("actions", "seconds"),
    [(("grant", "withdraw"), [90.0]), (("withdraw", "grant"), []), (("grant",), [])],
)
def test_a_withdrawal_is_timed_until_the_removal_is_acknowledged(
    session: Session, actions: tuple[str, ...], seconds: list[float]
) -> None:
    pushed(session)
    workspace, wide = session.workspace, b"w" * 16
    said = NOW - timedelta(seconds=90)
    with workspace.transaction() as db:
        db.execute("INSERT INTO consent_keys VALUES ('k', 0)")
        for number, action in enumerate(actions):
            db.execute(
                "INSERT INTO consent_events (event_id, at, recorded, kind, exact, wide, key_id, action, purpose,"
                " origin, is_own, is_confirmed) VALUES (?, 0, ?, 'email', ?, ?, 'k', ?, 'newsletter', 'command', 1, 0)",
                (f"e{number}", int(said.timestamp() * 1_000_000), wide, wide, action),
            )
        db.execute("UPDATE delivered SET points = ?", (packed([b"e" * 16 + wide]),))
        key = db.execute("SELECT key FROM delivered LIMIT 1").fetchone()[0]
    push = begin_push(workspace, NOW, {})
    number = intend(workspace, id="r", push=push.number, audience=1, action="remove",
                    rows=[NewRow(key, None, None, "{}", b"")], head=0, attempt=1, at=NOW)  # fmt: skip
    settle(workspace, Result(number, 1, "remove", NOW, accepted=[key]))

    assert withdrawal_times(workspace, since=NOW - timedelta(days=30)).get("mail", []) == seconds
    assert withdrawal_times(workspace, since=NOW + timedelta(seconds=1)) == {}


# --- The push part of a plan ----------------------------------------------------------------------------
def test_a_plan_counts_what_a_push_would_do_with_its_cost(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    from segctl.operations import gate as gates

    monkeypatch.setattr(gates.Gate, "open", classmethod(lambda *_, **__: FakeGate()))
    before = plan_push(session, now=NOW)
    pushed(session)
    after = plan_push(session, now=NOW, members={"winback": session_members(session)[:1]})

    assert [(one.added, one.removed, one.calls, one.minutes) for one in before] == [(3, 0, 1, None)]
    # One call took three seconds at the last push there.
    assert [(one.added, one.removed, one.calls, one.minutes) for one in after] == [(0, 2, 1, 0.05)]
    assert before[0].digest != after[0].digest
    assert "cannot be called back" in before[0].irreversible[0]


def session_members(session: Session) -> pl.Series:
    from segctl.state.memberships import members

    return members(session.workspace, "winback")


def test_what_lasts_is_said_in_both_languages(session: Session) -> None:
    from segctl.connectors.destinations import abilities

    can = replace(abilities(Destination("mail", "fake_service")), removal="none")

    assert len(irreversible("mail", can, 3, 2, "en")) == len(irreversible("mail", can, 3, 2, "de")) == 3
    assert irreversible("mail", can, 0, 0, "en") == ()


def test_workflows_and_the_collector_are_told_of(session: Session) -> None:
    from segctl.connectors.collector.files import collector_folder
    from segctl.state.workflows import Books, Instance, Place

    before = status(session, now=NOW)
    us = int(NOW.timestamp() * 1e6)
    one = Instance(0, "cart", "v", 1, "c1", "e", us, "treated", "active", "start", us)
    Books(session.workspace).take_in([one], {"cart": Place("0.0", 0, us, us)}, versions={})
    folder = collector_folder(Path(session.project.workspace))
    folder.mkdir(parents=True)
    (folder / "2026-11-22T10-000001.ndjson").write_bytes(b"x" * 1000)
    with hold(session.workspace.folder, "listen", wait_s=0):
        found = status(session, now=NOW)

    assert (before.workflows, before.collector) == (None, None)
    assert found.workflows is not None
    assert (found.workflows.waiting, found.workflows.unknown, found.workflows.at) == (1, 0, NOW)
    assert found.collector is not None
    assert (found.collector.is_running, found.collector.files, found.collector.bytes) == (True, 1, 1000)

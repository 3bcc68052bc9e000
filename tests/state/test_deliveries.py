"""The ledger of deliveries: a row stands for everybody who may be at the destination."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from segctl.state.deliveries import (
    delivered,
    failures,
    keep_remote,
    ledger_audience,
    ledger_audiences,
    packed,
    sizes_delivered,
    unpacked,
    watermark,
)
from segctl.state.deliveries_batches import (
    Fault,
    NewRow,
    Result,
    drop_failures,
    intend,
    keep_job,
    lose,
    open_batches,
    remove_backlog,
    settle,
)
from segctl.state.deliveries_log import begin_part, begin_push, end_part, last_push, pushes
from segctl.state.deliveries_told import told
from segctl.state.workspace import Workspace

AT = datetime(2026, 11, 22, tzinfo=UTC)
ANNA, BERT = "0a" * 16, "0b" * 16


class Ledger:
    """Short words for the transitions of one audience."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.push = begin_push(workspace, AT, {}).number
        self.audience = ledger_audience(workspace, "shop", "winback").id

    def intend(self, action: str, *keys: str, digest: str | None = "d1") -> int:
        rows = [NewRow(key, None if action == "remove" else digest, f"p-{key[:2]}", "{}", b"") for key in keys]
        return intend(
            self.workspace, id="b", push=self.push, audience=self.audience, action=action, rows=rows, head=0,
            attempt=1, at=AT,
        )  # fmt: skip

    def settle(self, action: str, number: int, *accepted: str, **more: object) -> None:
        settle(self.workspace, Result(number, self.audience, action, AT, accepted, **more))

    def rows(self) -> list[tuple[str, str, str | None]]:
        return delivered(self.workspace, "shop", "winback").select("key", "state", "digest").rows()


@pytest.fixture
def ledger(workspace: Workspace) -> Ledger:
    return Ledger(workspace)


def test_an_accepted_addition_is_delivered_with_its_digest_and_id(ledger: Ledger) -> None:
    number = ledger.intend("add", ANNA)
    ledger.settle("add", number, ANNA, known_as={ANNA: "77"})

    frame = delivered(ledger.workspace, "shop", "winback")

    assert frame.rows() == [(ANNA, "p-0a", "accepted", "d1", "77", "{}")]
    assert sizes_delivered(ledger.workspace) == {("shop", "winback"): 1}
    assert watermark(ledger.workspace, "shop", "winback") == number


def test_an_intended_addition_is_on_record_before_its_result(ledger: Ledger) -> None:
    ledger.intend("add", ANNA)

    assert ledger.rows() == [(ANNA, "adding", None)]
    assert [batch.keys for batch in open_batches(ledger.workspace, [ledger.audience])] == [(ANNA,)]


def test_who_was_refused_and_never_there_leaves_no_row(ledger: Ledger) -> None:
    number = ledger.intend("add", ANNA, BERT)
    ledger.settle("add", number, BERT, faults={ANNA: Fault("invalid", "no such address")}, digests={ANNA: "d1"})

    assert ledger.rows() == [(BERT, "accepted", "d1")]
    assert [(f.key, f.state, f.digest, f.tries) for f in failures(ledger.workspace)] == [(ANNA, "invalid", "d1", 1)]


def test_who_was_refused_after_a_lost_call_may_still_be_there(ledger: Ledger) -> None:
    lose(ledger.workspace, ledger.intend("add", ANNA), AT)
    number = ledger.intend("add", ANNA)
    ledger.settle("add", number, faults={ANNA: Fault("rejected", "busy")})

    assert ledger.rows() == [(ANNA, "unsure", None)]


def test_a_refused_update_keeps_what_was_accepted(ledger: Ledger) -> None:
    ledger.settle("add", ledger.intend("add", ANNA), ANNA)
    number = ledger.intend("update", ANNA, digest="d2")
    ledger.settle("update", number, faults={ANNA: Fault("rejected", "busy")})

    assert ledger.rows() == [(ANNA, "accepted", "d1")]


def test_a_withdrawn_intent_leaves_the_ledger_as_it_was(ledger: Ledger) -> None:
    ledger.settle("add", ledger.intend("add", ANNA), ANNA)
    number = ledger.intend("remove", ANNA)
    ledger.settle("remove", number, withdrawn=[ANNA])
    other = ledger.intend("add", BERT)
    ledger.settle("add", other, withdrawn=[BERT])

    assert ledger.rows() == [(ANNA, "accepted", "d1")]
    assert failures(ledger.workspace) == []


def test_a_removal_that_nobody_acknowledged_keeps_the_row_open(ledger: Ledger) -> None:
    ledger.settle("add", ledger.intend("add", ANNA), ANNA)
    number = ledger.intend("remove", ANNA)
    ledger.settle("remove", number, faults={ANNA: Fault("unknown", "timed out", is_final=True)})

    assert ledger.rows() == [(ANNA, "unsure", "d1")]
    assert remove_backlog(ledger.workspace, "shop") == (1, AT.isoformat(timespec="microseconds"))

    ledger.settle("remove", ledger.intend("remove", ANNA), ANNA)

    assert ledger.rows() == []
    assert remove_backlog(ledger.workspace, "shop") == (0, None)


def test_a_removal_that_was_lost_and_then_put_off_stays_open(ledger: Ledger) -> None:
    ledger.settle("add", ledger.intend("add", ANNA), ANNA)
    lose(ledger.workspace, ledger.intend("remove", ANNA), AT)
    ledger.settle("remove", ledger.intend("remove", ANNA), withdrawn=[ANNA])

    assert ledger.rows() == [(ANNA, "unsure", "d1")]


def test_an_addition_of_unknown_outcome_keeps_what_was_sent(ledger: Ledger) -> None:
    number = ledger.intend("add", ANNA)
    ledger.settle("add", number, faults={ANNA: Fault("unknown", "timed out", is_final=True)})

    assert told(ledger.workspace, ledger.audience).rows() == [(ANNA, "unknown", None, "d1")]


def test_settling_twice_settles_once(ledger: Ledger) -> None:
    number = ledger.intend("add", ANNA)
    ledger.settle("add", number, faults={ANNA: Fault("rejected", "busy")})
    ledger.settle("add", number, faults={ANNA: Fault("rejected", "busy")})

    assert [f.tries for f in failures(ledger.workspace)] == [1]


def test_a_job_is_followed_by_its_id(ledger: Ledger) -> None:
    number = ledger.intend("add", BERT, ANNA)
    keep_job(ledger.workspace, number, "job-9")

    (batch,) = open_batches(ledger.workspace, [ledger.audience])

    assert (batch.job, batch.keys) == ("job-9", (BERT, ANNA))


def test_failures_that_no_longer_matter_are_forgotten(ledger: Ledger) -> None:
    number = ledger.intend("add", ANNA)
    ledger.settle("add", number, faults={ANNA: Fault("rejected", "busy")})

    drop_failures(ledger.workspace, ledger.audience, [ANNA])

    assert failures(ledger.workspace) == []


def test_a_renamed_segment_keeps_its_audience(workspace: Workspace) -> None:
    before = ledger_audience(workspace, "shop", "old_name", purpose="newsletter")
    keep_remote(workspace, before.id, "list-7", "vip")

    after = ledger_audience(workspace, "shop", "new_name", formerly=("old_name",))

    assert (after.id, after.segment, after.remote, after.name) == (before.id, "new_name", "list-7", "vip")
    assert ledger_audiences(workspace, "shop") == [after]


def test_a_push_that_was_killed_reads_as_interrupted_once_the_next_begins(ledger: Ledger) -> None:
    workspace = ledger.workspace
    begin_part(workspace, ledger.push, ledger.audience)
    assert pushes(workspace)[0].status == "running"

    second = begin_push(workspace, AT, {}).number
    begin_part(workspace, second, ledger.audience)
    end_part(workspace, second, ledger.audience, "partial", finished=AT, counts={"added": 1})

    assert [push.status for push in pushes(workspace)] == ["partial", "interrupted"]
    last = last_push(workspace, "shop")
    assert last is not None
    assert (last.number, last.parts[0].counts) == (second, {"added": 1})
    assert last_push(workspace, "other") is None


def test_packed_tokens_come_back() -> None:
    tokens = [b"\x01\x02", None, b"x" * 32]

    assert unpacked(packed(tokens)) == tokens
    assert unpacked(None) == []

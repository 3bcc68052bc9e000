"""Workflows on a workspace with a mail server: recorded changes, the gate of pushes, and what outlives a run."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streaming
from workflow_shop import NOON, Shop, copied, later

from segctl.operations.session import open_session
from segctl.operations.stream.stream import Stream
from segctl.operations.workflow.migrating import migrated
from segctl.operations.workflow.status import status
from segctl.operations.workflow.workflow import Ran, press, resolve, run, unknown_effects
from segctl.state.compaction import compact
from segctl.state.workflows import Books

controllers = pytest.importorskip("aiosmtpd.controller")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = copied(tmp_path)
    server = controllers.Controller(made.post, hostname="127.0.0.1", port=made.port)
    server.start()
    yield made
    server.stop()


def enter(shop: Shop, *people: int) -> None:
    shop.events(*((one, "added", NOON) for one in people), at=later(minutes=10))


def test_each_step_reaches_each_person_once(shop: Shop) -> None:
    enter(shop, 0, 1)

    first = shop.run(later(minutes=20))
    again = shop.run(later(minutes=20))
    second = shop.run(later(minutes=90))
    third = shop.run(later(minutes=95))

    assert first.handled.entered == {"cart": 2}
    assert first.handled.effects == {("cart", "first", "done"): 2}
    assert again.handled.is_empty
    assert second.handled.effects == {("cart", "second", "done"): 2}
    assert third.handled.is_empty
    assert sorted(shop.mails) == ["p0", "p0", "p1", "p1"]
    ids = [mail["Message-ID"] for _, mail in shop.post.taken]
    with open_session(shop.folder) as session:
        assert sorted(ids) == sorted(f"<{one.key}@shop.example>" for one in Books(session.workspace).effects())
    assert len(set(ids)) == 4
    assert all(mail["Subject"] == "Hello" and "letter" in mail.get_payload() for _, mail in shop.post.taken)


def test_an_order_between_two_mails_ends_the_way(shop: Shop) -> None:
    enter(shop, 0, 1)
    shop.run(later(minutes=20))
    shop.events((1, "bought", later(minutes=30)))

    ran = shop.run(later(minutes=90))

    assert shop.mails[2:] == ["p0"]
    assert ran.handled.ended == {("cart", "exited"): 1, ("cart", "done"): 1}


def test_nobody_without_consent_gets_a_mail(shop: Shop) -> None:
    shop.workflow(
        (shop.folder / "workflows/cart.yaml").read_text("utf-8").replace("service", "news").partition("\n")[2]
    )
    shop.says(0, "grant", "news")
    shop.says(1, "grant", "news")
    shop.says(1, "withdraw")
    enter(shop, 0, 1, 2)
    # Consent is as of today, so the clock is too.
    shop.run(later(minutes=20))
    shop.says(0, "object_marketing")
    shop.run(later(minutes=90))

    with open_session(shop.folder) as session:
        found = Books(session.workspace).effects()
    assert shop.mails == ["p0"]
    assert {(one.subject, one.step): one.reason for one in found if one.state == "refused"} == {
        (0, "second"): "consent:objected_marketing",
        (1, "first"): "consent:withdrawn", (1, "second"): "consent:withdrawn",
        (2, "first"): "consent:unknown", (2, "second"): "consent:unknown",
    }  # fmt: skip


def test_who_withdraws_while_others_are_written_to_gets_nothing(shop: Shop) -> None:
    shop.workflow(
        (shop.folder / "workflows/cart.yaml").read_text("utf-8").replace("service", "news").partition("\n")[2]
    )
    for one in (0, 1, 2):
        shop.says(one, "grant", "news")
    enter(shop, 0, 1, 2)
    shop.post.meanwhile = lambda: shop.says(2, "withdraw", "news")

    ran = shop.run(later(minutes=20))

    assert shop.mails == ["p0", "p1"]
    assert ran.handled.effects == {("cart", "first", "done"): 2, ("cart", "first", "refused"): 1}


def test_who_objects_to_profiling_leaves_the_way(shop: Shop) -> None:
    enter(shop, 0, 1)
    shop.run(later(minutes=20))
    shop.says(0, "object_profiling")

    ran = shop.run(later(minutes=90))

    assert shop.mails[2:] == ["p1"]
    assert ran.handled.ended[("cart", "gone")] == 1


def test_mails_of_workflows_count_for_the_caps_of_the_project(shop: Shop) -> None:
    project = shop.folder / "segctl.yaml"
    project.write_text(project.read_text("utf-8") + "caps: {one_a_day: {at_most: 1, within_last: 1 days}}\n", "utf-8")
    enter(shop, 0)
    shop.run(later(minutes=20))

    ran = shop.run(later(minutes=90))

    assert shop.mails == ["p0"]
    assert ran.handled.effects == {("cart", "second", "refused"): 1}
    with open_session(shop.folder) as session:
        assert Books(session.workspace).effects("state = 'refused'")[0].reason == "cap:one_a_day"


@pytest.mark.slow
def test_people_wait_while_the_server_does_not_answer(tmp_path: Path) -> None:
    shop = copied(tmp_path)
    enter(shop, 0)

    held = shop.run(later(minutes=20))
    server = controllers.Controller(shop.post, hostname="127.0.0.1", port=shop.port)
    server.start()
    ran = shop.run(later(minutes=30))
    server.stop()

    assert held.handled.held[("cart", "first")].startswith("no mail server answers")
    assert held.handled.effects == {}
    assert ran.handled.effects == {("cart", "first", "done"): 1}
    assert shop.mails == ["p0"]


def test_a_server_that_does_not_answer_is_not_pressed(tmp_path: Path) -> None:
    shop = copied(tmp_path)
    enter(shop, 0, 1, 2)

    shop.run(later(minutes=20))

    with open_session(shop.folder) as session:
        assert [one.wake for one in Books(session.workspace).active()] == [None, None, None]


def test_one_mailbox_that_is_full_keeps_nobody_else_waiting(shop: Shop) -> None:
    async def full(server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if address.startswith("p1"):
            return "452 mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    vars(shop.post)["handle_RCPT"] = full
    enter(shop, 0, 1, 2, 3)

    held = shop.run(later(minutes=20))
    del vars(shop.post)["handle_RCPT"]
    shop.run(later(minutes=21))

    assert shop.mails == ["p0", "p2", "p3", "p1"]
    assert list(held.handled.held) == [("cart", "first")]


def test_people_wait_while_a_template_is_wrong(shop: Shop) -> None:
    right = (shop.folder / "content/hello.txt.j2").read_text("utf-8")
    shop.write("content/hello.txt.j2", right + "{{ nobody_knows }}\n")
    enter(shop, 0)

    held = shop.run(later(minutes=20))
    shop.write("content/hello.txt.j2", right)
    shop.run(later(minutes=21))

    assert held.handled.held[("cart", "first")].startswith("SEG777")
    assert shop.mails == ["p0"]


@pytest.mark.slow
def test_an_event_begins_a_workflow_once_also_after_compaction(shop: Shop) -> None:
    shop.workflow("purpose: service\ntrigger: {event: bought}\nreentry: always\nsteps: [{mail: hello, to: mailer}]\n")
    shop.run(later(minutes=1))
    shop.events((0, "bought", later(minutes=2)), (1, "bought", later(hours=5)))

    first = shop.run(later(minutes=10))
    with open_session(shop.folder) as session:
        compact(session.workspace)
    again = shop.run(later(minutes=20))
    ahead = shop.run(later(hours=6))
    shop.events((2, "bought", later(minutes=5)))
    late = shop.run(later(hours=7))

    assert [len(one.handled.entered) for one in (first, again, ahead, late)] == [1, 0, 1, 1]
    assert shop.mails == ["p0", "p1", "p2"]


def test_a_trait_is_set_and_a_program_told(shop: Shop) -> None:
    shop.workflow(
        "purpose: service\ntrigger: {entered: full_cart}\nsteps:\n- set: {tier: gold}\n"
        "- {command: [sh, -c, 'cat >> told.json'], name: tell}\n- {command: [sh, -c, 'exit 3'], name: fail}\n"
    )
    enter(shop, 0)
    ran = shop.run(later(minutes=20))
    shop.apply(later(minutes=30))

    assert ran.handled.effects == {
        ("cart", "1", "done"): 1, ("cart", "tell", "done"): 1, ("cart", "fail", "failed"): 1,
    }  # fmt: skip
    assert '"workflow": "cart"' in (shop.folder / "told.json").read_text("utf-8")
    with open_session(shop.folder) as session:
        from segctl.state.memberships import members

        assert members(session.workspace, "gold").to_list() == [0]


@pytest.mark.slow
def test_a_paused_workflow_does_nothing_and_takes_nobody_in(shop: Shop) -> None:
    enter(shop, 0)
    shop.run(later(minutes=20))
    with open_session(shop.folder) as session:
        assert press(session, "pause", ["cart"], reason="wrong prices", now=later(minutes=30)) == [("cart", True)]
    shop.events((1, "added", later(minutes=40)), at=later(minutes=50))

    paused = shop.run(later(minutes=95))
    with open_session(shop.folder) as session:
        found = status(session)
        press(session, "resume", ["cart"], reason=None, now=later(minutes=96))
    ran = shop.run(later(minutes=97))

    assert paused.handled.is_empty
    assert found[0].state == "paused"
    assert ran.handled.effects == {("cart", "second", "done"): 1}
    assert shop.mails == ["p0", "p0"]


def test_a_definition_that_changes_begins_nothing(shop: Shop) -> None:
    shop.write("segments/full_cart.yaml", "segment: full_cart\nwhere: {event: added, within_last: 60 days}\n")
    shop.apply(later(minutes=10))

    assert shop.run(later(minutes=20)).handled.is_empty


@pytest.mark.slow
def test_who_waits_goes_on_by_the_old_steps_until_migrated(shop: Shop) -> None:
    enter(shop, 0, 1)
    shop.run(later(minutes=20))
    text = (shop.folder / "workflows/cart.yaml").read_text("utf-8").replace("wait: 1 hours", "wait: 9 hours")
    shop.write("workflows/cart.yaml", text)

    ran = shop.run(later(minutes=90))
    enter(shop, 2)
    shop.run(later(minutes=95))
    shop.write("workflows/cart.yaml", text.replace("9 hours", "1 hours"))
    with open_session(shop.folder) as session:
        assert migrated(session) == (1, 0)
    moved = shop.run(later(hours=3))

    assert ran.handled.effects == {("cart", "second", "done"): 2}
    assert moved.handled.effects == {("cart", "second", "done"): 1}


def test_what_nobody_knows_is_settled_by_somebody(shop: Shop) -> None:
    enter(shop, 0)
    shop.run(later(minutes=20))
    with open_session(shop.folder) as session:
        with session.workspace.transaction() as db:
            db.execute("UPDATE workflow_effects SET state = 'unknown'")
        (one,) = unknown_effects(session)
        resolve(session, one.key, is_sent=True, now=later(minutes=30))

        assert unknown_effects(session) == []
        assert [one.state for one in Books(session.workspace).effects()] == ["done"]


class _Serving(threading.Thread):
    """Turns a stream until it is stopped; in a process of its own in life."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(daemon=True)
        self.stream, self.is_over = stream, False

    def run(self) -> None:
        while not self.is_over:
            self.stream.turn(0.01)


def test_events_that_a_running_stream_has_taken_in_begin_and_end_ways_at_once(tmp_path: Path) -> None:
    folder = streaming.write_project(tmp_path)
    (folder / "workflows").mkdir()
    (folder / "workflows/watch.yaml").write_text(
        "workflow: watch\ntrigger: {event: order}\nreentry: always\nexit: {seen: {event: view}}\nsteps:\n"
        "- {command: [sh, -c, 'echo told >> told.txt'], name: tell}\n- wait: 1 hours\n"
        "- {command: [sh, -c, 'echo late >> told.txt'], name: late}\n",
        "utf-8",
    )
    shop = streaming.Shop(folder)
    with shop.stream() as stream:
        stream.start()
        shop.at(0.5)
        stream.turn()
        with open_session(folder) as session:
            run(session, now=shop.now)
        serving = _Serving(stream)
        serving.start()
        shop.at(10)
        shop.write(streaming.line(1, "anna", 9, "order"), streaming.line(2, "bert", 9, "order"))
        begun = _looked(shop)
        shop.at(90)
        shop.write(streaming.line(3, "bert", 30))
        gone_on = _looked(shop)
        serving.is_over = True
        serving.join()

    assert begun.handled.effects == {("watch", "tell", "done"): 2}
    assert gone_on.handled.effects == {("watch", "late", "done"): 1}
    assert gone_on.handled.ended == {("watch", "exited"): 1, ("watch", "done"): 1}
    assert not begun.is_behind


def _looked(shop: streaming.Shop) -> Ran:
    """A look of workflows, once the stream has taken in all that was written."""
    lines = len(shop.path.read_bytes().splitlines())
    with open_session(shop.folder) as session:
        while session.workspace.query("SELECT coalesce(max(line), 0) FROM stream_positions")[0][0] < lines:
            time.sleep(0.005)
        return run(session, now=shop.now)


def test_a_look_reads_nobody_but_those_on_the_way(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from segctl.operations import evaluation

    read: list[object] = []
    load = evaluation.load_input
    monkeypatch.setattr(evaluation, "load_input", lambda *a, **k: read.append(k.get("only")) or load(*a, **k))
    shop.workflow("purpose: service\ntrigger: {event: bought}\nsteps: [wait: 1 hours]\n")
    shop.run(later(minutes=1))
    shop.events((1, "bought", later(minutes=2)), (2, "added", later(minutes=2)))
    read.clear()

    shop.run(later(minutes=10))
    shop.run(later(minutes=20))

    assert read
    assert all(only == [1] for only in read)


AB = (
    "experiment: ab\nsegment: full_cart\narms: {control: {weight: 1, send: nothing}, mail: {weight: 1}}\n"
    "control: control\nwindow: 7 days\nmetrics: {orders: {event: bought, count: {}, role: primary}}\n"
)


def test_arms_of_an_experiment_are_on_record_before_anybody_is_told_and_stay(shop: Shop) -> None:
    from segctl.operations.experiment.run import start
    from segctl.state.assignments import assignments

    shop.write("experiments/ab.yaml", AB)
    shop.workflow(
        "purpose: service\ntrigger: {entered: full_cart}\nreentry: always\nsteps:\n"
        "- name: ways\n  split: {experiment: ab}\n  then:\n    control: []\n"
        "    mail:\n    - {mail: hello, to: mailer, name: told}\n"
        "- wait: 1 hours\n- {command: [sh, -c, 'exit 0'], name: all}\n"
    )
    enter(shop, 0, 1, 2, 3, 4)
    held = shop.run(later(minutes=20))
    told_before = list(shop.mails)
    with open_session(shop.folder) as session:
        start(session, "ab", now=later(minutes=21))

    first = shop.run(later(minutes=22))
    again = shop.run(later(minutes=23))
    last = shop.run(later(minutes=95))

    with open_session(shop.folder) as session:
        arms = dict(assignments(session.workspace, "ab").select("subject", "arm").iter_rows())
    assert "does not run" in held.handled.held["cart", "ways"]
    assert told_before == []
    assert set(arms) == {0, 1, 2, 3, 4}
    assert set(arms.values()) == {"control", "mail"}
    assert sorted(shop.mails) == [f"p{one}" for one, arm in sorted(arms.items()) if arm == "mail"]
    assert first.handled.effects == {("cart", "told", "done"): len(shop.mails)}
    assert again.handled.is_empty
    assert last.handled.effects == {("cart", "all", "done"): 5}


def test_who_is_in_no_arm_takes_the_other_way(shop: Shop) -> None:
    from segctl.operations.experiment.run import start

    shop.write("segments/staff.yaml", "segment: staff\nwhere: {trait: country, equals: DE}\n")
    shop.write("experiments/ab.yaml", AB + "exclude: [staff]\n")
    shop.workflow(
        "purpose: service\ntrigger: {entered: full_cart}\nsteps:\n- name: ways\n  split: {experiment: ab}\n"
        "  then: {control: [], mail: []}\n  else:\n  - {mail: hello, to: mailer, name: without}\n"
    )
    enter(shop, 0, 1)
    with open_session(shop.folder) as session:
        start(session, "ab", now=later(minutes=11))

    ran = shop.run(later(minutes=20))

    assert ran.handled.effects == {("cart", "without", "done"): 2}

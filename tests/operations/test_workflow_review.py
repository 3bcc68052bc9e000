"""What a second look at workflows found: edits, late data, pauses, withdrawal, programs, the clock within a look."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from workflow_shop import NOON, Shop, copied, later

from segctl.compile.zones import to_us
from segctl.operations.pauses import press as press_button
from segctl.operations.session import Session, open_session
from segctl.operations.workflow import withdrawn
from segctl.operations.workflow.live import LiveWorld
from segctl.operations.workflow.migrating import migrated
from segctl.operations.workflow.withdrawn import take_out
from segctl.operations.workflow.workflow import follow, press
from segctl.operations.workflow.world import Doing, Result
from segctl.state.workflows import Books, Effect

controllers = pytest.importorskip("aiosmtpd.controller")
CONFIGS = Path(__file__).parents[2] / "configs"
MAIL = "{mail: hello, to: mailer}"
CART = "purpose: service\ntrigger: {entered: full_cart}\nreentry: always\nsteps:\n"

WITH_N = (
    "source: web\npath: more*.csv\nkey: {customer_id: nr}\n"
    "events: [{event: {column: event}, time: at, id: id, properties: {n: n}}]\n"
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = copied(tmp_path)
    server = controllers.Controller(made.post, hostname="127.0.0.1", port=made.port)
    server.start()
    yield made
    server.stop()


def enter(shop: Shop, *people: int) -> None:
    shop.events(*((one, "added", NOON) for one in people), at=later(minutes=10))


# --- Edits --------------------------------------------------------------------------------------------------
def test_who_had_a_mail_from_a_step_without_a_name_does_not_get_it_from_another(shop: Shop) -> None:
    shop.workflow(CART + "".join(f"- {step}\n" for step in (MAIL, "wait: 5 hours", MAIL)))
    enter(shop, 0)
    shop.run(later(minutes=20))

    for steps, moved in (
        (["wait: 1 minutes", MAIL, "wait: 5 hours", MAIL], (0, 1)),
        ([MAIL, MAIL], (0, 1)),
        (["set: {tier: gold}", "wait: 1 minutes", MAIL], (0, 1)),
        ([MAIL, "wait: 1 minutes", "set: {tier: gold}"], (1, 0)),
    ):
        shop.workflow(CART + "".join(f"- {step}\n" for step in steps))
        with open_session(shop.folder) as session:
            assert migrated(session) == moved, steps
    shop.run(later(minutes=30))

    assert shop.mails == ["p0"]


# --- Events that come late, or several at once ---------------------------------------------------------------
def test_old_events_begin_nothing_and_of_several_new_ones_each_counts(shop: Shop) -> None:
    project = (shop.folder / "segctl.yaml").read_text("utf-8")
    shop.write("segctl.yaml", project.replace("bought: {}", "bought: {properties: {n: integer}}"))
    shop.write("sources/web.yaml", WITH_N)
    shop.write(
        "workflows/thanks.yaml",
        "workflow: thanks\npurpose: service\ntrigger: {event: bought, where: {n: {at_least: 1}}}\nreentry: 1 hours\n"
        f"steps: [{MAIL}]\n",
    )
    shop.run(later(days=-3))
    soon, late = later(minutes=5), later(hours=2)
    _bought(shop, (0, 1, later(days=-300)), (1, 1, later(days=-5)), (3, 1, soon), (3, 1, later(minutes=30)),
            (3, 1, late), (4, 0, soon), (4, 1, late))  # fmt: skip

    ran = shop.run(later(hours=3))
    _bought(shop, (2, 1, later(days=-2)))
    again = shop.run(later(days=6))

    assert sorted(shop.mails) == ["p3", "p3", "p4"]
    assert ran.handled.entered == {"thanks": 3}
    assert again.handled.is_empty


def _bought(shop: Shop, *rows: tuple[int, int, datetime]) -> None:
    name = f"more{len(list(shop.folder.glob('more*.csv')))}"
    lines = [f"{nr},bought,{at.isoformat()},{name}{number},{n}\n" for number, (nr, n, at) in enumerate(rows)]
    shop.write(f"{name}.csv", "nr,event,at,id,n\n" + "".join(lines))
    shop.ingest()


# --- Pauses -------------------------------------------------------------------------------------------------
def test_nobody_begins_later_who_would_have_begun_in_any_kind_of_pause(shop: Shop) -> None:
    path = shop.folder / "workflows/cart.yaml"
    text = path.read_text("utf-8")
    other = shop.folder / "elsewhere.yaml"
    ways: list[tuple[Callable[[], object], Callable[[], object]]] = [
        (lambda: path.write_text(f"{text}status: paused\n", "utf-8"), lambda: path.write_text(text, "utf-8")),
        (lambda: path.rename(other), lambda: other.rename(path)),
    ]
    for number, (stop, go_on) in enumerate(ways):
        stop()
        shop.events((number, "added", NOON), at=later(minutes=10 * number + 5))
        shop.run(later(minutes=10 * number + 6))
        go_on()
        assert shop.run(later(minutes=10 * number + 7)).handled.is_empty
    for number, everything in ((2, False), (3, True)):
        at = later(minutes=10 * number)
        with open_session(shop.folder) as session:
            _press(session, "pause", at, everything=everything)
        # Segments stop with everything else, so the apply that follows tells who came meanwhile.
        shop.events((number, "added", at + timedelta(minutes=1)), at=at + timedelta(minutes=2))
        with open_session(shop.folder) as session:
            _press(session, "resume", at + timedelta(minutes=3), everything=everything)
        shop.apply(at + timedelta(minutes=4))
        assert shop.run(at + timedelta(minutes=5)).handled.is_empty
    shop.events((4, "added", NOON), at=later(minutes=55))

    shop.run(later(minutes=56))

    assert shop.mails == ["p4"]


def _press(session: Session, action: Literal["pause", "resume"], at: datetime, *, everything: bool) -> None:
    if everything:
        press_button(session, action, [], everything=True, reason="prices", now=at)
    else:
        press(session, action, ["cart"], reason="prices", now=at)


def test_who_leaves_during_a_pause_has_not_stayed(shop: Shop) -> None:
    shop.workflow(f"purpose: service\ntrigger: {{stayed: full_cart, for: 30 hours}}\nsteps: [{MAIL}]\n")
    enter(shop, 0, 1)
    shop.run(later(minutes=20))
    with open_session(shop.folder) as session:
        press(session, "pause", ["cart"], reason="prices", now=later(minutes=30))
    shop.events((1, "added", later(hours=20)), at=later(hours=25))
    shop.events((0, "added", later(hours=26)), at=later(hours=26.5))
    with open_session(shop.folder) as session:
        press(session, "resume", ["cart"], reason=None, now=later(hours=27))

    shop.run(later(hours=31))

    assert shop.mails == ["p1"]


# --- Withdrawal ---------------------------------------------------------------------------------------------
def test_withdrawals_are_told_during_a_pause_and_what_cannot_work_is_told_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    results = {"p0": Result("invalid", "no member")}

    def answer(
        _world: object, _name: object, _node: object, _act: object, _told: object, one: Doing, _now: int
    ) -> Result:
        told.append(one.someone.profile)
        return results.get(one.someone.profile, Result("not_now", "down", is_personal=True))

    monkeypatch.setattr(LiveWorld, "take_out", answer)
    with open_session(shop.folder) as session:
        Books(session.workspace).write(intended=[_added(nr, "news") for nr in range(6)])
        _press(session, "pause", later(minutes=1), everything=True)
        for minute in (1, 2):
            with closing(LiveWorld(session)) as world:
                take_out(world, Books(session.workspace), now=to_us(later(seconds=60 * minute + 1)))
    assert sorted(told[:6]) == [f"p{nr}" for nr in range(6)]
    assert "p0" not in told[6:]


def test_nobody_is_taken_out_whom_another_purpose_keeps_in(shop: Shop) -> None:
    with open_session(shop.folder) as session, closing(LiveWorld(session)) as world:
        Books(session.workspace).write(intended=[_added(0, "service"), _added(0, "news"), _added(1, "news")])
        calls: list[str] = []
        vars(world)["take_out"] = lambda *given: calls.append(given[4].someone.profile) or Result("done")
        found = take_out(world, Books(session.workspace), now=to_us(NOON))

    assert calls == ["p1"]
    assert [state for _, _, state in found] == ["done"]


def test_nobody_is_asked_about_again_while_nothing_is_new(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []
    real = withdrawn.passed

    def passed(*given: Any, **named: Any) -> Any:
        asked.append(sorted(given[4]))
        return real(*given, **named)

    def look(minutes: int) -> list[str]:
        with closing(LiveWorld(session)) as world:
            vars(world)["take_out"] = lambda *_: Result("done")
            return [
                state for _, _, state in take_out(world, Books(session.workspace), now=to_us(later(minutes=minutes)))
            ]

    monkeypatch.setattr(withdrawn, "passed", passed)
    for nr in (0, 1):
        shop.says(nr, "grant", "news")
    with open_session(shop.folder) as session:
        Books(session.workspace).write(intended=[_added(0, "news"), _added(1, "news")])
        first = [*look(1), *look(2)]
        shop.says(1, "withdraw", "news")
        second = [look(3), look(4), look(70)]

    assert (first, second) == ([], [["done"], [], []])
    assert asked == [[0, 1], [0, 1], [0]]


def _added(nr: int, purpose: str) -> Effect:
    return Effect(
        f"{purpose}{nr}", 0, purpose, "v", nr, f"p{nr}", "e", "step", "add", "mailer", "audience", purpose, "email",
        "done", None, nr + (purpose == "news"), 1,
    )  # fmt: skip


# --- Programs -----------------------------------------------------------------------------------------------
def test_what_a_program_prints_or_leaves_running_stops_nobody(shop: Shop) -> None:
    script = r"printf '\377'; sleep 60 & echo $! > child"
    shop.workflow(CART + f'- {{command: [sh, -c, "{script}"], name: tell}}\n'.replace("\\", "\\\\"))
    enter(shop, 0)
    begun = time.monotonic()

    ran = shop.run(later(minutes=20))

    os.kill(int((shop.folder / "child").read_text()), signal.SIGKILL)
    assert ran.handled.effects == {("cart", "tell", "done"): 1}
    assert time.monotonic() - begun < 30


# --- While many are told ------------------------------------------------------------------------------------
def test_the_button_stops_between_two_mails(shop: Shop) -> None:
    enter(shop, 0, 1, 2)

    def stop() -> None:
        with open_session(shop.folder) as session:
            _press(session, "pause", later(minutes=20), everything=True)

    shop.post.meanwhile = stop

    ran = shop.run(later(minutes=20))

    assert shop.mails == ["p0"]
    assert ran.handled.held == {("cart", "first"): "everything is paused"}


def test_the_night_that_falls_between_two_mails_keeps_the_rest(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.workflow(CART.replace("steps", 'quiet: {from: "13:00", to: "14:00"}\nsteps') + f"- {MAIL}\n")
    enter(shop, 0, 1, 2)
    monkeypatch.setattr(LiveWorld, "since", lambda _world, now: now + len(shop.mails) * 30 * 60 * 1_000_000)
    shop.run(later(minutes=20))
    begun = list(shop.mails)
    with open_session(shop.folder) as session:
        wakes = [one.wake for one in Books(session.workspace).active()]

    assert begun == ["p0", "p1"]
    assert wakes == [to_us(later(hours=2))]


def test_a_late_look_tells_what_came_in_time_from_what_came_after(shop: Shop) -> None:
    shop.workflow(
        CART + "- wait: {for: {event: bought}, at_most: 1 hours}\n"
        f"  reached: [{MAIL[:-1]}, name: reached}}]\n  timeout: [{MAIL[:-1]}, name: timeout}}]\n"
    )
    enter(shop, 0, 1, 2)
    shop.run(later(minutes=20))
    shop.events((0, "bought", later(minutes=200)), (1, "bought", later(minutes=201)))
    shop.events((1, "bought", later(minutes=30)))

    ran = shop.run(later(minutes=300))

    assert ran.handled.effects == {("cart", "reached", "done"): 1, ("cart", "timeout", "done"): 2}
    with open_session(shop.folder) as session:
        assert [one.subject for one in Books(session.workspace).effects("step = 'reached'")] == [1]


def test_an_order_before_the_entry_that_is_recorded_late_ends_a_cart_too(shop: Shop) -> None:
    ready = (CONFIGS / "workflows/cart_recovery.yaml").read_text("utf-8").partition("exit:\n")[2].partition("steps:")[0]
    rules = ready.replace("product_added", "added").replace("order_completed", "bought")
    shop.workflow(CART.replace("steps", f"exit:\n{rules}steps") + f"- {MAIL}\n- wait: 1 hours\n- {MAIL}\n")
    segment = "segment: full_cart\nwhere: {event: added, between: [1 day ago, 10 minutes ago]}\n"
    shop.write("segments/full_cart.yaml", segment)
    shop.apply(later(minutes=1))
    shop.events((0, "added", later(minutes=2)), (1, "added", later(minutes=2)), at=later(minutes=15))
    shop.run(later(minutes=20))
    shop.events((0, "bought", later(minutes=5)))

    ran = shop.run(later(minutes=90))

    assert ran.handled.ended == {("cart", "exited"): 1, ("cart", "done"): 1}
    assert shop.mails == ["p0", "p1", "p1"]


# --- Following ----------------------------------------------------------------------------------------------
def test_a_follower_goes_by_the_files_of_now_and_by_the_last_good_ones_while_they_are_broken(shop: Shop) -> None:
    enter(shop, 0)
    text, told = (shop.folder / "workflows/cart.yaml").read_text("utf-8"), list[str | None]()
    with open_session(shop.folder) as session:
        looks = follow(
            session, ["cart"], now=later(minutes=20), every_s=0.01,
            told=lambda error: told.append(error and error.code),
        )  # fmt: skip
        next(looks)
        shop.events((1, "added", NOON), at=later(minutes=15))
        shop.write("workflows/cart.yaml", "workflow: other\n")
        _, broken = next(looks)
        shop.write("workflows/cart.yaml", f"{text}status: paused\n")
        shop.events((2, "added", NOON), at=later(minutes=16))
        _, ran = next(looks)

    assert (broken.workflows, ran.workflows) == (("cart",), ())
    assert (len(told), told[1]) == (2, None)
    assert shop.mails == ["p0", "p1"]

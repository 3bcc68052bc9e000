"""A simulation of a past span says what hourly runs would have done, and tells nobody; tests of the shop's journeys."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from workflow_shop import NOON, Shop, copied, later

from segctl.compile.zones import to_us
from segctl.model.errors import UsageError
from segctl.operations.content.preview import preview
from segctl.operations.session import open_session
from segctl.operations.workflow.simulate import Simulated, simulate
from segctl.operations.workflow.testing import load_suite, run_cases
from segctl.state.workflows import Books

controllers = pytest.importorskip("aiosmtpd.controller")
CONFIGS = Path(__file__).resolve().parents[2] / "configs"
HOURS = 5


def simulated(shop: Shop) -> Simulated:
    with open_session(shop.folder) as session:
        return simulate(
            session, begin=NOON, end=later(hours=HOURS), every=timedelta(hours=1), now=later(days=9)
        )  # fmt: skip


@pytest.mark.slow
def test_a_simulation_does_what_runs_would_have_done(tmp_path: Path) -> None:
    shop = copied(tmp_path)
    shop.says(3, "object_marketing")
    server = controllers.Controller(shop.post, hostname="127.0.0.1", port=shop.port)
    server.start()
    events = [
        (0, "added", later(minutes=10)), (1, "added", later(minutes=70)), (1, "bought", later(minutes=130)),
        (2, "added", later(minutes=150)), (3, "added", later(minutes=20)),
        (4, "added", later(minutes=15)), (4, "bought", later(minutes=40)),
    ]  # fmt: skip
    for hour in range(1, HOURS + 1):
        fresh = [one for one in events if later(hours=hour - 1) < one[2] <= later(hours=hour)]
        shop.events(*fresh, at=later(hours=hour))
        shop.run(later(hours=hour))
    server.stop()

    found = simulated(shop)

    with open_session(shop.folder) as session:
        books = Books(session.workspace)
        lived = [(one.settled, one.profile, one.step, one.state) for one in books.effects()]
        ways = sorted((one.profile, one.entered, one.state) for one in books.instances())
    # Whoever objects today had not objected then.
    told = [(one.settled, one.profile, one.step, one.state) for one in found.effects]
    assert [one for one in told if one[1] != "3"] == [one for one in lived if one[1] != "3"]
    assert {state for _, profile, _, state in told if profile == "3"} == {"done"}
    assert sorted((one.profile, one.entered, one.state) for one in found.instances) == ways
    assert ("4", to_us(later(minutes=15)), "exited") in ways
    assert len(lived) >= 6


def test_nobody_is_told_and_nothing_recorded_by_a_simulation(tmp_path: Path) -> None:
    shop = copied(tmp_path)
    shop.events((0, "added", later(minutes=10)))

    found = simulated(shop)

    assert [one.step for one in found.effects] == ["first", "second"]
    with open_session(shop.folder) as session:
        assert Books(session.workspace).effects() == []
        assert Books(session.workspace).instances() == []


def test_a_preview_says_that_nothing_would_be_sent(tmp_path: Path) -> None:
    shop = copied(tmp_path)
    shop.write("content/hello.yaml", "content: hello\npurpose: news\n")

    with open_session(shop.folder) as session:
        refused = preview(session, "hello", "1", as_of=NOON)
    shop.write("content/hello.yaml", "content: hello\npurpose: service\n")
    shop.events((1, "added", NOON), at=later(minutes=1))
    with open_session(shop.folder) as session:
        sent = preview(session, "hello", "1", as_of=later(minutes=2))

    assert refused.unsent == ("no member of `full_cart`, which `cart` begins with", "`news`: nothing is on record")
    assert (refused.rendered.subject_line, sent.unsent) == ("Hello", ())


def test_the_control_group_is_more_than_those_whom_only_it_keeps_back() -> None:
    ways = tuple(SimpleNamespace(arm=arm) for arm in ("control", "control", "treated"))
    effects = tuple(SimpleNamespace(instance=way, state=state)
                    for way, state in [(1, "control"), (1, "control"), (2, "refused"), (3, "done")])  # fmt: skip

    found = Simulated({}, NOON, NOON, 1, ways, effects)

    assert (found.control, found.held_back) == (2, 1)


def test_a_span_that_is_none_is_refused(tmp_path: Path) -> None:
    shop = copied(tmp_path)
    with open_session(shop.folder) as session, pytest.raises(UsageError, match="cannot be simulated"):
        simulate(session, begin=later(hours=1), end=NOON, every=timedelta(hours=1), now=later(days=1))


def test_the_journeys_of_the_shop_pass_their_tests() -> None:
    suite = load_suite(CONFIGS, ["cart_recovery"], "order")

    assert [(case.name, wrong) for case, wrong in run_cases(suite)] == [
        ("an order ends it, before the first mail and after it", [])
    ]


def test_a_case_that_expects_something_else_fails(tmp_path: Path) -> None:
    shop = copied(tmp_path)
    case = (
        "workflow: cart\nfrom: 2026-06-15 12:00\nuntil: 2026-06-15 18:00\ncases:\n- case: x\n"
        "  given: {anna: {added: 2026-06-15 13:00}, ben: {added: 2026-06-15 13:00}}\n"
        "  expect: {anna: [{first: 2026-06-15 13:00}, second], ben: {steps: [first], ends: bought}}\n"
    )
    shop.write("tests/cart.yaml", case)

    ((_, wrong),) = run_cases(load_suite(shop.folder))

    assert [(one.profile, one.found) for one in wrong] == [
        ("ben", "first at 2026-06-15 13:00:00, second at 2026-06-15 14:00:00"), ("ben", "ends: done"),
    ]  # fmt: skip

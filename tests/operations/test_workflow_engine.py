"""The engine of workflows against a slow reading of the same files, and against faults wherever it writes."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import yaml
from workflow_oracle import MINUTE, T0, Life, Oracle, WrittenWorld, bound

from segctl.operations.workflow.engine import Engine, Handled
from segctl.state.workflows import Books, MemoryDatabase

HEAD = "workflow: w\npurpose: newsletter\n"


def engine_of(world: WrittenWorld, books: Books, text: str) -> Engine:
    workflow = bound(text)
    return Engine(world, books, {"w": workflow}, lambda _name, _digest: None)


def looked(world: WrittenWorld, books: Books, text: str, instants: list[int]) -> list[Handled]:
    engine = engine_of(world, books, text)
    found = []
    for at in instants:
        world.clock = at
        found.append(engine.handle(at))
    return found


# --- Random files and lives ----------------------------------------------------------------------------------
def random_steps(rng: random.Random, depth: int = 0) -> list[dict[str, Any]]:
    steps = []
    for _ in range(rng.randint(1, 3)):
        kind = rng.choice(("mail", "mail", "wait", "for", "branch") if depth < 2 else ("mail", "wait"))
        if kind == "mail":
            steps.append({"mail": "hello", "to": "mailer"})
        elif kind == "wait":
            steps.append({"wait": rng.choice(("30 minutes", "2 hours", "1 days"))})
        elif kind == "for":
            signal = rng.choice(({"event": "order_completed"}, {"when": {"segment": "c"}}))
            step: dict[str, Any] = {"wait": {"for": signal, "at_most": rng.choice(("3 hours", "1 days"))}}
            for way in ("reached", "timeout"):
                if rng.random() < 0.6:
                    step[way] = random_steps(rng, depth + 1)
            steps.append(step)
        else:
            ways = [{"when": {"segment": rng.choice("cd")}, "then": random_steps(rng, depth + 1)}]
            steps.append({"branch": ways, "else": random_steps(rng, depth + 1)})
    if rng.random() < 0.2:
        steps.append({"stop": "enough"})
    return steps


def random_file(rng: random.Random) -> dict[str, Any]:
    file: dict[str, Any] = {
        "workflow": "w",
        "purpose": "newsletter",
        "trigger": {rng.choice(("entered", "left")): "s"},
        "reentry": rng.choice(("once", "always", "6 hours")),
        "steps": random_steps(rng),
    }
    if rng.random() < 0.5:
        file["quiet"] = {"from": "21:00", "to": "08:00"}
    if rng.random() < 0.5:
        file["exit"] = {"bought": {"event": "order_completed"}}
    if rng.random() < 0.3:
        file["when"] = {"segment": "d"}
    return file


def random_life(rng: random.Random) -> Life:
    def instants(most: int) -> list[int]:
        return sorted(T0 + rng.randint(1, 4 * 1440) * MINUTE for _ in range(rng.randint(0, most)))

    moves = [(at, number % 2 == 0) for number, at in enumerate(dict.fromkeys(instants(6)))]
    events = [("order_completed", at) for at in instants(2)]
    gone = rng.choice(instants(1) or [None]) if rng.random() < 0.2 else None
    return Life(moves, events, {"c": instants(3), "d": instants(3)}, instants(2), gone)


def random_looks(rng: random.Random) -> list[int]:
    step = rng.choice((20, 60, 240))
    return [T0 + number * step * MINUTE for number in range(5 * 1440 // step)]


@pytest.mark.parametrize("seed", range(24))
def test_the_engine_does_what_the_file_says(seed: int) -> None:
    rng = random.Random(seed)
    file, lives, instants = random_file(rng), [random_life(rng) for _ in range(12)], random_looks(rng)
    world, books = WrittenWorld(lives), Books(MemoryDatabase())

    looked(world, books, yaml.safe_dump(file), instants)

    oracles = [Oracle(file, life) for life in lives]
    for before, at in pairwise(instants):
        for oracle in oracles:
            oracle.look(at, before)
    expected = sorted((at, subject, step) for subject, one in enumerate(oracles) for at, step in one.done)
    assert sorted((one.at, one.subject, one.step) for one in world.sent) == expected
    refused = sorted((at, subject, step) for subject, one in enumerate(oracles) for at, step in one.refused)
    found = books.effects("state = 'refused'")
    assert sorted((one.settled, one.subject, one.step) for one in found) == refused
    endings = Counter(one.reason if one.state == "exited" else one.state for one in books.instances())
    endings.pop("active", None)
    assert endings == Counter(ending for one in oracles for ending in one.ended)


def test_the_random_files_do_something() -> None:
    done = exits = refused = 0
    for seed in range(40):
        rng = random.Random(seed)
        file, lives, instants = random_file(rng), [random_life(rng) for _ in range(12)], random_looks(rng)
        for life in lives:
            oracle = Oracle(file, life)
            for before, at in pairwise(instants):
                oracle.look(at, before)
            done, refused = done + len(oracle.done), refused + len(oracle.refused)
            exits += oracle.ended.count("bought")

    assert min(done, exits, refused) > 10


# --- Faults ----------------------------------------------------------------------------------------------------
class FaultError(Exception):
    """The process ends here."""


class FaultyBooks(Books):
    """Fails at the n-th writing, before it or after it."""

    def __init__(self, db: MemoryDatabase, at: int, *, is_after: bool) -> None:
        super().__init__(db)
        self.left, self.is_after = at, is_after

    def _count(self) -> bool:
        self.left -= 1
        return self.left == 0

    def write(self, **what: Any) -> None:
        is_now = self._count()
        if is_now and not self.is_after:
            raise FaultError
        super().write(**what)
        if is_now:
            raise FaultError

    def take_in(self, *args: Any, **what: Any) -> None:
        is_now = self._count()
        if is_now and not self.is_after:
            raise FaultError
        super().take_in(*args, **what)
        if is_now:
            raise FaultError


class FaultyWorld(WrittenWorld):
    """Fails at the n-th effect, before it or after it."""

    fails_at, is_after = 0, False

    def perform(self, *args: Any) -> Any:
        self.fails_at -= 1
        if self.fails_at == 0 and not self.is_after:
            raise FaultError
        result = super().perform(*args)
        if self.fails_at == 0:
            raise FaultError
        return result


TWO_MAILS = (
    HEAD
    + """
trigger: {entered: s}
steps:
  - {mail: hello, to: mailer, name: first}
  - wait: 2 hours
  - {mail: hello, to: mailer, name: second}
"""
)
ENTERING = [Life([(T0 + 30 * MINUTE, True)]) for _ in range(4)]
LOOKS = [T0 + number * 60 * MINUTE for number in range(6)]


def run_with_faults(world: WrittenWorld, db: MemoryDatabase, faulty: Books) -> int:
    """Every look, again after each fault with books that do not fail; how many faults there were."""
    faults = 0
    for at in LOOKS:
        world.clock = at
        try:
            Engine(world, faulty, {"w": bound(TWO_MAILS)}, lambda _n, _d: None).handle(at)
        except FaultError:
            faults += 1
            faulty = Books(db)
            Engine(world, faulty, {"w": bound(TWO_MAILS)}, lambda _n, _d: None).handle(at)
    return faults


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("at", range(1, 40))
def test_a_fault_at_any_commit_costs_and_doubles_nothing(at: int, is_after: bool) -> None:
    world, db = WrittenWorld([replace(life) for life in ENTERING]), MemoryDatabase()

    run_with_faults(world, db, FaultyBooks(db, at, is_after=is_after))

    books = Books(db)
    sent = Counter((one.subject, one.step) for one in world.sent)
    unknown = {(one.subject, one.step) for one in books.effects("state = 'unknown'")}
    every = {(subject, step) for subject in range(4) for step in ("first", "second")}
    assert max(sent.values(), default=0) == 1
    assert every - sent.keys() <= unknown
    assert len(unknown) <= 1
    assert {one.state for one in books.instances()} == {"done"}


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("at", range(1, 9))
def test_a_fault_while_sending_is_known_as_unknown_and_never_repeated(at: int, is_after: bool) -> None:
    world, db = FaultyWorld([replace(life) for life in ENTERING]), MemoryDatabase()
    world.fails_at, world.is_after = at, is_after

    assert run_with_faults(world, db, Books(db)) == 1

    sent = Counter((one.subject, one.step) for one in world.sent)
    unknown = [(one.subject, one.step) for one in Books(db).effects("state = 'unknown'")]
    assert len(unknown) == 1
    assert sent[unknown[0]] == (1 if is_after else 0)
    assert sum(sent.values()) == (8 if is_after else 7)
    assert max(sent.values()) == 1


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("at", range(1, 9))
def test_what_can_be_repeated_is_repeated_with_the_same_key(at: int, is_after: bool) -> None:
    world, db = FaultyWorld([replace(life) for life in ENTERING]), MemoryDatabase()
    world.fails_at, world.is_after, world.repeatable = at, is_after, True

    run_with_faults(world, db, Books(db))

    assert {(one.subject, one.step) for one in world.sent} == {(n, s) for n in range(4) for s in ("first", "second")}
    assert len({one.key for one in world.sent}) == 8
    assert Books(db).effects("state <> 'done'") == []


# --- Rules -----------------------------------------------------------------------------------------------------
def test_of_two_who_become_one_person_the_older_way_goes_on() -> None:
    world, books = WrittenWorld([Life([(T0 + MINUTE, True)]), Life([(T0 + 2 * MINUTE, True)])]), Books(MemoryDatabase())
    text = TWO_MAILS.replace("- {mail: hello, to: mailer, name: first}\n", "- wait: 1 hours\n")
    looked(world, books, text, LOOKS[:2])

    world.merged[1] = 0
    looked(world, books, text, LOOKS[2:])

    assert [(one.subject, one.step) for one in world.sent] == [(0, "second")]
    assert Counter(one.state for one in books.instances()) == {"done": 1, "merged": 1}


def test_whose_merge_is_undone_go_on_where_they_stood_and_nobody_begins_anew() -> None:
    world, books = WrittenWorld([Life([(T0 + MINUTE, True)]), Life([(T0 + 2 * MINUTE, True)])]), Books(MemoryDatabase())
    text = TWO_MAILS + "reentry: always\n"
    looked(world, books, text, LOOKS[:2])
    world.merged[1] = 0
    looked(world, books, text, [LOOKS[1] + MINUTE])
    assert [one.state for one in books.instances()] == ["active", "merged"]

    world.merged.clear()
    world.undone.add(1)
    world.lives[1].moves.append((LOOKS[1] + 2 * MINUTE, True))  # as `apply` tells it: they are there again
    looked(world, books, text, LOOKS[2:])

    assert Counter((one.subject, one.step) for one in world.sent) == Counter(
        (subject, step) for subject in (0, 1) for step in ("first", "second")
    )
    assert [one.state for one in books.instances()] == ["done", "done"]


def test_an_undone_merge_begins_nothing_anew_when_the_older_way_is_over() -> None:
    world, books = WrittenWorld([Life([(T0 + MINUTE, True)]), Life([(T0 + 2 * MINUTE, True)])]), Books(MemoryDatabase())
    text = TWO_MAILS + "reentry: always\n"
    looked(world, books, text, LOOKS[:2])
    world.merged[1] = 0
    looked(world, books, text, LOOKS[2:])

    world.merged.clear()
    world.undone.add(1)
    world.lives[1].moves.append((LOOKS[-1] + MINUTE, True))
    looked(world, books, text, [LOOKS[-1] + 2 * MINUTE])

    assert [(one.subject, one.step) for one in world.sent] == [(0, "first"), (1, "first"), (0, "second")]
    assert [one.state for one in books.instances()] == ["done", "merged"]


def test_the_control_group_gets_nothing_and_is_recorded() -> None:
    world, books = WrittenWorld([Life([(T0 + MINUTE, True)]) for _ in range(200)]), Books(MemoryDatabase())

    looked(world, books, TWO_MAILS + "control: 25 %\n", LOOKS)

    silent = {one.subject for one in books.instances() if one.arm == "control"}
    assert 25 <= len(silent) <= 75
    assert not silent & {one.subject for one in world.sent}
    assert {one.subject for one in books.effects("state = 'control'")} == silent
    assert len(world.sent) == 2 * (200 - len(silent))


def test_caps_of_a_workflow_hold_over_its_entries() -> None:
    text = (
        HEAD
        + """
trigger: {entered: s}
reentry: always
caps: {two: {at_most: 2, within_last: 1 days}}
steps: [{mail: hello, to: mailer, name: one}]
"""
    )
    moves = [(T0 + number * 30 * MINUTE, number % 2 == 1) for number in range(1, 100)]
    world, books = WrittenWorld([Life(moves)]), Books(MemoryDatabase())

    looked(world, books, text, [T0 + number * 60 * MINUTE for number in range(50)])

    instants = [one.at for one in world.sent]
    assert len(instants) == 5
    assert all(sum(at - 1440 * MINUTE < other <= at for other in instants) <= 2 for at in instants)
    assert {one.reason for one in books.effects("state = 'refused'")} == {"cap:two"}


def test_who_leaves_in_time_has_not_stayed() -> None:
    text = TWO_MAILS.replace("{entered: s}", "{stayed: s, for: 3 hours}")
    stays, leaves = Life([(T0 + 30 * MINUTE, True)]), Life([(T0 + 30 * MINUTE, True), (T0 + 200 * MINUTE, False)])
    late = Life([(T0 + 30 * MINUTE, True), (T0 + 211 * MINUTE, False)])
    world, books = WrittenWorld([stays, leaves, late]), Books(MemoryDatabase())

    looked(world, books, text, [T0 + number * 60 * MINUTE for number in range(9)])

    assert [(one.subject, one.step) for one in world.sent] == [
        (0, "first"), (2, "first"), (0, "second"), (2, "second"),
    ]  # fmt: skip
    assert {one.entered for one in books.instances()} == {T0 + 210 * MINUTE}


def test_a_schedule_takes_the_members_of_its_instant_once() -> None:
    text = (
        HEAD + 'trigger: {every: day, at: "15:00", segment: s}\nreentry: always\nsteps: [{mail: hello, to: mailer}]\n'
    )
    world, books = WrittenWorld([Life([(T0 + MINUTE, True)]), Life()]), Books(MemoryDatabase())

    looked(world, books, text, [T0 + number * 30 * MINUTE for number in range(3 * 48)])

    # Berlin is an hour ahead until the 29th, two from then on.
    assert [(one.at - T0) // (60 * MINUTE) for one in world.sent] == [2, 26, 49]


def test_an_event_begins_once_for_each_person_who_may() -> None:
    text = HEAD + "trigger: {event: order_completed}\nreentry: always\nsteps: [{mail: hello, to: mailer}]\n"
    life = Life(events=[("order_completed", T0 + minutes * MINUTE) for minutes in (10, 20, 100)])
    world, books = WrittenWorld([life, Life()]), Books(MemoryDatabase())

    looked(world, books, text, LOOKS)

    assert [one.at for one in world.sent] == [LOOKS[1], LOOKS[2]]


def test_who_was_there_before_the_workflow_does_not_begin() -> None:
    world, books = WrittenWorld([Life([(T0 - MINUTE, True)])]), Books(MemoryDatabase())

    looked(world, books, TWO_MAILS, LOOKS)

    assert world.sent == []


def test_people_go_on_by_the_version_they_entered_with() -> None:
    world, books = (
        WrittenWorld([Life([(T0 + MINUTE, True)]), Life([(LOOKS[1] + MINUTE, True)])]),
        Books(MemoryDatabase()),
    )
    old, new = bound(TWO_MAILS), bound(TWO_MAILS.replace("2 hours", "1 hours").replace("second", "other"))
    for at in LOOKS:
        world.clock = at
        today = old if at <= LOOKS[1] else new
        Engine(world, books, {"w": today}, lambda _n, digest: old if digest == old.digest else None).handle(at)

    assert {(one.subject, one.step) for one in world.sent} == {
        (0, "first"), (1, "first"), (0, "second"), (1, "other"),
    }  # fmt: skip


def test_people_of_a_version_that_does_not_bind_wait() -> None:
    world, books = WrittenWorld([Life([(T0 + MINUTE, True)])]), Books(MemoryDatabase())
    looked(world, books, TWO_MAILS, LOOKS[:2])

    handled = looked(world, books, TWO_MAILS.replace("2 hours", "1 hours"), LOOKS[2:])

    assert [one.step for one in world.sent] == ["first"]
    assert handled[-1].stuck == {"w": 1}


def test_what_begins_a_way_does_not_end_it() -> None:
    at = T0 + 30 * MINUTE
    world = WrittenWorld(
        [Life([(at, True)], [("order_completed", at)]), Life([(at, True)], [("order_completed", at + 1)])]
    )

    looked(world, Books(MemoryDatabase()), TWO_MAILS + "exit: {bought: {event: order_completed}}\n", LOOKS)

    assert [(one.subject, one.step) for one in world.sent] == [(0, "first"), (0, "second")]


def test_an_effect_with_a_result_is_never_had_again() -> None:
    world, db = WrittenWorld([Life([(T0 + MINUTE, True)])]), MemoryDatabase()
    looked(world, Books(db), TWO_MAILS, LOOKS[:2])
    with db.transaction() as rows:
        rows.execute("UPDATE workflow_instances SET step = 'first', reached = entered")

    looked(world, Books(db), TWO_MAILS, LOOKS[2:])

    assert [one.step for one in world.sent] == ["first", "second"]


def test_one_change_that_is_told_twice_is_one_entry() -> None:
    world, books = WrittenWorld([Life([(T0 + MINUTE, True)])]), Books(MemoryDatabase())
    text = HEAD + "trigger: {entered: s}\nreentry: always\nsteps: [{mail: hello, to: mailer}]\n"
    looked(world, books, text, LOOKS[:2])
    tell = world.changes

    def again(feed: str, segments: Any, now: int) -> Any:
        found, until = tell("0", segments, now)
        return [replace(one, sequence=f"run:{one.sequence}") for one in found], until

    world.changes = again
    looked(world, books, text, LOOKS[2:])

    assert len(world.sent) == 1

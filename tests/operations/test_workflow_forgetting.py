"""What ended long ago goes, and nobody gets anything twice for it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from test_workflow_engine import engine_of, random_file, random_life, random_looks
from workflow_oracle import MINUTE, T0, Life, WrittenWorld
from workflow_shop import copied, later

from segctl.model.errors import Refused, UsageError
from segctl.operations.session import open_session
from segctl.operations.workflow.forgetting import Forgotten, Part, deletion, forget, forgettable
from segctl.state.workflows import Books, Effect, MemoryDatabase

HOUR = 60 * MINUTE
AGAIN = """workflow: w
purpose: newsletter
trigger: {entered: s}
reentry: always
steps: [{mail: hello, to: mailer, name: one}]
"""


def forgotten(db: MemoryDatabase, world: WrittenWorld, before: int) -> list[Part]:
    with db.transaction() as writing:
        writing.execute("UPDATE workflow_effects SET is_event = 1 WHERE is_contact = 1")
    parts = forgettable(db, ["w"], before=before, current={}, roots=world.roots)
    with db.transaction() as writing:
        deletion(parts)(writing)
    return parts


@pytest.mark.parametrize("seed", range(4))
def test_random_lives_get_the_same_whether_or_not_the_past_is_forgotten(seed: int) -> None:
    rng = random.Random(seed)
    file, lives = yaml.safe_dump(random_file(rng)), [random_life(rng) for _ in range(6)]
    looks, told = random_looks(rng), []
    for forgets in (False, True):
        world, db = WrittenWorld(lives), MemoryDatabase()
        engine = engine_of(world, Books(db), file)
        for at in looks:
            world.clock = at
            engine.handle(at)
            if forgets:
                forgotten(db, world, at)
        told.append([(one.at, one.subject, one.step, one.key) for one in world.sent])

    assert told[0] == told[1]


def test_of_many_entries_the_first_and_the_last_stay() -> None:
    moves = [(T0 + number * 30 * MINUTE, number % 2 == 1) for number in range(1, 20)]
    world, db = WrittenWorld([Life(moves)]), MemoryDatabase()
    engine = engine_of(world, Books(db), AGAIN)
    for hour in range(12):
        world.clock = T0 + hour * HOUR
        engine.handle(world.clock)
    entries = [one.entered for one in Books(db).instances()]

    # None of them is an event yet, so caps count them here.
    assert forgettable(db, ["w"], before=T0 + 99 * HOUR, current={}, roots=world.roots)[0].effects == ()
    early, late = (forgotten(db, world, T0 + hour * HOUR)[0] for hour in (3, 99))

    assert (len(early.effects), len(late.ways) + len(early.ways)) == (2, len(entries) - 2)
    assert [one.entered for one in Books(db).instances()] == [entries[0], entries[-1]]
    assert Books(db).effects() == []


def effect(key: str, action: str, at: int, state: str = "done") -> Effect:
    return Effect(key, 0, "w", "v", 0, "p0", "e", key, action, "ads", "carts", "news", "ads", state, None, at, at)


@pytest.mark.parametrize(
    ("effects", "left"),
    [
        ([effect("put", "add", 1)], ["put"]),
        ([effect("put", "add", 1), effect("take", "remove", 2)], []),
        (
            [effect("put", "add", 1), effect("take", "remove", 2), effect("new", "add", 9 * HOUR)],
            ["put", "take", "new"],
        ),
        ([effect("put", "add", 1), effect("take", "remove", 2, "unknown")], ["put", "take"]),
    ],
)
def test_who_is_in_an_audience_is_not_forgotten(effects: Sequence[Effect], left: list[str]) -> None:
    world, db = WrittenWorld([Life([(MINUTE, True)])]), MemoryDatabase()
    books = Books(db)
    engine_of(world, books, AGAIN)
    with db.transaction() as writing:
        writing.execute(
            "INSERT INTO workflow_instances (workflow, version, subject, profile, entry, entered, arm, state, step,"
            " reached, ended) VALUES ('w', 'v', 0, 'p0', 'e', 1, 'in', 'done', '', 1, 3)"
        )
    number = books.instances()[0].id
    books.write(intended=[type(one)(**{**_fields(one), "instance": number}) for one in effects])

    forgotten(db, world, 5 * HOUR)

    assert [one.key for one in books.effects()] == left


def _fields(one: Effect) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__slots__}


def test_the_question_is_asked_and_caps_are_not_cheated(tmp_path: Path) -> None:
    shop = copied(tmp_path)
    shop.events((0, "added", later()), at=later(minutes=10))
    shop.workflow(
        "purpose: service\ntrigger: {entered: full_cart}\ncaps: {two: {at_most: 2, within_last: 7 days}}\n"
        "steps: [{set: {tier: gold}, name: first}]\n"
    )
    shop.run(later(minutes=20))
    asked: list[Sequence[Forgotten]] = []

    def no(found: Sequence[Forgotten]) -> None:
        asked.append(found)
        raise Refused("SEG109", "no")

    with open_session(shop.folder) as session:
        kept = {"keep": later(days=8) - later(), "now": later(days=9)}
        with pytest.raises(UsageError, match="`two` of `cart` counts"):
            forget(session, keep=later(days=6) - later(), now=later(days=9), agree=no)
        dry = forget(session, ["cart"], **kept, agree=no, dry_run=True)
        with pytest.raises(Refused):
            forget(session, **kept, agree=no)
        before = Books(session.workspace).effects()
        forget(session, **kept, agree=asked.append)
        after = Books(session.workspace).effects()
    again = shop.run(later(days=9, minutes=1))

    assert (dry[0].ways, dry[0].effects, len(before), after) == (0, 1, 1, [])
    assert asked[0] == asked[1] == dry
    assert again.handled.is_empty

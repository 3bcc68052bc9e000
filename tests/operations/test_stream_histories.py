"""Random histories of a stream beside which other commands store events, records and consent at any moment."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from operations.streaming import PROJECT, SEGMENTS, SOURCE, Members, Shop, line, members_of
from operations.test_stream import WHERE, Killed, broken, checked
from operations.test_stream_others import READERS, card, others_consent, others_ingest, with_consent

from segctl.operations.evaluation import evaluate
from segctl.operations.session import open_session
from segctl.operations.stream import checkpoint as stream_checkpoint
from segctl.operations.stream.checkpoint import checkpoint
from segctl.operations.stream.world import World
from segctl.state.subjects import Subjects

STRICT = "where: {event: order, last_value: {of: value, at_least: 40 EUR}, missing: error}"
ASKED = READERS | {name: SEGMENTS[name] for name in ("buyers", "quiet", "best")} | {"tops": STRICT}
MOMENTS = (
    (World, "start"),
    (World, "sees"),
    (World, "ask"),
    (stream_checkpoint, "record"),
    (stream_checkpoint, "store"),
    (stream_checkpoint, "begin_storing"),
    (stream_checkpoint, "settle"),
)


def written(folder: Path) -> Shop:
    """A shop whose stream takes corrections, beside sources that others ingest."""
    shop = with_consent(folder)
    (folder / "sources" / "web.yaml").write_text(SOURCE + "corrections: replace\n")
    for name, text in ASKED.items():
        (folder / "segments" / f"{name}.yaml").write_text(f"segment: {name}\n{text}\n")
    (folder / "traits" / "spend.yaml").write_text("traits:\n  spend: {unit: EUR, event: order, sum: {of: value}}\n")
    assert PROJECT in (folder / "segctl.yaml").read_text()
    return shop


def event(dice: random.Random, number: int, minute: float) -> bytes:
    """An event of somebody, perhaps without its value."""
    kind, who = dice.choice(["view", "view", "order"]), dice.choice(["ann", "bob", f"new{dice.randrange(9)}"])
    one = line(number, who, minute - dice.choice([0, 0, 90]) * dice.random(), kind, str(dice.randrange(5, 60)))
    if kind == "order" and dice.random() < 0.15:
        bare = json.loads(one)
        del bare["value"]
        return json.dumps(bare).encode()
    return one


def others_act(shop: Shop, dice: random.Random, minute: float) -> None:
    """Another command stores something."""
    what = dice.randrange(4)
    if what == 0:
        others_consent(shop, dice.choice(["ann", "bob"]), dice.choice(["grant", "withdraw"]))
    elif what == 1:
        who = dice.choice(["ann", "bob", f"rich{dice.randrange(4)}"])
        others_ingest(shop, card(who, dice.choice(["gold", "plain"])), source="crm", folder="crm")
    else:
        others_ingest(shop, *(event(dice, 1000 + dice.randrange(10**6), minute) for _ in range(dice.randrange(1, 4))))


@contextmanager
def interrupted(patch: pytest.MonkeyPatch, act: Callable[[], None]) -> Iterator[None]:
    """Others act before any of `MOMENTS`."""
    with patch.context() as here, ExitStack() as stack:
        is_acting = [False]
        for owner, name in MOMENTS:
            real = getattr(owner, name)

            def before(*given: object, _real: Callable[..., object] = real, **named: object) -> object:
                if not is_acting[0]:
                    is_acting[0] = True
                    act()
                    is_acting[0] = False
                return _real(*given, **named)

            here.setattr(owner, name, before)
        yield
        stack.close()


def everybody(shop: Shop) -> tuple[Members, set[str]]:
    """Who belongs where by a whole evaluation, and which segments could not be decided."""
    with open_session(shop.folder) as session:
        found = evaluate(session, list(ASKED), as_of=shop.now, snapshot=session.workspace.snapshot())
        profiles = Subjects(session.workspace).table().collect()["profile_id"]
        decided = [name for name in ASKED if name not in found.failed]
        members = {name: set(profiles.gather(found.frame.filter(name)["subject"]).to_list()) for name in decided}
    return {name: who for name, who in members.items() if who}, set(found.failed)


def agrees(folder: Path, patch: pytest.MonkeyPatch, seed: int, rounds: int) -> None:
    dice, shop, number, minute = random.Random(seed), written(folder), 0, 0.0
    with shop.stream():
        pass

    def act() -> None:
        if dice.random() < 0.06:
            others_act(shop, dice, minute)

    for _ in range(rounds):
        mend = broken(patch, dice.choice(WHERE), dice) if dice.random() < 0.3 else lambda: None
        try:
            with interrupted(patch, act), shop.stream() as stream:
                for _ in range(dice.randrange(1, 5)):
                    minute += dice.choice([0.1, 1, 20])
                    shop.at(minute)
                    # Numbers that come again are corrections.
                    numbers = [dice.randrange(max(0, number - 5), number + 4) for _ in range(dice.randrange(4))]
                    number += 4
                    shop.write(*(event(dice, one, minute) for one in numbers))
                    stream.turn()
                    if dice.random() < 0.3:
                        others_act(shop, dice, minute)
                    checked(stream, dice)
        except Killed:
            pass
        finally:
            mend()
    shop.at(minute + 1)
    with shop.stream() as stream:
        stream.turn()
        checkpoint(stream.state)
    with shop.stream():
        pass
    expected, failed = everybody(shop)
    in_force = members_of(shop.folder)
    assert {name: who for name, who in in_force.items() if name not in failed} == expected
    assert shop.heard.members() == in_force


def test_a_history_with_others_ends_like_a_whole_evaluation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agrees(tmp_path / "shop", monkeypatch, 1, 2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 32))
def test_more_histories_with_others_end_like_a_whole_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    agrees(tmp_path / "shop", monkeypatch, seed, 8)

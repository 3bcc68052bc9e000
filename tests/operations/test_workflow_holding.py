"""Audiences that several workflows fill: who is in them, and whom a removal takes out."""

from __future__ import annotations

from workflow_oracle import MINUTE, T0, Life, WrittenWorld, bound

from segctl.operations.workflow.engine import Engine
from segctl.operations.workflow.holding import inside
from segctl.state.workflows import Books, MemoryDatabase

PUT = "workflow: {name}\npurpose: newsletter\ntrigger: {{entered: s}}\nsteps:\n"
ADD, REMOVE = "- {add: carts, to: ads, name: put}\n", "- {remove: carts, from: ads, name: take}\n"


class Shop:
    """Two people who enter at once, and some workflows by name."""

    def __init__(self, **steps: str) -> None:
        self.world = WrittenWorld([Life([(T0 + MINUTE, True)]) for _ in range(2)])
        self.books, self.workflows = Books(MemoryDatabase()), {
            name: bound(PUT.format(name=name) + text) for name, text in steps.items()
        }  # fmt: skip
        self.look(0)

    def look(self, minutes: int) -> None:
        at = self.world.clock = T0 + minutes * MINUTE
        Engine(self.world, self.books, self.workflows, lambda _name, _digest: None).handle(at)

    @property
    def told(self) -> list[tuple[int, str]]:
        return [(one.subject, one.step) for one in self.world.sent]

    @property
    def there(self) -> list[tuple[str, int]]:
        effects = self.books.effects()
        found = inside(effects, self.world.roots({one.subject for one in effects}))
        return sorted((one.workflow, one.subject) for one in found)


def test_who_was_put_in_by_two_goes_when_the_last_of_them_takes_them_out() -> None:
    shop = Shop(a=f"{ADD}- wait: 1 hours\n{REMOVE}", b=f"{ADD}- wait: 3 hours\n{REMOVE}")
    shop.look(2)
    shop.look(90)

    assert shop.told == [(0, "put"), (1, "put")] * 2
    assert {one.reason for one in shop.books.effects("step = 'take'")} == {"kept:b"}
    assert shop.there == [("b", 0), ("b", 1)]
    shop.look(200)
    assert shop.told[4:] == [(0, "take"), (1, "take")]
    assert shop.there == []


def test_who_did_not_put_them_in_takes_them_out_for_all() -> None:
    shop = Shop(a=ADD, b=f"- wait: 1 hours\n{REMOVE}")
    shop.look(2)
    shop.look(90)

    assert shop.told[2:] == [(0, "take"), (1, "take")]
    assert shop.there == []


def test_a_workflow_that_is_no_more_keeps_nobody() -> None:
    shop = Shop(a=f"{ADD}- wait: 1 hours\n{REMOVE}", b=ADD)
    shop.look(2)
    shop.world.deleted.add("b")
    shop.look(90)

    assert shop.told[4:] == [(0, "take"), (1, "take")]


def test_people_who_were_merged_are_one_in_an_audience() -> None:
    shop = Shop(a=f"{ADD}- wait: 1 hours\n{REMOVE}")
    shop.look(2)
    shop.world.merged[1] = 0
    shop.look(90)

    assert shop.told[2:] == [(0, "take")]
    assert shop.there == []

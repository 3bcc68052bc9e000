"""One destination from its first call to its last: removals, then what it is told, then a last look at consent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from segctl.connectors.destinations.base import BatchRefusedError, NotNowError, UnknownOutcomeError
from segctl.model.errors import SegctlError
from segctl.operations.push.calls import CallSource
from segctl.operations.push.resolve import settle_unsure
from segctl.operations.push.work import Part

if TYPE_CHECKING:
    from segctl.operations.push.courier import Courier
    from segctl.operations.push.moved import Lists

Backlog = Callable[[], str | None]
_LAST_LOOKS = 5


def send(
    courier: Courier, parts: Sequence[Part], *, push: str, lists: Lists, backlog: Backlog,
) -> None:  # fmt: skip
    """Tells a destination all that its audiences need.

    Args:
        courier: Of the destination.
        parts: Its audiences; their tallies are filled.
        push: Id of the push.
        lists: Settles where each audience is there.
        backlog: Why nobody may be added while removals fail, None when they may.
    """
    busy = [part for part in parts if part.additions or part.removals or part.is_renamed]
    if not busy or courier.halted is not None or not _find_audiences(courier, busy, lists):
        _wait_for_next(courier, busy)
        return
    for one in lists.more:
        courier.desk.watch.also(one)
        busy += [] if any(one is part for part in busy) else [one]
    busy = [part for part in busy if part.stopped is None]
    courier.deliver(CallSource(busy, "removals", push=push, books=courier.desk.books))
    why = backlog()
    for part in busy:
        if why is not None and part.additions:
            part.refused = why
    courier.deliver(CallSource(busy, "additions", push=push, books=courier.desk.books))
    look_again(courier)
    _read_back(courier)


def _find_audiences(courier: Courier, parts: Sequence[Part], lists: Lists) -> bool:
    """Settles where each audience is; one that the destination refuses is stopped. False when it does not answer."""
    desk = courier.desk
    for part in parts:
        for tries in range(1, desk.patience.tries + 1):
            try:
                lists.find(part)
            except BatchRefusedError as error:
                part.stopped = f"the destination refuses the audience `{part.name}`: {error.reason}"
                part.tally.waiting += part.additions + part.removals
            except (NotNowError, UnknownOutcomeError) as error:
                asked_s = getattr(error, "wait_s", None)
                is_too_long = (asked_s or 0.0) > desk.patience.longest_asked_s or getattr(error, "is_daily", False)
                if tries == desk.patience.tries or is_too_long:
                    courier.halt(f"the destination takes nothing now: {error}")
                    return False
                desk.world.sleep(desk.patience.wait_s(tries, asked_s, desk.world.chance))
                continue
            except SegctlError as error:
                courier.halt(error.message, error)
                return False
            break
    return True


def _wait_for_next(courier: Courier, parts: Sequence[Part]) -> None:
    if courier.halted is not None:
        for part in parts:
            if part.stopped is None:
                part.tally.waiting += part.additions + part.removals


def look_again(courier: Courier) -> None:
    """A last look at the consent ledger: who was denied during the last calls is taken out too."""
    nothing = CallSource((), "removals", push="", books=courier.desk.books)
    for _ in range(_LAST_LOOKS):
        denied = courier.desk.watch.refresh()
        if not denied or courier.halted is not None:
            return
        courier.outcomes.look(denied)
        courier.deliver(nothing)


def _read_back(courier: Courier) -> None:
    """Calls of unknown outcome that must not be repeated are looked up, audience by audience."""
    calls = sorted(courier.outcomes.unread, key=lambda call: call.part.ledger.id)
    courier.outcomes.unread = []
    for _, of_part in groupby(calls, key=lambda call: call.part.ledger.id):
        settle_unsure(courier, list(of_part))
    courier.deliver(CallSource((), "removals", push="", books=courier.desk.books))

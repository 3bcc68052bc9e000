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

Keep = Callable[[Part, Sequence[Part]], Part | None]
Backlog = Callable[[], str | None]
_LAST_LOOKS = 5


def send(
    courier: Courier, parts: Sequence[Part], *, push: str, keep_remote: Keep, backlog: Backlog,
) -> None:  # fmt: skip
    """Tells a destination all that its audiences need.

    Args:
        courier: Of the destination.
        parts: Its audiences; their tallies are filled.
        push: Id of the push.
        keep_remote: Told when an audience's id there is known, with all the others; answers with who is to be taken out
            of a former one.
        backlog: Why nobody may be added while removals fail, None when they may.
    """
    busy = [part for part in parts if part.additions or part.removals or part.is_renamed]
    if not busy or courier.halted is not None or (left := _find_audiences(courier, busy, keep_remote)) is None:
        _wait_for_next(courier, busy)
        return
    busy = [part for part in busy if part.stopped is None] + left
    courier.deliver(CallSource(busy, "removals", push=push, books=courier.desk.books))
    why = backlog()
    for part in busy:
        if why is not None and part.additions:
            part.refused = why
    courier.deliver(CallSource(busy, "additions", push=push, books=courier.desk.books))
    look_again(courier)
    _read_back(courier)


def _find_audiences(courier: Courier, parts: Sequence[Part], keep: Keep) -> list[Part] | None:
    """Asks for the id of each audience. One that it refuses is stopped.

    Returns:
        Former audiences with people who are to be taken out; None when the destination does not answer.
    """
    desk, left = courier.desk, list[Part]()
    for part in parts:
        for tries in range(1, desk.patience.tries + 1):
            try:
                part.remote = desk.connector.audience(part.segment, part.name)
                rest = keep(part, [*parts, *left])
            except BatchRefusedError as error:
                part.stopped = f"the destination refuses the audience `{part.name}`: {error.reason}"
                part.tally.waiting += part.additions + part.removals
                break
            except (NotNowError, UnknownOutcomeError) as error:
                asked_s = getattr(error, "wait_s", None)
                is_too_long = (asked_s or 0.0) > desk.patience.longest_asked_s or getattr(error, "is_daily", False)
                if tries == desk.patience.tries or is_too_long:
                    courier.halt(f"the destination takes nothing now: {error}")
                    return None
                desk.world.sleep(desk.patience.wait_s(tries, asked_s, desk.world.chance))
            except SegctlError as error:
                courier.halt(error.message, error)
                return None
            else:
                if rest is not None:
                    left.append(rest)
                    desk.watch.also(rest)
                break
    return left


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

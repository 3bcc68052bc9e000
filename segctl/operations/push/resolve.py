"""What an earlier push left open: jobs are followed to their end, calls without an answer repeated or read back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from segctl.model.errors import SegctlError
from segctl.operations.push.work import Call, Part, Person

if TYPE_CHECKING:
    from segctl.connectors.destinations.base import Action
    from segctl.operations.push.courier import Courier
    from segctl.state.deliveries_batches import OpenBatch

_NOT_THERE = "it was not there when the destination was read back"


def resolve(courier: Courier, batches: Iterable[OpenBatch], parts: Mapping[int, Part]) -> None:
    """Settles the batches without a result of one destination, before anything is compared with the ledger.

    Args:
        courier: Of the destination.
        batches: Oldest first.
        parts: By number of the audience.
    """
    from segctl.operations.push.calls import CallSource

    desk = courier.desk
    unsure: dict[int, list[Call]] = {}
    for batch in batches:
        part = parts[batch.audience]
        by_key = {person.key: person for person in desk.books.leaving(batch.audience, batch.keys)}
        people = [by_key[key] for key in batch.keys if key in by_key]
        call = Call(
            part, cast("Action", batch.action), people, batch.id, number=batch.number, sent_keys=tuple(batch.keys)
        )
        if batch.job is not None:
            call.job, call.began = batch.job, desk.world.clock()
            courier.job_began(call)
            courier.next(call)
        elif desk.abilities.is_repeatable or batch.action == "remove":
            desk.books.lose(batch.number)
        else:
            unsure.setdefault(batch.audience, []).append(call)
    courier.deliver(CallSource((), "removals", push="", books=desk.books))
    for calls in unsure.values():
        settle_unsure(courier, calls)


def settle_unsure(courier: Courier, calls: Sequence[Call]) -> None:
    """Settles calls of one audience that may have had their effect and must not be repeated.

    Where the destination can be read they are looked up there. Otherwise they stay unknown: they are not sent again
    before somebody asks for it.
    """
    people = [person for call in calls for person in call.people]
    there = None
    if courier.desk.abilities.reads_back and courier.halted is None and people:
        there = _found(courier, calls[0].part.remote, people)
    for call in calls:
        courier.outcomes.read_back(call, there, _NOT_THERE)


def _found(courier: Courier, remote: str, people: Sequence[Person]) -> frozenset[str] | None:
    """Keys of those who are in the audience at the destination; None when it cannot be read now."""
    from segctl.connectors.destinations.base import BatchRefusedError, NotNowError, UnknownOutcomeError

    connector = courier.desk.connector
    asked: dict[tuple[str, str], str] = {}
    known: dict[str, str] = {}
    for person in people:
        asked |= dict.fromkeys(connector.seen_as(person.row).items(), person.key)
        if person.row.known_as is not None:
            known[person.row.known_as] = person.key
    found = set()
    try:
        for member in connector.members(remote):
            if member.known_as is not None and member.known_as in known:
                found.add(known[member.known_as])
            found |= {asked[pair] for pair in member.identifiers.items() if pair in asked}
    except (NotNowError, UnknownOutcomeError, BatchRefusedError):
        return None
    except SegctlError as error:
        courier.halt(error.message, error)
        return None
    return frozenset(found)

"""The engine against a service that fails: what arrives, what is tried again, what is given up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fake_service import FAULTS, Connector, key_of
from shop import Shop

from segctl.connectors.destinations.base import Abilities
from segctl.state.deliveries import delivered, failures
from segctl.state.deliveries_batches import open_batches

A25 = [f"p{n}@example.org" for n in range(25)]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "ws")
    made.add(*A25)
    yield made
    made.close()


def ledger(shop: Shop) -> list[tuple[str, str]]:
    return delivered(shop.workspace, "mailer", "winback").select("key", "state").rows()


def test_an_audience_arrives_in_batches_and_stays_as_it_is(shop: Shop) -> None:
    connector = Connector(shop.service)

    first = shop.push(connector)
    again = shop.push(connector)

    assert set(shop.there()) == set(A25)
    assert [len(batch.rows) for batch in connector.sent] == [10, 10, 5]
    assert (first.tally.added, again.tally.added, again.tally.calls) == (25, 0, 0)
    assert again.delta is not None
    assert again.delta.unchanged == 25


def test_who_leaves_is_taken_out_before_anybody_is_added(shop: Shop) -> None:
    shop.push()
    del shop.people[A25[3]]
    shop.add("new@example.org")
    shop.add(A25[5], name="other")
    connector = Connector(shop.service)

    part = shop.push(connector)

    assert [batch.action for batch in connector.sent] == ["remove", "update", "add"]
    assert connector.sent[0].rows[0].known_as == f"id-{A25[3]}"
    assert set(shop.there()) == set(shop.people)
    assert (part.tally.added, part.tally.updated, part.tally.removed) == (1, 1, 1)


def test_in_the_mode_add_nobody_leaves_but_who_withdraws(shop: Shop) -> None:
    shop.push(mode="add")
    del shop.people[A25[3]], shop.people[A25[4]]
    shop.gate.deny(A25[4])

    part = shop.push(mode="add")

    assert set(shop.there()) == set(A25) - {A25[4]}
    assert (part.tally.removed, part.withdrawals) == (1, [key_of(A25[4])])


def test_in_the_mode_update_nobody_is_added(shop: Shop) -> None:
    connector = Connector(shop.service)

    shop.push(connector, mode="update")

    assert {batch.action for batch in connector.sent} == {"update"}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_happens_once_the_destination_ends_as_the_audience(shop: Shop, fault: str) -> None:
    shop.push(Connector(shop.service, [fault, "", fault]))
    shop.push()

    assert set(shop.there()) == set(A25)
    assert ledger(shop) == sorted((key_of(email), "accepted") for email in A25)
    assert failures(shop.workspace) == []


def test_a_wait_that_the_service_asks_for_is_kept(shop: Shop) -> None:
    part = shop.push(Connector(shop.service, ["too many"]))

    assert part.tally.added == 25
    assert shop.time.slept == [pytest.approx(3.0, abs=0.5)]
    assert shop.time.slept[0] >= 3.0


def test_our_own_waits_grow_with_full_jitter(shop: Shop) -> None:
    shop.push(Connector(shop.service, ["down", "down", "down"]))

    assert shop.time.slept == [0.5, 1.0, 2.0]


def test_a_destination_that_stays_down_is_left_for_the_next_push(shop: Shop) -> None:
    part = shop.push(Connector(shop.service, ["down"] * 99))

    assert part.stopped is not None
    assert (part.tally.waiting, part.tally.calls, part.tally.added) == (25, 4, 0)
    assert ledger(shop) == []
    assert shop.push().tally.added == 25


def test_poison_is_isolated_by_halving(shop: Shop) -> None:
    poison = frozenset({A25[7], A25[20]})

    part = shop.push(Connector(shop.service, poison=poison))

    assert set(shop.there()) == set(A25) - poison
    assert (part.tally.added, part.tally.invalid) == (23, 2)
    assert sorted((f.key, f.state) for f in failures(shop.workspace)) == sorted((key_of(e), "invalid") for e in poison)


def test_rows_that_the_service_names_go_at_once(shop: Shop) -> None:
    connector = Connector(shop.service, poison=frozenset({A25[7]}), names_rows=True)

    shop.push(connector)

    assert len(connector.sent) == 4
    assert set(shop.there()) == set(A25) - {A25[7]}


def test_what_never_works_is_sent_again_only_when_it_changed_or_is_asked_for(shop: Shop) -> None:
    connector = Connector(shop.service, poison=frozenset({A25[7]}), names_rows=True)
    shop.push(connector)
    connector.sent.clear()

    held = shop.push(connector)
    assert (connector.sent, held.tally.held) == ([], 1)

    connector.poison = frozenset()
    assert shop.push(connector, retries=True).tally.added == 1
    assert failures(shop.workspace) == []


def test_what_may_work_later_is_sent_by_the_next_push(shop: Shop) -> None:
    part = shop.push(Connector(shop.service, ["busy rows"]))
    assert (part.tally.rejected, part.tally.is_whole) == (4, False)

    assert shop.push().tally.added == 4
    assert set(shop.there()) == set(A25)


def test_a_service_that_refuses_everybody_is_not_asked_row_by_row(shop: Shop) -> None:
    shop.patience = replace(shop.patience, refusals=6)
    connector = Connector(shop.service, poison=frozenset(A25))

    part = shop.push(connector)

    assert len(connector.sent) == 6
    assert part.stopped is not None
    assert "refuses every row" in part.stopped


def test_too_large_calls_get_smaller_and_nobody_is_blamed(shop: Shop) -> None:
    connector = Connector(shop.service, ["too large"])

    part = shop.push(connector)

    assert [len(batch.rows) for batch in connector.sent] == [10, 5, 5, 5, 5, 5]
    assert (part.tally.added, part.tally.invalid) == (25, 0)


def test_every_try_has_the_same_key(shop: Shop) -> None:
    connector = Connector(shop.service, ["timeout after", "down"])

    shop.push(connector)

    assert len({batch.id for batch in connector.sent[:3]}) == 1
    assert len({batch.id for batch in connector.sent}) == 3


def test_credentials_that_expire_end_the_push_and_the_next_goes_on(shop: Shop) -> None:
    part = shop.push(Connector(shop.service, ["", "expired"]))

    assert (part.tally.added, part.tally.waiting) == (10, 15)
    assert part.stopped == "the token has expired"
    assert shop.push().tally.added == 15


def test_who_is_denied_during_a_call_is_taken_out_at_once(shop: Shop) -> None:
    said = iter([lambda: shop.gate.deny(min(A25, key=key_of))])
    connector = Connector(shop.service, during=lambda: next(said, lambda: None)())

    part = shop.push(connector)

    assert [batch.action for batch in connector.sent] == ["add", "remove", "add", "add"]
    assert min(A25, key=key_of) not in shop.there()
    assert (part.tally.overtaken, part.tally.added, part.tally.removed) == (1, 25, 1)


def test_who_is_denied_during_the_last_call_is_taken_out_too(shop: Shop) -> None:
    last = max(A25, key=key_of)
    calls = iter([lambda: None, lambda: None, lambda: shop.gate.deny(last)])
    connector = Connector(shop.service, during=lambda: next(calls, lambda: None)())

    part = shop.push(connector)

    assert connector.sent[-1].action == "remove"
    assert last not in shop.there()
    assert part.tally.overtaken == 1


def test_who_is_denied_before_their_call_is_not_sent(shop: Shop) -> None:
    last = max(A25, key=key_of)
    said = iter([lambda: shop.gate.deny(last)])
    connector = Connector(shop.service, during=lambda: next(said, lambda: None)())

    part = shop.push(connector)

    assert all(row.identifiers["email"] != last for batch in connector.sent for row in batch.rows)
    assert (part.tally.denied, part.tally.overtaken) == (1, 0)


def test_who_is_denied_while_a_call_of_unknown_outcome_waits_is_taken_out(shop: Shop) -> None:
    first = min(A25, key=key_of)
    said = iter([lambda: shop.gate.deny(first)])
    connector = Connector(shop.service, ["timeout after"], during=lambda: next(said, lambda: None)())

    shop.push(connector)

    assert connector.sent[1].action == "remove"
    assert set(shop.there()) == set(A25) - {first}
    assert len(ledger(shop)) == 24


def test_who_is_denied_while_a_job_goes_on_is_taken_out_after_it(shop: Shop) -> None:
    first = min(A25, key=key_of)
    said = iter([lambda: shop.gate.deny(first)])
    connector = Connector(shop.service, ["job"], during=lambda: next(said, lambda: None)())

    shop.push(connector)

    assert first not in shop.there()
    assert set(shop.there()) == set(A25) - {first}


def test_a_job_is_asked_until_it_ends(shop: Shop) -> None:
    connector = Connector(shop.service, ["job", "", "", "job", "timeout before", "too many"])

    part = shop.push(connector)

    assert connector.polls == 4
    assert part.tally.added == 25


def test_a_job_that_does_not_end_is_followed_by_the_next_push(shop: Shop) -> None:
    shop.patience = replace(shop.patience, job_s=100)
    part = shop.push(Connector(shop.service, ["job", "", "", *["job"] * 50]))
    assert (part.tally.added, part.tally.waiting) == (15, 10)

    connector = Connector(shop.service)
    part = shop.push(connector)

    assert (connector.polls, connector.sent, part.tally.added) == (1, [], 10)
    assert set(shop.there()) == set(A25)


def test_rows_that_a_job_refuses_are_named_by_their_place(shop: Shop) -> None:
    part = shop.push(Connector(shop.service, ["job"], poison=frozenset({sorted(A25, key=key_of)[3]})))

    assert part.tally.invalid == 1
    assert [f.key for f in failures(shop.workspace)] == [sorted(map(key_of, A25))[3]]


def test_places_stay_those_of_the_call_when_somebody_has_left_the_ledger_since(shop: Shop) -> None:
    shop.patience = replace(shop.patience, job_s=100)
    poison = frozenset({sorted(A25, key=key_of)[3]})
    shop.push(Connector(shop.service, ["job", "", "", *["job"] * 50], poison=poison))
    (open_batch,) = open_batches(shop.workspace, range(1, 9))
    assert open_batch.keys[3] == key_of(next(iter(poison)))
    with shop.workspace.transaction() as connection:
        connection.execute("DELETE FROM delivered WHERE key = ?", (open_batch.keys[1],))

    shop.push(Connector(shop.service, poison=poison))

    assert open_batch.keys[3] in {f.key for f in failures(shop.workspace)}
    assert open_batch.keys[4] not in {f.key for f in failures(shop.workspace)}


def once(shop: Shop, *, reads_back: bool) -> Abilities:
    return replace(shop.abilities, is_repeatable=False, reads_back=reads_back)


@pytest.mark.parametrize(("fault", "there"), [("timeout before", 0), ("half done", 5), ("timeout after", 10)])
def test_what_may_not_be_repeated_is_read_back(shop: Shop, fault: str, there: int) -> None:
    shop.abilities = once(shop, reads_back=True)
    connector = Connector(shop.service, [fault])

    part = shop.push(connector)

    assert len({batch.id for batch in connector.sent}) == len(connector.sent) == 3
    assert (part.tally.added, part.tally.rejected, part.tally.unknown) == (15 + there, 10 - there, 0)
    shop.push()
    assert set(shop.there()) == set(A25)


def test_what_may_not_be_repeated_and_not_be_read_stays_unknown_until_asked_for(shop: Shop) -> None:
    shop.abilities = once(shop, reads_back=False)
    part = shop.push(Connector(shop.service, ["timeout before"]))
    assert (part.tally.added, part.tally.unknown) == (15, 10)

    assert shop.push().tally.held == 10
    assert len(shop.there()) == 15
    assert shop.push(retries=True).tally.added == 10
    assert set(shop.there()) == set(A25)


def test_removals_are_repeated_even_where_additions_may_not(shop: Shop) -> None:
    shop.abilities = once(shop, reads_back=False)
    shop.push()
    shop.people.clear()

    part = shop.push(Connector(shop.service, ["timeout before"]))

    assert shop.there() == {}
    assert part.tally.removed == 25


def test_a_paused_part_still_takes_people_out(shop: Shop) -> None:
    shop.push()
    del shop.people[A25[3]]
    shop.add("new@example.org")

    shop.push(change=lambda part: setattr(part, "paused", "by anna"))

    assert set(shop.there()) == set(A25) - {A25[3]}


def test_nobody_is_added_while_removals_fail_for_too_long(shop: Shop) -> None:
    shop.push()
    gone = shop.people.popitem()[0]
    shop.push(Connector(shop.service, ["busy rows"]))
    assert gone in shop.there()
    shop.add("new@example.org")
    shop.time.seconds += 2 * shop.patience.backlog_s

    part = shop.push(Connector(shop.service, ["busy rows"]))

    assert part.refused == "1 removals fail"
    assert "new@example.org" not in shop.there()
    shop.push()
    assert set(shop.there()) == set(shop.people)


def test_other_audiences_of_the_destination_lose_who_withdrew(shop: Shop) -> None:
    shop.push(segment="other")
    shop.gate.deny(A25[0])

    shop.push(segment="winback")

    assert A25[0] not in shop.there("other")


def test_a_dry_run_leaves_the_ledger_alone(shop: Shop) -> None:
    part = shop.push(is_dry=True)

    assert part.tally.added == 25
    assert ledger(shop) == []


class Signal(BaseException):
    pass


def test_a_signal_finishes_the_call_in_hand_and_the_next_push_goes_on(shop: Shop) -> None:
    connector = Connector(shop.service)
    shop.time.sleep = lambda s: (_ for _ in ()).throw(Signal())
    connector.faults = ["", "down"]

    with pytest.raises(Signal):
        shop.push(connector)

    assert len(shop.there()) == 10
    assert [state for _, state in ledger(shop)] == ["accepted"] * 10
    assert open_batches(shop.workspace, [1]) == []
    shop.time.sleep = lambda s: None
    shop.push()
    assert set(shop.there()) == set(A25)

"""What an outcome of a call means for its rows: accepted, tried again, halved to find the culprits, or given up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from segctl.connectors.destinations.base import BatchRefusedError, NotNowError, Sent, UnknownOutcomeError, by_key
from segctl.model.errors import SegctlError
from segctl.operations.push.work import Call, Part, Person

if TYPE_CHECKING:
    from segctl.operations.push.courier import Courier
    from segctl.state.deliveries_batches import Fault

NO_ANSWER = "the answer never came"


class Outcomes:
    """Reads outcomes for a courier, and writes them to the books."""

    def __init__(self, courier: Courier) -> None:
        self._courier, self._desk = courier, courier.desk
        self.failures = 0
        self._refusals = 0
        self.unread: list[Call] = []
        self._leaving: dict[int, set[str]] = {}

    # --- An answer --------------------------------------------------------------------------------------------
    def answered(self, call: Call, sent: Sent) -> None:
        """The service has answered: all is done, or a job goes on."""
        self.failures = 0
        is_followed = call.job is not None
        if not is_followed:
            call.part.tally.calls += 1
        if sent.job is not None:
            self._goes_on(call, sent, is_followed=is_followed)
            return
        if is_followed:
            self._courier.job_ended(call)
            sent = by_key(sent, call.sent_keys or call.keys)
        ours = set(call.keys)
        faults = {key: self._fault(trouble.state, trouble.reason, trouble.code)
                  for key, trouble in sent.troubles.items() if key in ours}  # fmt: skip
        self._settle(call, faults, sent.known_as)

    def _goes_on(self, call: Call, sent: Sent, *, is_followed: bool) -> None:
        world, patience = self._desk.world, self._desk.patience
        if not is_followed or sent.job != call.job:
            self._desk.books.keep_job(call.number, str(sent.job))
        if not is_followed:
            self._courier.job_began(call)
            call.began = world.clock()
            call.job_wait_s = sent.wait_s
        elif world.clock() - call.began > patience.job_s:
            # It stays open in the ledger, and the next push asks again.
            self._courier.job_ended(call)
            self._count_waiting(call, "the service has not ended its job")
            return
        call.job = sent.job
        self._courier.later(call, call.job_wait_s)
        call.job_wait_s = min(max(sent.wait_s, 1.5 * call.job_wait_s), patience.poll_s)

    # --- Not accepted -----------------------------------------------------------------------------------------
    def refused(self, call: Call, error: BatchRefusedError) -> None:
        """Nothing of the call was taken because of what is in it: rows that are named go, else halves are tried."""
        self._end_job(call)
        call.part.tally.calls += 1
        self.failures = 0
        self._refusals += not error.is_size
        if error.is_size and len(call.people) > 1:
            self._courier.size = min(self._courier.size, len(call.people) // 2)
        ours = set(call.keys)
        named = {key: why for key, why in error.rows.items() if key in ours}
        if not named and len(call.people) == 1:
            named = {call.people[0].key: error.reason}
        faults = {key: self._fault("invalid", why, error.code) for key, why in named.items()}
        rest = [person for person in call.people if person.key not in named]
        self._settle(call, faults, {}, withdrawn=[person.key for person in rest])
        if self._refusals >= self._desk.patience.refusals:
            self._courier.halt(f"the destination refuses every row: {error.reason}")
        pieces = [rest] if named else [rest[: len(rest) // 2], rest[len(rest) // 2 :]]
        for mark, piece in reversed(list(zip("ab", pieces, strict=False))):
            if piece:
                self._courier.first(_again(call, piece, mark))

    def unsure(self, call: Call, error: UnknownOutcomeError) -> None:
        """It may have had its effect: repeated where that is harmless, else left for reading back."""
        if call.job is not None:
            self._ask_again(call)
            return
        call.part.tally.calls += 1
        is_harmless = call.action == "remove" or self._desk.abilities.is_repeatable
        if is_harmless and not self._is_exhausted(call):
            self._desk.books.lose(call.number)
            self._try_later(call, None)
            self._take_out_denied(call, call.keys)
            return
        if is_harmless:
            self._give_up(call, str(error) or NO_ANSWER)
        else:
            # Its intent stays open until everything else is sent; then the destination is read.
            self.unread.append(call)
            self._is_exhausted(call)

    def read_back(self, call: Call, there: frozenset[str] | None, not_there: str) -> None:
        """Settles a call of unknown outcome that must not be repeated.

        Args:
            call: As it was sent.
            there: Keys that were found at the destination; None when it cannot be read.
            not_there: Why the others count as not accepted.
        """
        if there is None:
            self._give_up(call, NO_ANSWER)
            return
        # That somebody is there says that they were added, not that a change of their fields arrived.
        known = {key for key in there if call.action == "add" and self._desk.books.is_new(call.part.ledger.id, key)}
        absent, unknown = self._fault("rejected", not_there), self._fault("unknown", NO_ANSWER)
        self._settle(call, {key: unknown if key in there else absent for key in call.keys if key not in known}, {})

    def _give_up(self, call: Call, reason: str) -> None:
        fault = self._fault("unknown", reason)
        self._settle(call, dict.fromkeys(call.keys, fault), {})

    def not_now(self, call: Call, error: NotNowError) -> None:
        """Nothing was taken; later it may be."""
        if call.job is not None:
            self._ask_again(call, error.wait_s)
            return
        call.part.tally.calls += 1
        self.not_sent(call, error.reason)
        if error.is_daily or (error.wait_s or 0.0) > self._desk.patience.longest_asked_s or self._is_exhausted(call):
            self._courier.halt(f"the destination takes nothing now: {error.reason}")
            self._courier.first(call)
        else:
            self._try_later(call, error.wait_s)

    def over(self, call: Call, error: SegctlError) -> None:
        """Nothing more can be sent there."""
        if call.job is not None:
            self._courier.job_ended(call)
            self._count_waiting(call, error.message)
        elif self._desk.abilities.is_repeatable or call.action == "remove":
            # A call can consist of several requests, of which one was taken: they may be there.
            self._desk.books.lose(call.number)
            self._courier.first(call)
        else:
            self.not_sent(call, error.message)
            self._courier.first(call)
        self._courier.halt(error.message, error)

    def broken(self, call: Call) -> None:
        """A fault of the connector: nobody knows what came of the call."""
        if call.job is not None:
            return
        if self._desk.abilities.is_repeatable or call.action == "remove":
            self._desk.books.lose(call.number)
        else:
            self._give_up(call, "the connector failed")

    def not_sent(self, call: Call, reason: str | None = None) -> None:
        """The ledger is as it was before the intent."""
        if call.job is None:
            self._write(call, {}, {}, withdrawn=call.keys, reason=reason)

    def _ask_again(self, call: Call, wait_s: float | None = None) -> None:
        """A question about a job has no effect, so it can always be asked again, as long as the job may take."""
        if self._desk.world.clock() - call.began > self._desk.patience.job_s:
            self._courier.job_ended(call)
            self._count_waiting(call, "the service does not say what became of its job")
            return
        call.tries += 1
        self._courier.later(call, self._desk.patience.wait_s(min(call.tries, 10), wait_s, self._desk.world.chance))

    def _end_job(self, call: Call) -> None:
        if call.job is not None:
            self._courier.job_ended(call)
            call.job = None

    def _is_exhausted(self, call: Call) -> bool:
        """No more tries: this call has had its share, or nothing at all works there."""
        self.failures += 1
        if self.failures >= self._desk.patience.failures:
            self._courier.halt(f"{self.failures} calls in a row failed")
        return call.tries >= self._desk.patience.tries or self._courier.halted is not None

    def _try_later(self, call: Call, asked_s: float | None) -> None:
        tries = max(call.tries, self.failures, 1)
        wait_s = self._desk.patience.wait_s(tries, asked_s, self._desk.world.chance)
        self._courier.quiet(wait_s)
        self._courier.later(call, wait_s)

    # --- Consent that is gone -----------------------------------------------------------------------------------
    def look(self, denied: Iterable[tuple[Part, Sequence[str]]]) -> None:
        """Takes those out at once who lost consent and may be there already."""
        for part, keys in denied:
            self.take_out(part, keys)

    def take_out(self, part: Part, keys: Sequence[str]) -> None:
        """Sends a removal of those who may be there, before anything else is sent."""
        # Who is being told is taken out after that, and nobody twice.
        busy = self._courier.in_the_air(part) | self._leaving.setdefault(part.ledger.id, set())
        people = self._desk.books.leaving(part.ledger.id, [key for key in keys if key not in busy])
        self._leaving[part.ledger.id] |= {person.key for person in people}
        recent = sum(1 for person in people if self._desk.books.is_recent(part.ledger.id, person.key))
        part.tally.overtaken += recent
        part.tally.withdrawn += len(people) - recent
        size = self._desk.abilities.batch_rows
        for start in range(0, len(people), size):
            name = f"{part.ledger.id}.out.{people[start].key}.{self._desk.watch.gate.head}"
            self._courier.first(Call(part, "remove", people[start : start + size], name, is_compensation=True))

    def _take_out_denied(self, call: Call, keys: Sequence[str]) -> None:
        """Who was denied while the call was in the air could not be taken out before."""
        if call.action != "remove":
            told = [key for key in keys if self._desk.watch.is_denied(call.part, key)]
            if told:
                self.take_out(call.part, told)

    def dropped(self, call: Call, keys: Sequence[str]) -> None:
        """Denied since the plan, and not sent; who may be there from an earlier call is taken out."""
        call.part.tally.denied += len(keys)
        self._desk.told(len(keys))
        self.take_out(call.part, keys)

    # --- The books ----------------------------------------------------------------------------------------------
    def _count_waiting(self, call: Call, why: str) -> None:
        call.part.tally.waiting += len(call.people)
        _count(call.part, why, len(call.people))

    def _settle(
        self,
        call: Call,
        faults: Mapping[str, Fault],
        known_as: Mapping[str, str],
        *,
        withdrawn: Sequence[str] = (),
    ) -> None:
        self._write(call, faults, known_as, withdrawn=withdrawn)
        tally, done = call.part.tally, len(call.people) - len(faults) - len(withdrawn)
        if done:
            self._refusals = 0
        match call.action:
            case "add":
                tally.added += done
            case "update":
                tally.updated += done
            case _:
                tally.removed += done
                tally.removals_failed += len(faults)
        for fault in faults.values():
            setattr(tally, fault.state, getattr(tally, fault.state) + 1)
            _count(call.part, fault.reason, 1)
        self._desk.told(done + len(faults))
        out = set(withdrawn)
        settled = [key for key in call.keys if key not in out]
        if call.action == "remove":
            self._leaving.get(call.part.ledger.id, set()).difference_update(settled)
        self._take_out_denied(call, settled)

    def _write(
        self,
        call: Call,
        faults: Mapping[str, Fault],
        known_as: Mapping[str, str],
        *,
        withdrawn: Sequence[str] = (),
        reason: str | None = None,
    ) -> None:
        from segctl.state.deliveries_batches import Result

        out = set(withdrawn)
        people: dict[str, Person] = {person.key: person for person in call.people if person.key in faults}
        self._desk.books.settle(
            Result(
                call.number,
                call.part.ledger.id,
                call.action,
                self._desk.world.now(),
                accepted=[key for key in call.keys if key not in faults and key not in out],
                faults=faults,
                known_as=known_as,
                withdrawn=withdrawn,
                profiles={key: person.kept.profile for key, person in people.items()},
                digests={key: person.kept.digest for key, person in people.items()},
                reason=reason,
            )
        )

    def _fault(self, state: str, reason: str, code: str | None = None) -> Fault:
        from segctl.state.deliveries_batches import Fault

        return Fault(state, reason, code, state == "unknown" and not self._desk.abilities.is_repeatable)


def _again(call: Call, people: Sequence[Person], mark: str) -> Call:
    """Some rows of a call as one of their own."""
    return Call(call.part, call.action, people, f"{call.id}{mark}", is_compensation=call.is_compensation)


def _count(part: Part, reason: str, rows: int) -> None:
    part.reasons[reason] = part.reasons.get(reason, 0) + rows

"""Effects at one step: caps and gate first, then intent, effect and result, person by person or call by call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from itertools import islice
from typing import TYPE_CHECKING, cast

from segctl.compile.windows import span
from segctl.compile.workflow_flow import Acting, after
from segctl.compile.workflow_times import quiet_until
from segctl.compile.zones import from_us
from segctl.model.dataclass import dataclass
from segctl.model.times import WithinLast
from segctl.model.workflows import CONTROL
from segctl.operations.workflow.holding import KEPT, kept_by
from segctl.operations.workflow.troubles import IN_A_ROW, in_order, next_try, troubled
from segctl.operations.workflow.way import Way, stands
from segctl.operations.workflow.world import CONTACTS, Allowed, Contact, Doing, Result, World
from segctl.state.workflows import Books, Effect, EffectState, Settled, effect_key

if TYPE_CHECKING:
    from segctl.model.audience import Cap
    from segctl.model.workflows import Act, Node, Workflow
    from segctl.state.workflows import Instance, Troubled

Count = Callable[[str, str, str], None]


@dataclass(frozen=True, slots=True)
class _Step:
    """What is done now, with the people it is done to."""

    workflow: Workflow
    node: Node
    act: Act
    ways: tuple[Way, ...]
    now: int


@dataclass(slots=True)
class _Calls:
    """What came of the calls at a step so far; `settled`, `moved` and `troubled` wait to be written.

    Attributes:
        troubles: From before.
        seen: Keys of the effects that were tried, or whose time has not come.
        held: Why somebody waits.
        in_a_row: People whom the destination failed, one after the other.
        is_over: Nobody else is tried now.
    """

    troubles: Mapping[str, Troubled]
    done: list[Way] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    moved: list[Instance] = field(default_factory=list)
    troubled: list[Troubled] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    held: str | None = None
    in_a_row: int = 0
    is_over: bool = False

    def wait(self, key: str, one: Way, until: int | None, reason: str | None) -> None:
        """Somebody stays where they are."""
        self.seen.add(key)
        self.held = reason or "not now"
        self.moved.append(stands(one.instance, one.move.at, until))

    def failed(self, result: Result) -> None:
        """Whether a failure is one person's, or the destination takes nothing at all."""
        self.in_a_row += result.may_be_all
        self.is_over |= not result.is_personal or self.in_a_row >= IN_A_ROW


class Actor:
    """Has effects, once each."""

    def __init__(self, world: World, books: Books) -> None:
        self.world, self.books = world, books

    def act(self, ways: Sequence[Way], now: int, count: Count) -> tuple[list[Way], str | None]:
        """Acts for people who stand at one step.

        Returns:
            Those who go on, and why the others wait; None when nobody has to.
        """
        move = ways[0].move
        assert isinstance(move, Acting)
        ways, over = self._without_settled(ways, move.node)
        step = _Step(over[0].workflow if over else ways[0].workflow, move.node, move.act, tuple(ways), now)
        self.books.write(moved=[self._moved(step, one) for one in over])
        if not ways:
            return over, None
        allowed = self.world.allow(
            step.workflow, step.node, step.act, [one.someone for one in ways], self._contacts(ways), now
        )
        if allowed.held is not None:
            self.books.write(moved=[stands(one.instance, one.move.at) for one in ways])
            return over, allowed.held
        allowed = replace(allowed, refused={**self._capped(step), **allowed.refused, **self._kept(step)})
        waiting, refused, silent, open_ = _sorted(step, allowed)
        self.books.write(moved=[stands(one.instance, one.move.at) for one in waiting])
        self._note(step, refused, "refused", allowed, count)
        self._note(step, silent, "control", allowed, count)
        done, held = self._do(step, open_, allowed, count)
        return [*over, *refused, *silent, *done], held

    def _without_settled(self, ways: Sequence[Way], node: Node) -> tuple[list[Way], list[Way]]:
        """Who is to be told, and whose effect has its result already: that one is never had again."""
        keys = {_key(one, node): one for one in ways}
        settled = self.books.settled(keys)
        return [one for key, one in keys.items() if key not in settled], [
            one for key, one in keys.items() if key in settled
        ]

    # --- Who may be told -----------------------------------------------------------------------------------
    def _contacts(self, ways: Sequence[Way]) -> list[Contact]:
        """Effects that are no events yet."""
        effects = self._uncounted()
        wanted, roots = {one.someone.root for one in ways}, self.world.roots({one.subject for one in effects})
        return [
            Contact(roots[one.subject], one.settled or one.intended, one.channel, one.purpose)
            for one in effects
            if roots[one.subject] in wanted
        ]

    def _uncounted(self) -> list[Effect]:
        return self.books.effects("is_contact = 1 AND is_event = 0 AND state IN ('done', 'unknown')")

    def _capped(self, step: _Step) -> dict[int, str]:
        """Root → the workflow's own cap that is reached."""
        if step.act.kind not in CONTACTS:
            return {}
        found: dict[int, str] = {}
        for cap in step.workflow.caps:
            counts = self._counted(step, cap)
            found |= {
                one.someone.root: f"cap:{cap.name}"
                for one in step.ways
                if counts.get(one.someone.root, 0) >= cap.at_most
            }
        return found

    def _kept(self, step: _Step) -> dict[int, str]:
        """Root → why somebody is not taken out: another workflow has put them in too, and has not taken them out."""
        act = step.act
        if act.kind != "remove":
            return {}
        effects = self.books.effects(
            "action IN ('add', 'remove') AND destination = ? AND audience = ?", (act.destination, act.audience)
        )
        roots = self.world.roots({one.subject for one in effects})
        kept = kept_by(effects, roots, step.workflow.name, is_declared=self.world.is_declared)
        wanted = {one.someone.root for one in step.ways}
        return {root: f"{KEPT}{name}" for root, name in kept.items() if root in wanted}

    def _counted(self, step: _Step, cap: Cap) -> dict[int, int]:
        """Root → contacts of this workflow in the cap's window."""
        inside = span(WithinLast(cap.within_last), from_us(step.now), self.world.zone, clip=True)
        effects = [
            one
            for one in self.books.effects(
                "workflow = ? AND is_contact = 1 AND state IN ('done', 'unknown', 'sending') AND intended >= ?",
                (step.workflow.name, inside.lo or 0),
            )
            if cap.channel in (None, one.channel) and cap.purpose in (None, one.purpose)
        ]
        roots = self.world.roots({one.subject for one in effects})
        counts: dict[int, int] = {}
        for one in effects:
            counts[roots[one.subject]] = counts.get(roots[one.subject], 0) + 1
        return counts

    # --- Having effects ------------------------------------------------------------------------------------
    def _note(self, step: _Step, ways: Sequence[Way], state: EffectState, allowed: Allowed, count: Count) -> None:
        """Effects that are not had: on record, and the person goes on."""
        if not ways:
            return
        effects = [
            replace(_effect(step, one, allowed, state), reason=allowed.refused.get(one.someone.root),
                    settled=step.now, is_contact=False)
            for one in ways
        ]  # fmt: skip
        # What was sent before a crash and cannot be repeated now stays open: nobody knows.
        open_before = {one.key for one in self.books.effects("state = 'sending'")}
        settled = [
            Settled(one.key, "unknown", step.now, "the process ended before the answer")
            for one in effects if one.key in open_before
        ]  # fmt: skip
        fresh = [one for one in effects if one.key not in open_before]
        self.books.write(settled=settled, intended=fresh, moved=[self._moved(step, one) for one in ways])
        for one in effects:
            count(step.workflow.name, step.node.id, "unknown" if one.key in open_before else state)

    def _do(self, step: _Step, ways: Sequence[Way], allowed: Allowed, count: Count) -> tuple[list[Way], str | None]:
        """Intent, effect, result; the result of one call and the intent of the next share a transaction."""
        by_key = {_key(one, step.node): one for one in ways}
        troubles = self.books.troubles(by_key)
        due, later = in_order(list(by_key), troubles, step.now)
        calls = _Calls(troubles)
        for key in later:
            calls.wait(key, by_key[key], next_try(troubles[key]), troubles[key].reason)
        for part in self._open_now(step, [by_key[key] for key in due], calls):
            effects = {one.instance.id: _effect(step, one, allowed, "sending") for one in part}
            # With the intent the person stands at the step, so that whoever finds it knows from where to go on.
            calls.moved += [stands(one.instance, one.move.at) for one in part]
            self._write(calls, effects.values())
            doing = [_doing(one, effects[one.instance.id]) for one in part]
            results = self.world.perform(step.workflow, step.node, step.act, doing, step.now)
            for one in part:
                key = effects[one.instance.id].key
                result = results.get(key, Result("unknown", "the destination said nothing about it"))
                self._take(step, one, key, result, calls, count)
            if calls.is_over:
                break
        if calls.is_over:
            # Nobody here is due before something is new or a while has passed, so that a server is not pressed.
            calls.moved += [stands(by_key[key].instance, by_key[key].move.at) for key in due if key not in calls.seen]
        self._write(calls)
        return calls.done, calls.held

    def _open_now(self, step: _Step, ways: Sequence[Way], calls: _Calls) -> Iterator[list[Way]]:
        """Whom to tell together, one call after the other; a look takes as long as its mails.

        So the button may be pressed, and the night fall, before the last of them.
        """
        for part in _parts(ways, self.world.at_once(step.act)):
            why = self.world.stopped(step.workflow.name, step.act)
            if why is not None:
                calls.held, calls.is_over = why, True
                return
            at, quiet = self.world.since(step.now), step.workflow.quiet if step.act.is_quiet else None
            wakes = {_key(one, step.node): quiet_until(quiet, at, one.facts.zone) for one in part}
            asleep = [one for one in part if wakes[_key(one, step.node)] > at]
            calls.seen |= {_key(one, step.node) for one in asleep}
            calls.moved += [stands(one.instance, one.move.at, wakes[_key(one, step.node)]) for one in asleep]
            if open_ := [one for one in part if one not in asleep]:
                yield open_

    def _take(self, step: _Step, one: Way, key: str, result: Result, calls: _Calls, count: Count) -> None:
        """What one result means: over and on, or another try, later."""
        calls.seen.add(key)
        if result.outcome in ("not_now", "again"):
            tried = troubled(key, calls.troubles.get(key), result, step.now) if result.is_personal else None
            calls.failed(result)
            if not isinstance(tried, Settled):
                if result.outcome == "not_now":
                    calls.settled.append(Settled(key, "not_now", step.now))
                if tried is not None:
                    calls.troubled.append(tried)
                calls.wait(key, one, None if tried is None else next_try(tried), result.reason)
                return
            settled = tried
        else:
            calls.in_a_row = 0
            settled = Settled(key, cast("EffectState", result.outcome), step.now, result.reason)
        calls.settled.append(settled)
        calls.moved.append(self._moved(step, one))
        calls.done.append(one)
        count(step.workflow.name, step.node.id, settled.state)

    def _write(self, calls: _Calls, intended: Iterable[Effect] = ()) -> None:
        self.books.write(
            settled=calls.settled, moved=calls.moved, intended=intended, troubled=calls.troubled
        )  # fmt: skip
        calls.settled, calls.moved, calls.troubled = [], [], []

    def _moved(self, step: _Step, one: Way) -> Instance:
        return stands(one.instance, after(one.move.at, step.node, step.now))


def _sorted(step: _Step, allowed: Allowed) -> tuple[list[Way], list[Way], list[Way], list[Way]]:
    """Who waits for a cap, who is refused, who gets nothing and is recorded, and who is told."""
    waiting, refused, silent, open_ = list[Way](), list[Way](), list[Way](), list[Way]()
    for one in step.ways:
        why = allowed.refused.get(one.someone.root)
        if why is not None and why.startswith("cap:") and step.act.capped == "wait":
            waiting.append(one)
        elif why is not None:
            refused.append(one)
        elif one.instance.arm == CONTROL:
            silent.append(one)
        else:
            open_.append(one)
    return waiting, refused, silent, open_


def _parts(ways: Sequence[Way], size: int) -> Iterator[list[Way]]:
    rest = iter(ways)
    while part := list(islice(rest, size)):
        yield part


def _effect(step: _Step, one: Way, allowed: Allowed, state: EffectState) -> Effect:
    instance, act = one.instance, step.act
    return Effect(
        key=_key(one, step.node),
        instance=instance.id,
        workflow=instance.workflow,
        version=instance.version,
        subject=instance.subject,
        profile=instance.profile,
        entry=instance.entry,
        step=step.node.id,
        action=act.kind,
        destination=act.destination,
        audience=act.audience or act.content or act.trait or (act.command[0] if act.command else None),
        purpose=act.purpose,
        channel=allowed.channel,
        state=state,
        reason=None,
        intended=step.now,
        settled=None,
        is_contact=act.kind in CONTACTS,
    )


def _key(one: Way, node: Node) -> str:
    instance = one.instance
    return effect_key(instance.workflow, instance.profile, instance.entry, node.id)


def _doing(one: Way, effect: Effect) -> Doing:
    return Doing(effect.key, one.someone, one.instance.entry, one.instance.entered)

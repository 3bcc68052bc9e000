"""The engine's next changes of a world, and the oracle's answers of one person at any instant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from engine_tools import engine_input
from oracle import in_order_of_reference
from oracle_data import Profile, World, leaves_of
from oracle_person import Person
from oracle_related import Row
from strategies_data import Dice

from segctl.compile.lower import lower_segment, lower_trait
from segctl.compile.plan import Output, plan
from segctl.engines.base import EngineInput
from segctl.engines.polars_engine import PolarsEngine
from segctl.model import conditions as c

NEVER = 2**63 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class NextChanges:
    """The next changes of a world's profiles, as of any instant."""

    def __init__(self, world: World, folder: Path, seed: int) -> None:
        self.world, self.folder, self.seed = world, folder, seed
        definitions = world.definitions
        lists = {name: sorted(texts) for name, texts in world.lists.items()}
        lowered = [lower_segment(segment, definitions, lists=lists) for segment in definitions.segments.values()]
        outputs = [Output(f"leaf:{s.name}:{leaf.path}", leaf.predicate) for s in lowered for leaf in s.leaves]
        outputs += [Output(f"value:{name}", lower_trait(name, definitions, lists=lists)) for name in ranks(world)]
        self.plan = plan(lowered, outputs)

    def input(self, at: datetime) -> EngineInput:
        """What an engine reads at an instant."""
        world = replace(self.world, as_of=at)
        return replace(engine_input(world, self.folder, self.seed), later=lambda: later(world))

    def at(self, at: datetime, only: list[int] | None = None) -> dict[int, int]:
        """Subject to its next change in microseconds."""
        zone = self.world.project.timezone
        found = PolarsEngine().evaluate(self.plan, self.input(at), as_of=at, zone=zone, only=only, due=True)
        return dict(found.answers.select("subject", "due").iter_rows())


def later(world: World) -> pl.DataFrame:
    """When records, consents and related rows of profiles that are dated ahead come."""
    owner = {s: p.subjects[0] for p in world.profiles for s in p.subjects}
    ids = {p.profile_id: p.subjects[0] for p in world.profiles}
    instants = [(p.subjects[0], r.valid_from) for p in world.profiles for r in p.records]
    instants += [(ids[x.profile_id], x.at) for x in world.consents if x.profile_id in ids]
    # Whoever had a row before is touched by its next version, whosever that is.
    pairs = [(old, new) for old in world.rows for new in world.rows if same_row(old, new)]
    instants += [(owner.get(old.subject, old.subject), new.valid_from) for old, new in pairs]
    coming = [(subject, us(at)) for subject, at in instants if at is not None and at > world.as_of]
    return pl.DataFrame(coming, schema={"subject": pl.Int32, "due": pl.Int64}, orient="row")


def same_row(one: Row, other: Row) -> bool:
    """Versions of one row."""
    return (one.table, one.source, one.key) == (other.table, other.source, other.key)


def us(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


def moment(microseconds: int) -> datetime:
    """The instant."""
    return EPOCH + timedelta(microseconds=microseconds)


def answers(world: World, profile: Profile, at: datetime) -> dict[str, Any] | None:
    """What the oracle says of one person at an instant, as far as nobody else matters; None if there is nobody."""
    person = Person(replace(world, as_of=at), profile, {})
    if not person.exists:
        return None
    found: dict[str, Any] = {}
    members: dict[str, frozenset[str]] = {}
    person.members = members
    others: set[str] = set()
    for name in in_order_of_reference(world.definitions.segments):
        segment = world.definitions.segments[name]
        leaves = list(leaves_of(segment.where))
        own = [(path, leaf) for path, leaf in leaves if not asks_others(leaf, others)]
        for path, leaf in own:
            found[f"{name}:{path}"] = person.answer(leaf)
        if len(own) < len(leaves):
            others.add(name)
            continue
        answer = found[name] = person.answer(segment.where)
        members[name] = frozenset([profile.profile_id] if answer is True else [])
        if segment.keep is not None:
            others.add(name)
    for name in ranks(world):
        found[f"value:{name}"] = person.trait(name)
    return found


def ranks(world: World) -> list[str]:
    """Computed traits that rank or group."""
    keeps = [segment.keep for segment in world.definitions.segments.values() if segment.keep is not None]
    named = {name for keep in keeps for name in (keep.by, keep.per) if name is not None}
    return sorted(named & set(world.definitions.computed))


def asks_others(leaf: c.Condition, others: set[str]) -> bool:
    """Somebody else may change the answer."""
    return isinstance(leaf, c.ColleaguesCondition) or (isinstance(leaf, c.SegmentCondition) and leaf.segment in others)


def probes(world: World, profile: Profile, dice: Dice, end: datetime, number: int) -> list[datetime]:
    """Instants after as_of and before `end` at which something might happen, the last of all among them."""
    options = [at for at in _places(world, profile, dice, end) if world.as_of < at < end]
    chosen = dice.random.sample(options, min(len(options), number))
    last = end - MICROSECOND
    return sorted({*chosen, *([last] if last > world.as_of else [])})


def _places(world: World, profile: Profile, dice: Dice, end: datetime) -> Iterator[datetime]:
    start = world.as_of
    spans = [timedelta(0), *(timedelta(days=n) for n in (1, 2, 3, 7, 14, 28, 30, 31, 92, 365))]
    spans += [timedelta(hours=n) for n in (1, 2, 36)]
    for event in world.events:
        if event.subject in profile.subjects:
            yield from (event.ts + span + dice.wobble() for span in spans)
    yield from (start.replace(minute=0, second=0, microsecond=0) + timedelta(hours=n) for n in range(0, 24 * 40, 5))
    yield from (start + timedelta(minutes=n) for n in (1, 30, 59, 61, 119, 121, 600, 1440, 2880))
    yield from (start + (end - start) * dice.random.random() for _ in range(10))

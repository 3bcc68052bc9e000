"""From what a person asks for to a running stream: the source, where its lines come from, and the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.model.errors import UsageError
from segctl.operations.ingest.subjects import Resolver
from segctl.operations.stream.clock import ClockName, StreamClock, micros, moment
from segctl.operations.stream.inputs import Inputs
from segctl.operations.stream.push import Pushing, refuse_unknown
from segctl.operations.stream.state import REACHED, Habits, Listener, StreamState
from segctl.operations.stream.stream import Stream, locked
from segctl.operations.stream.world import newest_as_of
from segctl.state.stream_log import fact

if TYPE_CHECKING:
    from segctl.connectors.streams.base import Feed
    from segctl.model.sources import Source
    from segctl.operations.session import Session

KAFKA = "kafka://"
COLLECTOR = "collector"
STDIN = ("stdin", "-")
_SET_BACK_US = 10_000_000
"""A clock that was set right by so little stands still until it is there again."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks of a stream.

    Attributes:
        sources: Names of declared sources; empty for the one that fits.
        place: ``stdin``, a path, ``collector`` or ``kafka://HOST:PORT/TOPIC``.
        clock: What moves the present.
        as_of: Where a clock that events move begins; None for the last run.
        once: It ends with what is there.
        from_start: Earlier positions are forgotten.
        habits: How it goes about it.
        push: Destinations that get the audiences that have moved, after each checkpoint.
    """

    sources: tuple[str, ...] = ()
    place: str = "stdin"
    clock: ClockName = "wall"
    as_of: datetime | None = None
    once: bool = False
    from_start: bool = False
    habits: Habits = field(default_factory=Habits)
    push: tuple[str, ...] = ()


@contextmanager
def opened(
    session: Session,
    wish: Wish,
    *,
    wall: Callable[[], datetime],
    listener: Listener,
    reload: Callable[[], Session],
    before: Callable[[], None],
    descriptor: int = 0,
) -> Iterator[Stream]:
    """A stream that has begun; leaving the block makes a checkpoint, unless something failed.

    Args:
        session: Open project and workspace.
        wish: What is asked for.
        wall: Reads the wall clock.
        listener: Hears what it says.
        reload: The same project with its definitions as they are now, over the same workspace.
        before: Called under the lock before anything new is said.
        descriptor: Of standard input.

    Raises:
        UsageError: No source fits, or the clock would begin before the run in force.
        TemporaryError: Another stream runs in this environment, or an ingest of the source.
    """
    sources = _sources(session, wish)
    clock = _clock(session, wish, wall)
    refuse_unknown(session, wish.push)
    with ExitStack() as stack:
        stack.enter_context(locked(session, sources))
        if wish.from_start:
            from segctl.state.stream_log import forget_places

            forget_places(session.workspace)
        inputs = Inputs(session.workspace)
        feeds = [(source.name, _feed(session, source, wish, inputs, descriptor)) for source in sources]
        for _, feed in feeds:
            stack.callback(feed.close)
        resolver = Resolver(session.workspace, session.project)
        state = StreamState(session, tuple(sources), clock, listener, wish.habits, reload, resolver)
        state.pushing = Pushing(wish.push)
        stream = Stream(state, feeds, inputs)
        stack.callback(stream.release)
        before()
        stream.start()
        yield stream
        stream.finish()


def _clock(session: Session, wish: Wish, wall: Callable[[], datetime]) -> StreamClock:
    clock = StreamClock(wall, is_virtual=wish.clock == "event")
    newest = _reached(session, is_virtual=clock.is_virtual)
    if wish.as_of is not None and not clock.is_virtual:
        raise UsageError(
            "SEG737", "`--as-of` needs a clock that events move", hint="add `--clock event` to replay a recorded day"
        )
    if clock.is_virtual:
        clock.now = newest if wish.as_of is None else micros(wish.as_of)
    begins = clock.tick()
    is_back = newest is not None and begins < newest
    if newest is not None and begins < newest - (0 if clock.is_virtual else _SET_BACK_US):
        replay = "replay into an environment of its own: `--env replay`"
        raise UsageError(
            "SEG738", "the stream would begin before the run in force, so nothing it says could come into force",
            hint=replay if clock.is_virtual else f"the clock of this machine is behind {moment(newest):%FT%TZ}: set it",
        )  # fmt: skip
    if not clock.is_virtual:
        clock.now = newest if is_back else None
    return clock


def _reached(session: Session, *, is_virtual: bool) -> int | None:
    """The instant of the run in force; a clock that events moved came further than it before a crash."""
    newest = newest_as_of(session)
    reached = fact(session.workspace, REACHED) if is_virtual else None
    return max((at for at in (newest, reached) if at is not None), default=None)


def _sources(session: Session, wish: Wish) -> list[Source]:
    """The declared sources whose lines come.

    Raises:
        UsageError: None fits, or several do.
    """
    from segctl.operations.ingest.ingest import chosen_sources, sources_of

    declared = sources_of(session.project)
    parts = {part.name for source in declared.values() for part in source.also}
    own = {name: source for name, source in declared.items() if name not in parts}
    if wish.sources:
        found = chosen_sources(declared, wish.sources)
        names = list(dict.fromkeys(source.name.partition("/")[0] for source in found))
        chosen = [own[name] for name in names if name in own]
    else:
        chosen = [source for source in own.values() if _fits(source, wish)]
        named = [source for source in chosen if _reads(session, source, wish.place)]
        chosen = named if len(named) == 1 else chosen
    if wish.place in STDIN and not wish.sources and len(chosen) != 1:
        raise UsageError(
            "SEG735", "lines of standard input do not say which source they are of",
            hint=f"name it: `segctl stream {'|'.join(sorted(s.name for s in chosen or own.values())) or 'SOURCE'}`",
        )  # fmt: skip
    if wish.place != COLLECTOR and len(chosen) != 1:
        said = "no declared source reads" if not chosen else "several declared sources read"
        raise UsageError(
            "SEG735", f"{said} NDJSON, so it is not clear what the lines mean",
            hint=f"name one: `segctl stream {'|'.join(sorted(s.name for s in chosen)) or 'SOURCE'} --from …`",
        )  # fmt: skip
    for source in chosen:
        _refuse_unfit(source)
    if not chosen:
        raise UsageError(
            "SEG735", "no declared source reads what a collector receives", hint="see `segctl help stream`"
        )
    return chosen


def _fits(source: Source, wish: Wish) -> bool:
    if wish.place == COLLECTOR:
        return source.fetch is not None and source.fetch.kind == COLLECTOR
    if source.fetch is not None or source.picture != "log" or source.format not in (None, "ndjson"):
        return False
    is_named_so = any(ending in path for path in source.paths for ending in (".ndjson", ".jsonl"))
    return source.format == "ndjson" or source.tracking is not None or is_named_so


def _reads(session: Session, source: Source, place: str) -> bool:
    """Whether a place is one of those that a source is declared to read."""
    path = Path(place).absolute()
    root = session.root.absolute()
    return path.is_relative_to(root) and any(path.relative_to(root).match(pattern) for pattern in source.paths)


def _refuse_unfit(source: Source) -> None:
    if source.picture == "full":
        raise UsageError(
            "SEG736", f"`{source.name}` is a full picture: who is absent is gone, which lines one by one cannot say",
            hint="stream a source of events or of single records, and ingest this one",
        )  # fmt: skip


def _feed(session: Session, source: Source, wish: Wish, inputs: Inputs, descriptor: int) -> Feed:
    from segctl.connectors.streams.growing import GrowingFiles
    from segctl.connectors.streams.pipe import PipeFeed

    place = wish.place
    if place in STDIN:
        return PipeFeed("-", descriptor)
    if place == COLLECTOR:
        from segctl.connectors.streams.collected import CollectedFeed

        return CollectedFeed(session.workspace.folder, source.name, inputs.position_of, once=wish.once)
    if place.startswith(KAFKA):
        return _kafka(place, wish, inputs)
    path = Path(place)
    if wish.once and not path.exists():
        raise UsageError("SEG725", f"`{place}` is not there", hint="without `--once` a stream waits for it")
    return GrowingFiles(path.absolute(), inputs.position_of, once=wish.once, root=session.root.absolute())


def _kafka(place: str, wish: Wish, inputs: Inputs) -> Feed:
    from segctl.connectors.streams.kafka import KafkaFeed

    return KafkaFeed(place, inputs.position_of, once=wish.once)

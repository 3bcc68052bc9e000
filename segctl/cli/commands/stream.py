"""Segments continuously: events in, changes of membership out."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from segctl.cli import messages
from segctl.cli.context import Context
from segctl.cli.deadline import parse_span
from segctl.cli.options import SELECTION, Argument, Option, verb
from segctl.cli.stops import Stopped
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from types import FrameType

    from segctl.operations.session import Session
    from segctl.operations.stream.open import Wish

EXAMPLES = (
    ("segctl stream web --from data/web.ndjson", "Follow a growing file, and write who enters and leaves."),
    ("segctl stream --from collector --changes changes.ndjson", "What `segctl listen` accepts; each change once."),
    ("segctl stream shop --from kafka://broker:9092/events", "A Kafka topic (extra `live`)."),
    ("tail -F events.ndjson | segctl stream web", "Standard input."),
    ("segctl stream web --from day.ndjson --once --clock event -e replay", "Play a recorded day."),
)
EXITS = {
    2: "no source fits, or the clock would begin before the run in force",
    75: "another stream runs in this environment, or no broker answers",
    141: "whoever read the changes is gone; what was not said is said at the next start",
}
SEE_ALSO = ("segctl help stream", "segctl apply --help", "segctl status --help", "segctl quarantine --help")


@verb(
    without=(*(name for name in SELECTION), "format", "json", "output", "yes", "dry_run"),
    formats=("ndjson",),
)
def command(
    ctx: Context,
    sources: Annotated[list[str], Argument("SOURCE", help="Declared source of the lines.", complete="sources")] = [],  # noqa: B006 - never changed
    place: Annotated[
        str,
        Option(
            "--from",
            metavar="PLACE",
            help="Where lines come from: stdin, a file or folder, collector, kafka://HOST/TOPIC.",
            complete="files",
        ),
    ] = "stdin",
    clock: Annotated[
        str,
        Option(
            "--clock",
            metavar="NAME",
            help="What moves the present; with `event`, changes are as fine as a minute of the events' time.",
            choices=("wall", "event"),
        ),
    ] = "wall",
    changes: Annotated[
        str | None, Option("--changes", metavar="FILE", help="Write changes there, each once.", complete="files")
    ] = None,
    after: Annotated[
        int | None, Option("--after", metavar="SEQ", help="Say again what follows this number, then go on.")
    ] = None,
    once: Annotated[bool, Option("--once", help="End with what is there now.")] = False,
    from_start: Annotated[bool, Option("--from-start", help="Read from the beginning again.")] = False,
    checkpoint: Annotated[str, Option("--checkpoint", metavar="DURATION", help="How often a run is recorded.")] = "5m",
    linger: Annotated[str, Option("--linger", metavar="DURATION", help="How long a batch waits for company.")] = "5ms",
    push: Annotated[
        list[str],
        Option(
            "--push",
            metavar="DEST",
            help="Push what moved there after each checkpoint. Repeatable.",
            complete="destinations",
        ),
    ] = (),  # type: ignore[assignment]  # a list arrives as a tuple
    figures: Annotated[
        str, Option("--figures", metavar="DURATION", help="How often rate and latency are told; 0 for never.")
    ] = "10s",
) -> ExitCode | None:
    """Evaluate segments continuously, and say who enters and leaves, as NDJSON.

    Lines are read as `ingest` reads those of the declared SOURCE; bad ones go to quarantine. Whoever an event
    touches is evaluated at once, and whom only time moves at that instant. A change is written after it is
    durable: after a crash the stream goes on where it was, and what was perhaps not written is written again with
    the same `seq`; a file of --changes holds each change exactly once.

    Segments that need everybody (`keep`, colleagues, scores) are ranked anew at each checkpoint only. There, what
    came becomes an ordinary run, which `diff`, `history`, `push` and `report` see. `segctl apply` hands a running
    stream the definitions as they are now. One stream runs per environment.
    """
    from segctl.operations.session import open_session

    wish = _wish(sources, place, clock, once=once, from_start=from_start, checkpoint=checkpoint, linger=linger)
    if after is not None and changes is not None:
        raise UsageError("SEG730", "`--after` and `--changes` exclude each other", hint="the file knows where it ends")
    wish = replace(wish, push=tuple(push))
    with open_session(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s, create=True) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        every_s = parse_span(figures, "--figures") or 0.0
        stopped = _streamed(ctx, session, wish, changes, after, every_s)
    if stopped is not None:
        raise stopped
    return None


def _streamed(
    ctx: Context, session: Session, wish: Wish, changes: str | None, after: int | None, every_s: float
) -> Stopped | None:
    """Streams until the end; what stopped it, if somebody did."""
    from segctl.cli.main import present
    from segctl.cli.stream_output import ChangeFile, Speaker
    from segctl.operations.session import bound_definitions, instant
    from segctl.operations.stream.open import opened
    from segctl.operations.stream.stream import said_before

    if ctx.as_of is not None:
        wish = replace(wish, as_of=instant(ctx.as_of, ctx.now, session.project.timezone))
    file = None if changes is None else ChangeFile(Path(changes))
    speaker = Speaker(ctx, file, every_s=every_s)

    def reload() -> Session:
        from segctl.operations.lists import ProjectLists

        definitions, findings = bound_definitions(ctx.project, env=ctx.env)
        return replace(
            session, definitions=definitions, lists=ProjectLists(Path(definitions.project.root)), warnings=findings
        )

    def say_missed() -> None:
        missed = list(said_before(session, after if file is None else file.last))
        if missed:
            speaker.changes(missed)

    with _flag() as stops:
        with opened(session, wish, wall=present, listener=speaker, reload=reload, before=say_missed) as stream:
            stream.run(lambda: bool(stops))
        if file is not None:
            file.close()
        return stops[0] if stops else None


@contextmanager
def _flag() -> Iterator[list[Stopped]]:
    """A first signal is noted, so that the batch at hand is finished; a second one ends the process."""
    found: list[Stopped] = []

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the interface of signal handlers
        signal.signal(number, signal.SIG_DFL)
        found.append(Stopped("interrupted", 130) if number == signal.SIGINT else Stopped("terminated", 143))

    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, note)
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wish(
    sources: list[str],
    place: str,
    clock: str,
    *,
    once: bool,
    from_start: bool,
    checkpoint: str,
    linger: str,
) -> Wish:
    from segctl.operations.stream.open import Wish
    from segctl.operations.stream.state import Habits

    every_s = parse_span(checkpoint, "--checkpoint")
    if not every_s:
        raise UsageError(
            "SEG103", "a run cannot be recorded every moment, so `--checkpoint` is longer than nothing",
            hint="write 30s or 5m; changes are said at once in any case",
        )  # fmt: skip
    habits = Habits(linger_s=parse_span(linger, "--linger") or 0.0, checkpoint_s=every_s)
    return Wish(tuple(sources), place, "event" if clock == "event" else "wall", None, once, from_start, habits)

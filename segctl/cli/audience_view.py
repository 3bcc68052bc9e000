"""`show SEGMENT --waterfall`: counts at each step, why people fell out, and their ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from segctl.cli import messages, output
from segctl.model.errors import UsageError
from segctl.operations.audience.words import counted_reasons, step_words

if TYPE_CHECKING:
    from segctl.cli.context import Context
    from segctl.model.project import Language
    from segctl.operations.audience.explain import Explained

STEPS = (
    output.Column("destination"),
    output.Column("step"),
    output.Column("left", type="integer"),
    output.Column("dropped", type="integer"),
    output.Column("meaning"),
)
REASONS = (
    output.Column("destination"),
    output.Column("step"),
    output.Column("people", type="integer"),
    output.Column("why"),
    output.Column("reason", extra=True),
    output.Column("detail", extra=True),
)
PEOPLE = (
    output.Column("profile_id"),
    output.Column("destination"),
    output.Column("step"),
    output.Column("reason"),
    output.Column("detail"),
    output.Column("why"),
)
_LISTS = ("ids", "csv", "ndjson", "parquet")


def show_waterfall(ctx: Context, kind: str, name: str, to: str | None, step: str | None, language: str | None) -> None:
    """Writes the waterfall, or the people who fell out at a step.

    Raises:
        UsageError: No such segment, destination or step.
    """
    from segctl.operations.audience.explain import explained, step_named
    from segctl.operations.session import open_session

    if kind != "segment":
        raise UsageError(
            "SEG853", f"a {kind} has no audience", hint="name a segment: `segctl show winback --waterfall`"
        )
    wanted = None if step is None else step_named(step)
    with open_session(ctx.project, env=ctx.env) as session:
        found = explained(session, name, now=ctx.now, destination=to)
        said = session.language(language)
        is_list = bool(wanted) or ctx.format in _LISTS
        result = _people(found, wanted, said) if is_list else _counts(ctx, found, said, session.project.timezone)
    output.write(ctx, result)
    if wanted is None and ctx.format == "table":
        segment = found[0].segment if found else name
        messages.notice(ctx, f"next: segctl show {segment} --waterfall --step consent -f ids")


def _counts(ctx: Context, found: Sequence[Explained], language: Language, zone: str) -> output.Result:
    here = ZoneInfo(zone)
    columns = REASONS if ctx.format != "table" else REASONS[:4]
    reasons = [row[: len(columns)] for row in _reasons(found, language)]
    facts: dict[str, Any] = {"segment": found[0].segment if found else None, "as_of": ctx.now.astimezone(here)}
    for one in found:
        facts[one.destination] = f"{one.purpose or 'no purpose'}, {one.channel}; " + (
            "never pushed" if one.last is None else f"last push {one.last.id} at {_at(one.last.started, here)}"
        )
    return output.Result(
        "segctl/waterfall/1",
        STEPS,
        [
            (one.destination, step.name, step.left, step.dropped, step_words(step.name, language))
            for one in found for step in one.steps
        ],
        noun="steps",
        facts=facts,
        sections=(output.Section("reasons", "who fell out, and why", columns, reasons),) if reasons else (),
        run={"at": ctx.now},
    )  # fmt: skip


def _at(started: str, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(started).astimezone(zone):%Y-%m-%d %H:%M}"


def _reasons(found: Iterable[Explained], language: Language) -> Iterable[tuple[Any, ...]]:
    for one in found:
        for step in one.steps:
            for reason, detail, said, count in counted_reasons(step, language):
                yield one.destination, step.name, count, said, reason, detail


def _people(found: Sequence[Explained], step: str | None, language: Language) -> output.Result:
    """One row per profile that fell out; with no step named, at any."""
    from segctl.operations.audience.explain import with_words

    rows = [
        (profile_id, one.destination, *rest)
        for one in found for profile_id, *rest in with_words(one.out, language)
        if step is None or rest[0] == step
    ]  # fmt: skip
    return output.Result("segctl/waterfall-people/1", PEOPLE, rows, noun="profiles", ids_column="profile_id")

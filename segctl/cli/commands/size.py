"""Count a definition, saved or not, condition by condition."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Annotated

from segctl.cli import messages, output, streams
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, Argument, Language, Option, verb
from segctl.model.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from segctl.operations.size import Sizes

EXAMPLES = (
    ("segctl size winback", "How many people a saved segment holds, and what each condition does."),
    ("segctl size draft.yaml -f json", "The same for a file that is not part of the project."),
    ('segctl size -s "tag:daily"', "How many each of several segments holds."),
)
SEE_ALSO = ("segctl explain --help", "segctl help windows", "segctl help select")
COLUMNS = (
    output.Column("condition"),
    output.Column("line", type="integer"),
    output.Column("alone", "true alone", type="integer", bar=True),
    output.Column("unknown", type="integer"),
    output.Column("left", "left after it", type="integer"),
    output.Column("without", "without it", type="integer"),
)


SIZES = (
    output.Column("segment"),
    output.Column("members", type="integer", bar=True),
    output.Column("matched", "before `keep`", type="integer"),
)


@verb(without=CHANGES, formats=("table", "json", "ndjson", "csv", "parquet"))
def command(
    ctx: Context,
    segment: Annotated[
        str | None,
        Argument("SEGMENT|FILE", help="A saved segment, a file, or - for standard input.", complete="segments"),
    ] = None,
    engine: Annotated[
        str, Option("--engine", metavar="NAME", help="What evaluates.", choices=("polars", "duckdb"))
    ] = "polars",
    language: Language = None,
) -> None:
    """Count a definition, saved or not, condition by condition.

    For each condition: for how many it is true alone, how many are left when the definition is read up to it, and
    how many members there would be without it. With `--select`, or of a file with `for_each`, only the sizes of the
    segments. Nothing is recorded.
    """
    if segment is None or ctx.selection:
        _sizes(ctx, segment, engine)
    else:
        _size(ctx, segment, engine, language)


def _size(ctx: Context, segment: str, engine: str, language: str | None) -> None:
    from segctl.operations.session import instant, open_session
    from segctl.operations.size import sister_sizes, size

    text = streams.read_data() if segment == "-" else None
    with open_session(ctx.project, env=ctx.env) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        as_of = instant(ctx.as_of, ctx.now, session.project.timezone)
        sisters = sister_sizes(session, segment, text=text, as_of=as_of, engine=engine)
        if sisters is not None:
            _write_sizes(ctx, sisters, session.local(as_of))
            return
        found = size(session, segment, text=text, as_of=as_of, engine=engine, language=language)
    facts = {
        "segment": found.segment,
        "as_of": session.local(found.as_of),
        "members": found.members,
        "matched": found.matched,
        "profiles": found.profiles,
    }
    output.write(
        ctx,
        output.Result(
            "segctl/size/1", COLUMNS, [astuple(leaf) for leaf in found.leaves], noun="conditions", facts=facts
        ),
    )


def _sizes(ctx: Context, segment: str | None, engine: str) -> None:
    from segctl.operations.session import instant, open_session
    from segctl.operations.size import sizes

    if segment is not None or not ctx.selection:
        raise UsageError(
            "SEG104", "`size` counts one segment or file, or those of `--select`", hint="segctl size SEGMENT"
        )
    with open_session(ctx.project, env=ctx.env) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        as_of = instant(ctx.as_of, ctx.now, session.project.timezone)
        found = sizes(session, ctx.selection, as_of=as_of, engine=engine)
        _write_sizes(ctx, found, session.local(as_of))


def _write_sizes(ctx: Context, found: Sizes, as_of: datetime) -> None:
    for name, reason in found.failed.items():
        messages.warning(ctx, f"`{name}` cannot be counted: {reason}")
    rows = [(name, *counts) for name, counts in found.rows.items()]
    facts = {"as_of": as_of, "profiles": found.profiles}
    output.write(ctx, output.Result("segctl/sizes/1", SIZES, rows, noun="segments", facts=facts))

"""Show one person's timeline."""

from __future__ import annotations

from typing import Annotated

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, SELECTION, TIME, Argument, Option, verb

EXAMPLES = (
    ("segctl profile 00005", "Records, events, segments entered and left, in order of time."),
    ("echo anna@post.example | segctl profile -", "The identifier from standard input stays out of the shell history."),
)
SEE_ALSO = ("segctl explain --help", "segctl help accessibility")
COLUMNS = (
    output.Column("at", type="time"),
    output.Column("what"),
    output.Column("name"),
    output.Column("details", type="object"),
    output.Column("source"),
    output.Column("place"),
)
TRAITS = (
    output.Column("trait"),
    output.Column("value", type="object"),
    output.Column("rule"),
    output.Column("source"),
    output.Column("place"),
    output.Column("other_values", type="integer"),
)


@verb(without=(*SELECTION, *CHANGES, *TIME), formats=("table", "json", "ndjson", "csv"))
def command(
    ctx: Context,
    who: Annotated[str, Argument("WHO", help="Profile id or any identifier; - reads it from standard input.")],
    last: Annotated[int, Option("--last", metavar="N", help="Only the newest N rows; 0 is all.")] = 0,
    show_personal: Annotated[bool, Option("--show-personal", help="Also names, addresses and the like.")] = False,
) -> None:
    """Show one person's timeline: records, events, segments entered and left, with where each row came from.

    Personal traits are left out unless asked for.
    """
    from segctl.cli.people import asked
    from segctl.operations.profile import profile
    from segctl.operations.session import open_session

    with open_session(ctx.project, env=ctx.env) as session:
        found = profile(session, asked(ctx, who), show_personal=show_personal, limit=last or None, now=ctx.now)
    facts = {
        "profile_id": found.profile_id,
        "identifiers": [f"{id_type}: {value}" for id_type, value in found.identifiers],
        "segments": list(found.segments),
        **({"experiments": [str(one) for one in found.arms]} if found.arms else {}),
    }
    rows = [
        (session.local(r.at) if r.at else None, r.what, r.name, r.details, r.source, r.place) for r in found.timeline
    ]
    traits = [(t.trait, t.value, t.rule, t.source, t.place, t.others) for t in found.traits]
    # One record alone says it all in the timeline.
    has_choice = sum(r.what == "record" for r in found.timeline) > 1
    sections = (output.Section("traits", "golden record", TRAITS, traits),)
    output.write(
        ctx,
        output.Result(
            "segctl/profile/1", COLUMNS, rows, noun="rows", facts=facts,
            sections=sections if has_choice or ctx.format == "json" else (),
        ),
    )  # fmt: skip
    if found.hidden:
        messages.notice(ctx, f"left out as personal: {', '.join(found.hidden)}; `--show-personal` shows them")

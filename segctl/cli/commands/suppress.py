"""The suppression list: who gets nothing, whatever is imported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import SELECTION, TIME, Argument, Option, verb
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.operations.consent.record import Recorded

EXAMPLES = (
    ('echo anna@post.example | segctl suppress add - --reason "asked by phone"', "On the list at once, every channel."),
    ("segctl suppress add anna@post.example --channel email", "Only for one channel."),
    ("segctl suppress import bounces.csv", "Bounces, complaints and unsubscribes as mailing services export them."),
    ("segctl suppress import old_list.csv --as suppress", "Everybody in a file."),
    ("segctl suppress ls --channel email", "Who is on it, by tokens; no address is stored."),
)
EXITS: dict[int, str] = {
    3: "`import`: some rows were refused; they stand in the report, the others are recorded",
    6: "a key of the ledger is gone",
}
SEE_ALSO = ("segctl help suppression", "segctl consent --help")
ACTIONS = ("ls", "add", "rm", "import")
AS = ("suppress", "bounce", "complaint", "unsubscribe")
LIST = (
    output.Column("contact_point"),
    output.Column("cause"),
    output.Column("channel"),
    output.Column("since", type="time"),
    output.Column("source"),
    output.Column("reason"),
    output.Column("rows", type="integer", extra=True),
    output.Column("lifted", type="boolean"),
)


@verb(without=(*SELECTION, *TIME, "yes"), formats=("table", "json", "ndjson", "csv"))
def command(
    ctx: Context,
    action: Annotated[str, Argument("ACTION", help="ls, add, rm or import.", choices=ACTIONS)] = "ls",
    what: Annotated[
        str | None,
        Argument("WHO|FILE", help="An address, a number, any identifier or profile id; - reads it.", complete="files"),
    ] = None,
    channel: Annotated[str | None, Option("--channel", metavar="NAME", help="One channel; otherwise all.")] = None,
    reason: Annotated[str | None, Option("--reason", metavar="TEXT", help="Why; kept on record.")] = None,
    proof: Annotated[
        str | None, Option("--proof", metavar="REF", help="With `rm`: where her new declaration lies.")
    ] = None,
    confirmed: Annotated[bool, Option("--confirmed", help="With `rm`: she confirmed it (double opt-in).")] = False,
    at: Annotated[str | None, Option("--at", metavar="TIME", help="When it happened; otherwise now.")] = None,
    meaning: Annotated[
        str | None, Option("--as", help="With `import`: what every row is; otherwise each says so.", choices=AS)
    ] = None,
    source: Annotated[str | None, Option("--source", metavar="NAME", help="Where it comes from.")] = None,
    rejected: Annotated[
        str | None, Option("--rejected", metavar="FILE", help="With `import`: where refused rows go.", complete="files")
    ] = None,
) -> ExitCode | None:
    """Keep contact points from getting anything, for a channel or for all.

    The list holds keyed tokens, not addresses, and matches every spelling of an address, so a suppressed person who
    is imported again stays suppressed. Hard bounces count at once, soft ones after a few (`consent: soft_bounces`).

    `add` needs no lock and no approval. `rm` needs a reason, and for all but bounces also proof of the person's own
    confirmed word that is later than the suppression: an old list never lifts anything.
    """
    if action == "ls":
        _list(ctx, channel)
    elif what is None:
        whom, hint = ("a file", "FILE") if action == "import" else ("whom", "-")
        raise UsageError("SEG104", f"`suppress {action}` needs to know {whom}", hint=f"segctl suppress {action} {hint}")
    elif action == "import":
        return _import(ctx, what, meaning, source, rejected)
    else:
        _change(ctx, action, what, channel, reason, proof, at, source, confirmed=confirmed)
    return None


def _list(ctx: Context, channel: str | None) -> None:
    from segctl.operations.consent.session import open_for_consent
    from segctl.operations.suppress import listed

    with open_for_consent(ctx.project, env=ctx.env, tolerant=True) as session:
        found = listed(session, channel=channel)
    rows = [
        (o.label, o.action, o.channel or "*", o.since, o.source, o.reason, o.rows, o.is_lifted) for o in found
    ]  # fmt: skip
    output.write(ctx, output.Result("segctl/suppress-ls/1", LIST, rows, noun="contact points"))


def _import(ctx: Context, file: str, meaning: str | None, source: str | None, rejected: str | None) -> ExitCode:
    from segctl.cli.consent_actions import read_file, tell_import
    from segctl.operations.consent.importing import import_file
    from segctl.operations.consent.session import open_for_consent
    from segctl.operations.suppress import shaper

    path, data = read_file(ctx, file)
    with open_for_consent(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s, tolerant=True) as session:
        done = import_file(
            session, path, data, mapped={}, fixed={}, source=source, shape=shaper(meaning),
            report=Path(rejected) if rejected else None, now=ctx.now, dry_run=ctx.dry_run,
        )  # fmt: skip
    return tell_import(ctx, done, "segctl/suppress-import/1")


def _change(
    ctx: Context,
    action: str,
    who: str,
    channel: str | None,
    reason: str | None,
    proof: str | None,
    at: str | None,
    source: str | None,
    *,
    confirmed: bool,
) -> None:
    from segctl.cli.consent_actions import RECORDED, facts_of
    from segctl.cli.people import asked
    from segctl.operations.consent.session import open_for_consent
    from segctl.operations.suppress import lift, suppress

    named = asked(ctx, who)
    with open_for_consent(ctx.project, env=ctx.env, tolerant=True) as session:
        if action == "add":
            done: tuple[Recorded, ...] = (
                suppress(
                    session, named, channel=channel, reason=reason, source=source, at=at, now=ctx.now,
                    dry_run=ctx.dry_run,
                ),
            )  # fmt: skip
        else:
            done = lift(
                session, named, channel=channel, reason=reason, proof=proof, is_confirmed=confirmed, at=at,
                now=ctx.now, dry_run=ctx.dry_run,
            )  # fmt: skip
    rows = [
        (point.label, action, "*", one.said.channel or "*", session.local(one.at), row)
        for one in done
        for point, action, row in one.rows
    ]
    output.write(
        ctx,
        output.Result(
            "segctl/suppress-record/1", RECORDED, rows, noun="rows", is_report=True, run={"dry_run": ctx.dry_run},
            facts=facts_of(done[0].asked, personal=False),
        ),
    )  # fmt: skip
    said = "it holds from the next batch of every push on" if action == "add" else "consent is still needed as before"
    messages.notice(ctx, "dry run: nothing was recorded" if ctx.dry_run else f"recorded; {said}")

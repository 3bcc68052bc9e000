"""Take what tracking libraries, tag managers and webhooks send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import SELECTION, TIME, Argument, Option, verb
from segctl.model.diagnostics import Diagnostic, Severity
from segctl.model.errors import UsageError

if TYPE_CHECKING:
    from segctl.operations.listen import Listening

EXAMPLES = (
    ("segctl listen", "Take requests at 127.0.0.1:8087 for all sources of kind `collector`."),
    ("segctl listen --bind 127.0.0.1:9000", "At another port; a proxy with TLS stands before it."),
    ("segctl listen keys add shop --source web_live", "Make a write key; it is shown this once."),
    ("segctl listen keys ls", "Which keys there are, never the keys themselves."),
    ("segctl listen keys rm shop", "Refuse a key; a running collector learns it within seconds."),
)
EXITS: dict[int, str] = {
    74: "the address cannot be bound, or the disk cannot be written",
    75: "another collector works in this workspace, or the time of `--timeout` is up",
}
SEE_ALSO = ("segctl help listen", "segctl ingest --help", "segctl help tracking")
ACTIONS = ("run", "keys")
KEY_ACTIONS = ("ls", "add", "rm")
KEYS = (
    output.Column("name"),
    output.Column("source"),
    output.Column("where"),
    output.Column("at", title="made", type="time"),
)
ADDED = (output.Column("name"), output.Column("source"), output.Column("key"))
TAKEN = (
    output.Column("source"),
    output.Column("key"),
    output.Column("requests", type="integer"),
    output.Column("bytes", type="integer"),
)
REFUSED = (output.Column("status", type="integer"), output.Column("reason"), output.Column("requests", type="integer"))


@verb(without=(*SELECTION, *TIME, "yes", "dry_run"), formats=("table", "json", "ndjson", "csv"))
def command(
    ctx: Context,
    action: Annotated[str, Argument("ACTION", help="run or keys; without it, run.", choices=ACTIONS)] = "run",
    what: Annotated[str, Argument("WHAT", help="With `keys`: ls, add or rm.", choices=KEY_ACTIONS)] = "ls",
    name: Annotated[str | None, Argument("NAME", help="With `keys add` and `keys rm`: the key's name.")] = None,
    bind: Annotated[
        str | None,
        Option("--bind", metavar="HOST:PORT", help="Where to listen; else 127.0.0.1:8087. Port 0 takes a free one."),
    ] = None,
    source: Annotated[
        str | None,
        Option("--source", metavar="NAME", help="With `keys add`: whose requests it may write.", complete="sources"),
    ] = None,
    behind_proxy: Annotated[
        bool, Option("--behind-proxy", help="The last entry of X-Forwarded-For is the sender's address.")
    ] = False,
) -> None:
    """Take what tracking libraries, tag managers and webhooks send.

    Segment's and RudderStack's libraries, Google's Measurement Protocol, Snowplow's trackers, server-side Google Tag
    Manager, Tealium, any JSON, and signed webhooks of HubSpot, Shopify, Stripe and those that keep Standard Webhooks.
    Sources of kind `collector` say which. A request is on disk before it is answered; `segctl ingest` makes events of
    it. SIGTERM ends the collector once everything that was begun is answered.

    `keys` makes, lists and removes write keys. Only their digests are kept.
    """
    if action == "keys":
        _keys(ctx, what, name, source)
        return
    if name is not None or what != "ls":
        raise UsageError("SEG104", "only `segctl listen keys` takes a name", hint="`segctl listen` alone listens")
    _listen(ctx, bind, behind_proxy=behind_proxy)


def _listen(ctx: Context, bind: str | None, *, behind_proxy: bool) -> None:
    from segctl.cli.main import present
    from segctl.cli.stops import TimeIsUp
    from segctl.operations.ingest.ingest import open_for_ingest, sources_of
    from segctl.operations.listen import DEFAULT_BIND, listen, parse_bind

    address = parse_bind(bind or DEFAULT_BIND)
    with open_for_ingest(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as (project, workspace):
        sources = sources_of(project)
        if not address.is_near:
            hint = "bind to 127.0.0.1 and put a proxy with TLS before it: `segctl help listen`"
            _warn(ctx, "SEG646", f"{address.host} is reached from the network without encryption", hint)
        done = listen(
            project, workspace, sources, address, clock=present, trusts_proxy=behind_proxy,
            listening=lambda on: _tell(ctx, on),
            trouble=lambda problem: _trouble(ctx, problem),
        )  # fmt: skip
    output.write(
        ctx,
        output.Result(
            "segctl/listen/1", TAKEN, done.accepted, noun="write keys" if done.accepted else None, is_report=True,
            facts={"requests": sum(row[2] for row in done.accepted), "repeated": done.repeated},
            sections=(output.Section("refused", "refused", REFUSED, done.refused),),
        ),
    )  # fmt: skip
    if done.is_timed_out:
        raise TimeIsUp
    messages.notice(ctx, "stopped; everything accepted is on disk; next: `segctl ingest`")


def _tell(ctx: Context, on: Listening) -> None:
    listed = ", ".join(f"{name} ({accepts})" for name, accepts in on.sources.items())
    if on.torn_bytes:
        _warn(ctx, "SEG650", f"{on.torn_bytes:,} bytes of a request that was never answered were set aside", None)
    for name in on.keyless:
        hint = f"make one: `segctl listen keys add NAME --source {name}`"
        _warn(ctx, "SEG643", f"`{name}` has no write key, so its requests are refused", hint)
    messages.notice(ctx, f"listening at {on.url} for {listed}")


def _trouble(ctx: Context, problem: OSError | None) -> None:
    if problem is None:
        messages.notice(ctx, "requests are written again")
        return
    reason = (problem.strerror or "the disk fails").lower()
    message = f"requests cannot be written and are answered 503: {reason}"
    messages.diagnostics(ctx, [Diagnostic("SEG651", Severity.ERROR, message, hint="free some space")])


def _warn(ctx: Context, code: str, message: str, hint: str | None) -> None:
    messages.diagnostics(ctx, [Diagnostic(code, Severity.WARNING, message, hint=hint)])


def _keys(ctx: Context, what: str, name: str | None, source: str | None) -> None:
    from segctl.operations import listen_keys
    from segctl.operations.ingest.ingest import open_for_ingest, sources_of

    if what == "ls" and name is not None:
        raise UsageError("SEG104", "`keys ls` takes no name", hint="segctl listen keys ls")
    with open_for_ingest(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as (project, workspace):
        sources = sources_of(project)
        if what == "ls":
            rows = [(key.name, key.source, key.where, key.at) for key in listen_keys.listed(workspace, sources)]
            output.write(ctx, output.Result("segctl/listen-keys/1", KEYS, rows, noun="write keys"))
            return
        if name is None:
            raise UsageError("SEG104", f"`keys {what}` needs the key's name", hint=f"segctl listen keys {what} shop")
        if what == "rm":
            listen_keys.remove(workspace, name)
            messages.notice(ctx, f"`{name}` is refused from now on, by a running collector within seconds")
            return
        made = listen_keys.add(workspace, sources, name, source)
    row = (name, made.source, made.key)
    output.write(ctx, output.Result("segctl/listen-keys-add/1", ADDED, [row], noun="write keys"))
    messages.notice(ctx, "keep the key now: only its digest is on record, so nobody can show it again")

"""Consent: record it, import it, look at it, and decide who may be contacted."""

from __future__ import annotations

from typing import Annotated

from segctl.cli.context import Context
from segctl.cli.options import TIME, Argument, Language, Option, verb
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

EXAMPLES = (
    ("segctl consent import consents.csv", "Grants, confirmations and withdrawals from a file, each once."),
    ("segctl consent check anna@post.example --purpose newsletter", "Exit code 0 when allowed, 1 when not, with why."),
    ("echo anna@post.example | segctl consent withdraw -", "At once, for every purpose, with no lock and no approval."),
    (
        "segctl consent proof anna@post.example --purpose newsletter",
        "The evidence: what was said, and its record.",
    ),
    ("segctl consent coverage -s winback", "How many of the members may be contacted, and why not the others."),
)
EXITS: dict[int, str] = {
    1: "`check`: not allowed",
    3: "`import`: some rows were refused; they stand in the report, the others are recorded",
    6: "a key of the ledger is gone",
}
SEE_ALSO = ("segctl help consent", "segctl suppress --help", "segctl help suppression")
SAYING = ("grant", "request", "confirm", "deny", "withdraw", "object", "restrict", "unrestrict", "lift")
ACTIONS = ("coverage", "import", "show", "check", "proof", *SAYING, "rotate-key")
OBJECTIONS = ("marketing", "profiling", "all")


Purpose = Annotated[
    str | None, Option("--purpose", metavar="NAME", help="A declared purpose; else all.", complete="purposes")
]
Channel = Annotated[str | None, Option("--channel", metavar="NAME", help="A channel, such as email, sms or ads.")]
To = Annotated[
    str | None,
    Option("--to", metavar="NAME", help="With `check`: as this destination would use it.", complete="destinations"),
]
Against = Annotated[str, Option("--against", help="With `object` and `lift`: what is objected to.", choices=OBJECTIONS)]
At = Annotated[str | None, Option("--at", metavar="TIME", help="When it was said; otherwise now.")]
Expires = Annotated[str | None, Option("--expires", metavar="TIME", help="With `grant`: until when.")]
Basis = Annotated[str | None, Option("--basis", metavar="NAME", help="Legal basis of a `grant`.")]
Proof = Annotated[str | None, Option("--proof", metavar="REF", help="Where the evidence lies.")]
Notice = Annotated[str | None, Option("--notice", metavar="ID", help="The text that was shown.")]
NoticeVersion = Annotated[str | None, Option("--notice-version", metavar="V", help="Version of that text.")]
Confirmed = Annotated[bool, Option("--confirmed", help="The confirmation (double opt-in) is on record.")]
NotOwn = Annotated[bool, Option("--not-own", help="Somebody else says so for the person; it lifts no objection.")]
Reason = Annotated[str | None, Option("--reason", metavar="TEXT", help="Why; kept on record.")]
Source = Annotated[str | None, Option("--source", metavar="NAME", help="Where it comes from.")]
Mapped = Annotated[
    list[str], Option("--map", metavar="COLUMN=HEADER", help="With `import`: the file's header. Repeatable.")
]
Fixed = Annotated[
    list[str], Option("--set", metavar="COLUMN=VALUE", help="A value for rows that have none. Repeatable.")
]
Rejected = Annotated[
    str | None, Option("--rejected", metavar="FILE", help="With `import`: where refused rows go.", complete="files")
]
Matrix = Annotated[
    bool, Option("--matrix", help="With `check`: every state with every kind of use, and what is decided.")
]
ShowPersonal = Annotated[bool, Option("--show-personal", help="Show addresses and numbers.")]
Action = Annotated[str, Argument("ACTION", help="What to do.", choices=ACTIONS)]
What = Annotated[
    str | None,
    Argument("WHO|FILE", help="An address, a number, any identifier or profile id; - reads it.", complete="files"),
]


@verb(without=("state", "allow_empty", *TIME, "yes"), formats=("table", "json", "ndjson", "csv"))
def command(
    ctx: Context,
    action: Action = "coverage",
    what: What = None,
    purpose: Purpose = None,
    channel: Channel = None,
    destination: To = None,
    against: Against = "marketing",
    at: At = None,
    expires: Expires = None,
    basis: Basis = None,
    proof: Proof = None,
    notice: Notice = None,
    notice_version: NoticeVersion = None,
    confirmed: Confirmed = False,
    not_own: NotOwn = False,
    reason: Reason = None,
    source: Source = None,
    mapped: Mapped = (),  # type: ignore[assignment]  # a list arrives as a tuple
    fixed: Fixed = (),  # type: ignore[assignment]  # likewise
    rejected: Rejected = None,
    matrix: Matrix = False,
    show_personal: ShowPersonal = False,
    language: Language = None,
) -> ExitCode | None:
    """Record what people have said about being contacted, and decide who may be.

    Consent belongs to a contact point (an address, a number), a purpose and a channel, never to a merged person. It
    is an append-only ledger of keyed tokens: nothing is changed or deleted, and no address stands in it. Whatever is
    unknown, malformed, unconfirmed, stale or unproven is denied.

    `import` reads CSV or NDJSON; `grant`, `request`, `confirm`, `deny`, `withdraw`, `object`, `restrict` and
    `unrestrict` record one thing one person said; `lift` takes an objection back on her own later word. `show`,
    `check` and `proof` answer about one person, `coverage` about many. `rotate-key` makes a new key for rows to come.
    """
    from segctl.cli import consent_actions as actions

    if what is None or action in ("coverage", "rotate-key") or (action == "check" and matrix):
        _write_of_all(ctx, action, language, matrix=matrix)
    elif action == "import":
        return actions.write_import(ctx, what, mapped, fixed, source, rejected)
    elif action == "check":
        return actions.write_check(
            ctx, what, purpose, channel, destination, show_personal=show_personal, language=language
        )
    elif action in ("show", "proof"):
        actions.write_rows(ctx, action, what, purpose, channel, show_personal=show_personal, language=language)
    else:
        said = actions.Words(
            action, against, purpose, channel, at, expires, basis, proof, notice, notice_version, reason, source,
            tuple(fixed), is_confirmed=confirmed, is_own=not not_own,
        )  # fmt: skip
        actions.write_record(ctx, what, said)
    return None


def _write_of_all(ctx: Context, action: str, language: Language, *, matrix: bool) -> None:
    """What is about nobody in particular."""
    from segctl.cli import consent_actions as actions
    from segctl.cli import consent_reports as reports

    if action == "coverage":
        reports.write_coverage(ctx, language)
    elif action == "check" and matrix:
        reports.write_matrix(ctx, language)
    elif action == "rotate-key":
        actions.write_rotation(ctx)
    else:
        whom, hint = ("a file", "FILE") if action == "import" else ("whom", "-")
        raise UsageError("SEG104", f"`consent {action}` needs to know {whom}", hint=f"segctl consent {action} {hint}")

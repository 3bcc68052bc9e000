"""What the actions of `segctl consent` write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.people import asked
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.operations.consent.check import Row
    from segctl.operations.consent.importing import Imported
    from segctl.operations.consent.people import Asked, ContactPoint
    from segctl.operations.session import Session

DECISIONS = (
    output.Column("purpose"),
    output.Column("channel"),
    output.Column("answer"),
    output.Column("reason"),
    output.Column("because"),
)
POINTS = (output.Column("contact_point"), *DECISIONS)
RECORDED = (
    output.Column("contact_point"),
    output.Column("action"),
    output.Column("purpose"),
    output.Column("channel"),
    output.Column("at", type="time"),
    output.Column("row", type="integer"),
)
ROWS = (
    output.Column("row", type="integer"),
    output.Column("at", type="time"),
    output.Column("contact_point"),
    output.Column("action"),
    output.Column("purpose"),
    output.Column("channel"),
    output.Column("source"),
    output.Column("reason"),
)
PROOFS = (
    *ROWS[:6],
    output.Column("legal_basis"),
    output.Column("confirmed", type="boolean"),
    output.Column("proof"),
    output.Column("notice"),
    output.Column("version"),
    output.Column("source"),
    output.Column("recorded", type="time"),
    output.Column("evidence", type="object"),
)
EFFECTS = (output.Column("effect"), output.Column("rows", type="integer"))


@dataclass(frozen=True, slots=True)
class Words:
    """The options of what is recorded, as they were written."""

    action: str
    against: str
    purpose: str | None
    channel: str | None
    at: str | None
    expires: str | None
    basis: str | None
    proof: str | None
    notice: str | None
    notice_version: str | None
    reason: str | None
    source: str | None
    fixed: tuple[str, ...]
    is_confirmed: bool
    is_own: bool


def write_check(
    ctx: Context,
    who: str,
    purpose: str | None,
    channel: str | None,
    destination: str | None,
    *,
    show_personal: bool,
    language: str | None,
) -> ExitCode:
    """Decide about one person; 0 when all that was asked is allowed, else 1."""
    from segctl.operations.consent.check import check
    from segctl.operations.consent.session import open_for_consent
    from segctl.operations.consent.words import answer_words, reason_words

    named = asked(ctx, who)
    with open_for_consent(ctx.project, env=ctx.env, destinations=destination is not None) as session:
        found = check(session, named, purpose=purpose, channel=channel, destination=destination, now=ctx.now)
        spoken = session.language(language)
    rows: list[tuple[Any, ...]] = []
    points: list[tuple[Any, ...]] = []
    for answer in found.answers:
        use = (answer.use.purpose, answer.use.channel)

        def told(decision: Any, use: tuple[str | None, str] = use) -> tuple[Any, ...]:  # noqa: ANN401 - of a lazy module
            answered = "allowed" if decision.is_allowed else "denied"
            shown = answer_words(decision, spoken) if ctx.format == "table" else answered
            return (*use, shown, decision.reason, reason_words(decision.reason, spoken))

        rows.append(told(answer.decision))
        several = len(answer.points) > 1
        points += [(label(p, personal=show_personal), *told(d)) for p, d in answer.points if several]
    code = ExitCode.OK if found.is_allowed else ExitCode.FINDINGS
    sections = (output.Section("points", "by contact point", POINTS, points),) if points else ()
    output.write(
        ctx,
        output.Result(
            "segctl/consent-check/1", DECISIONS, rows, noun="uses", sections=sections, exit=code,
            facts=facts_of(found.asked, personal=show_personal),
            document={"allowed": found.is_allowed, "destination": destination},
        ),
    )  # fmt: skip
    return code


def write_rows(
    ctx: Context,
    action: str,
    who: str,
    purpose: str | None,
    channel: str | None,
    *,
    show_personal: bool,
    language: str | None,
) -> None:
    """What is on record about a person, or the evidence of it."""
    from segctl.operations.consent.check import history, proofs
    from segctl.operations.consent.session import open_for_consent

    named = asked(ctx, who)
    with open_for_consent(ctx.project, env=ctx.env, tolerant=True) as session:
        person, found = history(session, named, now=ctx.now)
    is_proof = action == "proof"
    wanted = proofs(found, purpose, channel) if is_proof or purpose or channel else found
    rows = [(_proof if is_proof else _row)(session, row, personal=show_personal) for row in wanted]
    note = "nichts ist vermerkt" if session.language(language) == "de" else "nothing is on record"
    output.write(
        ctx,
        output.Result(
            f"segctl/consent-{action}/1", PROOFS if is_proof else ROWS, rows, noun="rows",
            facts=facts_of(person, personal=show_personal), notes=() if rows else (note,),
        ),
    )  # fmt: skip


def write_record(ctx: Context, who: str, words: Words) -> None:
    """Record what one person said."""
    from segctl.operations.consent.record import OBJECTIONS, Said, record, refuse_weak_lift
    from segctl.operations.consent.session import open_for_consent

    facts = dict(pair(one, "--set") for one in words.fixed)
    action = OBJECTIONS[words.against] if words.action == "object" else words.action
    if action == "lift":
        facts["target"] = OBJECTIONS[words.against]
    said = Said(
        action, words.purpose, words.channel, words.at, words.basis, words.proof, words.notice, words.notice_version,
        words.source, words.reason, is_own=words.is_own, is_confirmed=words.is_confirmed, expires_at=words.expires,
        facts=facts,
    )  # fmt: skip
    if action == "lift":
        refuse_weak_lift(said)
    named = asked(ctx, who)
    gives = action in ("grant", "request", "confirm")
    with open_for_consent(ctx.project, env=ctx.env, tolerant=not gives) as session:
        done = record(session, named, said, now=ctx.now, dry_run=ctx.dry_run)
    rows = [
        (point.label, action, done.said.purpose or "*", done.said.channel or "*", session.local(done.at), row)
        for point, action, row in done.rows
    ]
    output.write(
        ctx,
        output.Result(
            "segctl/consent-record/1", RECORDED, rows, noun="rows", is_report=True, run={"dry_run": ctx.dry_run},
            facts=facts_of(done.asked, personal=False),
        ),
    )  # fmt: skip
    if ctx.dry_run:
        messages.notice(ctx, "dry run: nothing was recorded")
    elif gives:
        messages.notice(ctx, "recorded in the consent ledger; next: segctl consent check")
    else:
        messages.notice(ctx, "recorded in the consent ledger; it holds from the next batch of every push on")


def write_import(
    ctx: Context, file: str, mapped: list[str], fixed: list[str], source: str | None, rejected: str | None
) -> ExitCode:
    """Take a file into the ledger."""
    from segctl.operations.consent.importing import import_file
    from segctl.operations.consent.session import open_for_consent

    columns = {header: column for column, header in (pair(one, "--map") for one in mapped)}
    values = dict(pair(one, "--set") for one in fixed)
    path, data = read_file(ctx, file)
    with open_for_consent(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as session:
        done = import_file(
            session, path, data, mapped=columns, fixed=values, source=source,
            report=Path(rejected) if rejected else None, now=ctx.now, dry_run=ctx.dry_run,
        )  # fmt: skip
    return tell_import(ctx, done, "segctl/consent-import/1")


def tell_import(ctx: Context, done: Imported, schema: str) -> ExitCode:
    """Write what became of a file; 3 when rows were refused."""
    code = ExitCode.DATA if done.bad else ExitCode.OK
    rows = [*sorted(done.effects.items()), *([("refused", sum(done.bad.values()))] if done.bad else [])]
    bad = [(reason, count) for reason, count in done.bad.most_common()]
    columns = (output.Column("reason"), output.Column("rows", type="integer"))
    sections = (output.Section("refused", "refused rows", columns, bad),) if bad else ()
    output.write(
        ctx,
        output.Result(
            schema, EFFECTS, rows, noun="effects", sections=sections, is_report=True, exit=code,
            facts={"rows": done.rows, "recorded": done.added}, run={"dry_run": ctx.dry_run},
            document={
                "actions": dict(sorted(done.actions.items())), "undated_denials": done.undated,
                "unread_columns": list(done.unread), "report": None if done.report is None else str(done.report),
            },
        ),
    )  # fmt: skip
    if done.unread:
        messages.warning(
            ctx,
            f"columns that were not read: {', '.join(done.unread)}",
            hint="`--map COLUMN=HEADER` says what they are",
        )
    if done.undated:
        many = (
            "1 denial without a time in the past holds"
            if done.undated == 1
            else (f"{done.undated:,} denials without a time in the past hold")
        )
        messages.notice(ctx, f"{many} from now on")
    if done.report is not None:
        messages.warning(ctx, f"refused rows stand in {done.report}", hint="mend them there and import that file")
    if ctx.dry_run:
        messages.notice(ctx, "dry run: nothing was recorded")
    elif done.effects["without proof"]:
        messages.notice(ctx, "consent without proof_ref is kept and denied as `unproven`; see segctl help consent")
    elif not done.bad:
        messages.notice(ctx, "next: segctl consent coverage")
    return code


def write_rotation(ctx: Context) -> None:
    """Make a new key."""
    from segctl.operations.consent.keys import rotate
    from segctl.operations.consent.session import open_for_consent

    with open_for_consent(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as session:
        if ctx.dry_run:
            messages.notice(ctx, "dry run: no key was made")
            return
        key = rotate(session.project, session.workspace, now=ctx.now)
    columns = (output.Column("key"),)
    output.write(ctx, output.Result("segctl/consent-key/1", columns, [(key,)], noun="keys", is_report=True))
    messages.notice(ctx, "new rows get this key; the old ones stay for looking up, so back up consent.key")


# --- Shared with `suppress` ---------------------------------------------------------------------------------
def facts_of(person: Asked, *, personal: bool) -> dict[str, Any]:
    """Whom the answer is about."""
    return {"profile_id": person.profile_id, "contact_points": [label(p, personal=personal) for p in person.points]}


def label(point: ContactPoint, *, personal: bool) -> str:
    """A contact point's name: what it is only for those who ask for personal data."""
    return f"{point.kind}:{point.value}" if personal else point.label


def pair(text: str, option: str) -> tuple[str, str]:
    """The two sides of ``NAME=VALUE``.

    Raises:
        UsageError: There is no ``=``.
    """
    name, equal, value = text.partition("=")
    if not equal or not name.strip():
        raise UsageError("SEG103", f"`{option}` is written NAME=VALUE", hint=f"`{option} purpose=newsletter`")
    return name.strip(), value.strip()


def read_file(ctx: Context, file: str) -> tuple[Path | None, bytes | None]:
    """The file, or what stands on standard input for ``-``.

    Raises:
        UsageError: Standard input is a terminal.
    """
    if file != "-":
        return Path(file), None
    from segctl.cli import streams

    if streams.is_terminal(streams.STDIN):
        raise UsageError("SEG115", "`-` reads a file from standard input, which is a terminal here",
                         hint=f"`segctl {ctx.verb} import FILE`")  # fmt: skip
    with open(streams.STDIN, "rb", closefd=False) as stream:
        return None, stream.read()


def _row(session: Session, row: Row, *, personal: bool) -> tuple[Any, ...]:
    event = row.stored.event
    return (
        row.stored.seq, session.local(event.at), label(row.point, personal=personal), event.action,
        event.purpose or "*", event.channel or "*", event.source, event.reason,
    )  # fmt: skip


def _proof(session: Session, row: Row, *, personal: bool) -> tuple[Any, ...]:
    event = row.stored.event
    hidden = {"proof_hash": event.proof_hash, "notice_hash": event.notice_hash, "method": event.capture_method,
              "language": event.language, "event_id": event.event_id, **event.facts}  # fmt: skip
    return (
        *_row(session, row, personal=personal)[:6], event.legal_basis, event.is_confirmed, event.proof_ref,
        event.notice_id, event.notice_version, event.source, session.local(row.stored.recorded),
        {name: value for name, value in hidden.items() if value is not None},
    )  # fmt: skip

"""Compare a destination with the ledger, and repair it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from segctl.cli import messages, output, questions
from segctl.cli.context import Context
from segctl.cli.options import SELECTION, TIME, Allow, Argument, Option, Reason, verb
from segctl.cli.progress import listener
from segctl.model.errors import Refused
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.operations.push.work import Part
    from segctl.operations.reconcile import Compared
    from segctl.operations.session import Session

EXAMPLES = (
    ("segctl reconcile mailer", "Who is missing there, who is foreign, which audiences are orphaned."),
    ("segctl reconcile mailer --apply", "Tell those who are missing again, if they may be told; asks before."),
    ("segctl reconcile mailer --apply --remove-foreign --yes", "Also take out people whom no push put there."),
)
EXITS = {
    1: "the destination is otherwise than the ledger says, and nothing was repaired",
    4: "a guard or a missing confirmation refuses",
    5: "some rows of the repair were not accepted",
    75: "the destination does not answer now",
}
SEE_ALSO = ("segctl help audiences", "segctl push --help", "segctl status --help")


@verb(without=(*SELECTION, *TIME), formats=("table", "json", "ndjson", "csv", "ids"))
def command(
    ctx: Context,
    destination: Annotated[str, Argument("DEST", help="A destination that can be read.", complete="destinations")],
    apply: Annotated[bool, Option("--apply", help="Repair what is found; asks before.")] = False,
    remove_foreign: Annotated[
        bool, Option("--remove-foreign", help="With --apply: take out people whom no push put there.")
    ] = False,
    confirm: Annotated[
        list[str],
        Option("--confirm", metavar="NAME", help="Segment of which many people may be taken out at once. Repeatable."),
    ] = (),  # type: ignore[assignment]  # a list arrives as a tuple
    allow: Allow = (),  # type: ignore[assignment]  # likewise
    reason: Reason = None,
) -> ExitCode:
    """Read who really is in a destination's audiences and compare it with what it accepted.

    Missing are people whom it accepted and who are not there: they may have been deleted there, or have unsubscribed
    there. Foreign are people whom no push put there. Orphaned are audiences that no segment is sent to any more.
    Without `--apply` nothing is changed. The repair tells missing people again behind the gate, as a push does, and
    empties orphaned audiences; foreign people stay unless `--remove-foreign` says otherwise.
    """
    from segctl.cli import reconcile_view
    from segctl.operations.reconcile import compare
    from segctl.operations.session import open_session

    with open_session(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        compared = compare(session, destination, now=ctx.now, progress=listener(ctx))
        is_repaired = apply and not ctx.dry_run and compared.has_drift
        code = ExitCode.FINDINGS if compared.has_drift and not is_repaired else ExitCode.OK
        shown = reconcile_view.result(ctx, compared, remove_foreign=remove_foreign, exit_code=code)
        if not is_repaired:
            output.write(ctx, shown)
            messages.notice(ctx, _last_word(ctx, compared))
            return code
        return _repaired(ctx, session, compared, confirm, (allow, reason), remove_foreign=remove_foreign)


def _repaired(
    ctx: Context,
    session: Session,
    compared: Compared,
    confirm: Sequence[str],
    allowed: tuple[list[str], str | None],
    *,
    remove_foreign: bool,
) -> ExitCode:
    from segctl.cli import push_view, reconcile_view
    from segctl.operations.apply import allowances
    from segctl.operations.reconcile_repair import repair

    limits = allowances(session, *allowed)
    _agree(ctx, compared, remove_foreign=remove_foreign)
    done = repair(
        session, compared, now=ctx.now, agree=lambda parts: _confirm_mass(ctx, parts, confirm),
        remove_foreign=remove_foreign, allowed=limits, progress=listener(ctx),
    )  # fmt: skip
    result = push_view.result(ctx, session, done, show_personal=False)
    output.write(ctx, reconcile_view.with_repair(result, compared))
    messages.notice(ctx, f"next: segctl reconcile {compared.destination}")
    return done.exit


def _agree(ctx: Context, compared: Compared, *, remove_foreign: bool) -> None:
    """Asks before the ledger or the destination is changed.

    Raises:
        Refused: The answer is no, or nobody can be asked.
    """
    from segctl.cli.reconcile_view import repair_words

    if ctx.yes:
        return
    questions.tell(f"the repair of {compared.destination}:")
    for one in compared.audiences:
        if one.has_drift:
            questions.tell(f"  {one.segment}: {repair_words(one, remove_foreign=remove_foreign)}")
    questions.confirm(ctx, "repair it?")


def _confirm_mass(ctx: Context, parts: Sequence[Part], confirm: Sequence[str]) -> None:
    from segctl.operations.push.limits import is_mass_removal

    for part in parts:
        if is_mass_removal(part) and part.segment not in confirm:
            said = f"`{part.segment}` takes {len(part.leavers):,} people out of `{part.destination}`"
            if not ctx.terminal.interactive:
                raise Refused(
                    "SEG857", f"{said}; nothing was sent", hint=f"if that is right, `--confirm {part.segment}`"
                )
            questions.typed(f"{said}; type its name to go on: ", part.segment)


def _last_word(ctx: Context, compared: Compared) -> str:
    if not compared.has_drift:
        return f"{compared.destination} is as the ledger says"
    return "dry run: nothing was changed" if ctx.dry_run else f"next: segctl reconcile {compared.destination} --apply"

"""The stop button: segments and destinations that stop until somebody resumes them."""

from __future__ import annotations

from typing import Annotated

from segctl.cli.context import Context
from segctl.cli.options import SELECTION, TIME, Argument, Option, verb
from segctl.cli.pausing import press_and_tell

EXAMPLES = (
    ('segctl pause winback --reason "prices were wrong in the mail"', "It is not evaluated and keeps its members."),
    ('segctl pause destination:mailer --reason "wrong account"', "Nothing goes there until it is resumed."),
    ('segctl pause --all --reason "import is broken"', "Everything stops, also what is defined later."),
)
SEE_ALSO = ("segctl resume --help", "segctl help health", "segctl ls --help")


@verb(without=(*SELECTION, *TIME, "yes"), formats=("table", "json", "ndjson", "csv"))
def command(
    ctx: Context,
    names: Annotated[
        list[str], Argument("NAME", help="Segments, or destinations of `send_to`.", complete="segments")
    ] = (),  # type: ignore[assignment]  # a list arrives as a tuple
    everything: Annotated[bool, Option("--all", help="All segments and destinations, also those to come.")] = False,
    reason: Annotated[
        str | None, Option("--reason", metavar="TEXT", help="Why; kept on record and shown wherever it is paused.")
    ] = None,
) -> None:
    """Stop segments or destinations until they are resumed.

    A paused segment is not evaluated and keeps its members; a paused destination gets nothing. It takes effect for
    the next `apply` and is kept in the workspace, not in YAML. What is paused already stays as it is.
    """
    press_and_tell(ctx, "pause", names, reason, everything=everything)

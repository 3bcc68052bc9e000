"""End a pause."""

from __future__ import annotations

from typing import Annotated

from segctl.cli.context import Context
from segctl.cli.options import SELECTION, TIME, Argument, Option, verb
from segctl.cli.pausing import press_and_tell

EXAMPLES = (
    ("segctl resume winback", "It is evaluated again with the next apply."),
    ('segctl resume --all --reason "import is mended"', "Everything runs again, also what was paused by name."),
)
SEE_ALSO = ("segctl pause --help", "segctl plan --help")


@verb(without=(*SELECTION, *TIME, "yes"), formats=("table", "json", "ndjson", "csv"))
def command(
    ctx: Context,
    names: Annotated[
        list[str], Argument("NAME", help="Segments, or destinations of `send_to`.", complete="segments")
    ] = (),  # type: ignore[assignment]  # a list arrives as a tuple
    everything: Annotated[bool, Option("--all", help="Everything that is paused.")] = False,
    reason: Annotated[str | None, Option("--reason", metavar="TEXT", help="Why; kept on record.")] = None,
) -> None:
    """Let paused segments or destinations run again.

    What is not paused stays as it is. The first `plan` afterwards shows who would come and go.
    """
    press_and_tell(ctx, "resume", names, reason, everything=everything)

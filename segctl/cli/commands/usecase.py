"""Ready journeys: list them, install one, see which earn."""

from __future__ import annotations

from typing import Annotated

from segctl.cli.context import Context
from segctl.cli.options import FORMATS, SELECTION, Argument, Language, Option, verb
from segctl.model.errors import UsageError

EXAMPLES = (
    ("segctl usecase ls", "The packages: cart_recovery, welcome, reactivation, high_value_care."),
    ("segctl usecase add cart_recovery --dry-run", "What would be written."),
    (
        "segctl usecase add cart_recovery --use product_added=cart_add",
        "For a project that calls the event otherwise.",
    ),
    ("segctl usecase add welcome --declare", "For a project without its events and traits: adds them to segctl.yaml."),
    ("segctl usecase status", "Which earn by their control groups, and what comes next."),
)
EXITS: dict[int, str] = {4: "`add`: a file is there with other content; nothing was written"}
SEE_ALSO = ("segctl help usecases", "segctl content --help", "segctl report --help")
ACTIONS = ("ls", "add", "status")


@verb(without=SELECTION, formats=FORMATS[:-1])
def command(
    ctx: Context,
    action: Annotated[str, Argument("ACTION", help="What to do.", choices=ACTIONS)] = "ls",
    name: Annotated[str | None, Argument("NAME", help="With `add`: the package.")] = None,
    use: Annotated[
        list[str] | None,
        Option("--use", metavar="NAME=OWN", help="With `add`: what the project calls an event or trait. Repeatable."),
    ] = None,
    keep: Annotated[bool, Option("--keep", help="With `add`: leave files that differ, and write the others.")] = False,
    declare: Annotated[
        bool, Option("--declare", help="With `add`: what the project lacks is added to segctl.yaml.")
    ] = False,
    language: Language = None,
) -> None:
    """Install ready journeys, and see which of them earn.

    A package is a segment, its workflow with a control group, mails in German and English, and tests. `add` copies it
    into the project and never overwrites a file. `status` compares those who entered with the control group: what each
    journey brought, which are quickly won because people are there and nothing is measured yet, and what to extend
    next.
    """
    from segctl.cli import usecase_view as view

    if action == "add":
        if name is None:
            raise UsageError("SEG104", "`add` needs the name of a package", hint="`segctl usecase ls` lists them")
        view.write_added(ctx, name, use or [], keep=keep, declare=declare)
    elif action == "status":
        view.write_status(ctx, language)
    else:
        view.write_list(ctx, language)

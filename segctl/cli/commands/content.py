"""Personalised content: look at messages, check them, see what is recommended."""

from __future__ import annotations

from typing import Annotated

from segctl.cli.context import Context
from segctl.cli.options import CHANGES, FINDING_FORMATS, FORMATS, SELECTION, Argument, Option, verb
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

EXAMPLES = (
    ("segctl content preview welcome --for 00005", "The mail that this person would get, as text."),
    (
        "segctl content preview welcome --for - --show-personal --html mail.html",
        "With the real name, for the browser; standard input says whose.",
    ),
    ("segctl content lint", "Syntax, names, translations, accessibility, size; no data is read."),
    ("segctl content lint welcome --audience new_customers", "Who of the audience lacks what."),
    ("segctl content recommend for_you --for 00005", "Products for a person, each with its reason."),
)
EXITS: dict[int, str] = {1: "`lint`: something was found", 3: "`preview`: the person lacks a value that is shown"}
SEE_ALSO = ("segctl help content", "segctl usecase --help", "segctl ls content")
ACTIONS = ("ls", "preview", "lint", "recommend")


@verb(without=(*SELECTION, *CHANGES), formats=tuple(dict.fromkeys((*FORMATS[:-1], *FINDING_FORMATS))))
def command(
    ctx: Context,
    action: Annotated[str, Argument("ACTION", help="What to do.", choices=ACTIONS)] = "ls",
    name: Annotated[
        str | None,
        Argument("NAME", help="A template; with `recommend` a list of products.", complete="content"),
    ] = None,
    who: Annotated[
        str | None,
        Option("--for", metavar="WHO", help="Profile id or any identifier; - reads it from standard input."),
    ] = None,
    language: Annotated[
        str | None, Option("--language", metavar="TAG", help="Instead of the person's own, such as de or en.")
    ] = None,
    html: Annotated[
        str | None, Option("--html", metavar="FILE", help="With `preview`: write the HTML part.", complete="files")
    ] = None,
    audience: Annotated[
        str | None,
        Option("--audience", metavar="SEGMENT", help="With `lint`: fill it for every member.", complete="segments"),
    ] = None,
    people: Annotated[bool, Option("--people", help="With --audience: who lacks what, by profile id.")] = False,
    show_personal: Annotated[
        bool, Option("--show-personal", help="With `preview`: real names and addresses instead of their traits' names.")
    ] = False,
) -> ExitCode | None:
    """Look at messages before anybody gets them.

    `preview` fills a template for one person, with the values and memberships of `--as-of`. Personal values are shown
    by their names unless asked for. `lint` reads the templates without any data; with `--audience` it fills them for
    every member of a segment, keeps none, and tells what is missing and for how many. `recommend` shows the products
    that somebody would be shown, and why. `ls` lists the templates.
    """
    from segctl.cli import content_view as view

    if action == "ls":
        view.write_list(ctx)
        return None
    if action == "lint":
        return view.write_audience(ctx, name, audience, people=people) if audience else view.write_lint(ctx, name)
    if name is None or who is None:
        raise UsageError(
            "SEG104", f"`{action}` needs a name and a person", hint=f"`segctl content {action} NAME --for ID`"
        )
    if action == "recommend":
        view.write_recommended(ctx, name, who)
    else:
        view.write_preview(ctx, name, who, language=language, html=html, show_personal=show_personal)
    return None

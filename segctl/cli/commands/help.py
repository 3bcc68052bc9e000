"""Explain a verb, a topic or an error code; or print the whole surface as data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from segctl.cli import helptext, kinds_help, output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, PROJECT, SELECTION, TIME, Argument, Option, verb
from segctl.cli.table import COMMANDS
from segctl.model import catalogue
from segctl.model.errors import UsageError

EXAMPLES = (
    ("segctl help", "Lists topics and verbs."),
    ("segctl help windows", "Explains a topic."),
    ("segctl help destination-webhook", "Says what a kind of destination needs and can do."),
    ("segctl help SEG204", "Says why an error comes up and what to do."),
)
SEE_ALSO = ("segctl --help",)
_FOLDER = Path(__file__).resolve().parents[2] / "help"


@verb(without=(*SELECTION, *CHANGES, *TIME, *PROJECT), formats=("table", "json"))
def command(
    ctx: Context,
    name: Annotated[
        str | None, Argument("TOPIC|CODE|VERB", help="What to explain; without it, a list.", complete="topics")
    ] = None,
    markdown: Annotated[
        bool, Option("--markdown", help="Print the reference of all verbs, options and codes as Markdown.")
    ] = False,
) -> None:
    """Explain a verb, a topic or an error code.

    With --json and without a name, print the whole surface as data: verbs, options, types, variables, exit codes.
    """
    from segctl.cli import reference

    if markdown:
        output.write_text(ctx, reference.markdown())
    elif name is not None:
        output.write_text(ctx, _page(name))
    elif ctx.format == "json":
        output.write_text(ctx, reference.as_json())
    else:
        output.write_text(ctx, _list())


def topics() -> dict[str, str]:
    """Topics by name with their titles, sorted."""
    return {path.stem: path.read_text("utf-8").partition("\n")[0].lstrip("# ") for path in sorted(_FOLDER.glob("*.md"))}


def topic_text(name: str) -> str:
    """The text of a topic as it is printed."""
    text = (_FOLDER / f"{name}.md").read_text("utf-8").removeprefix("# ")
    if "<kinds>" in text:
        text = text.replace("<kinds>\n", kinds_help.listed())
    return text.replace("<rules>\n", _rules()) if "<rules>" in text else text


def _rules() -> str:
    """Every lint rule with its level and what it finds."""
    from segctl.compile.rules import RULES, load_rule

    rules = [load_rule(code) for code in RULES]
    return "".join(f"  {rule.code} {rule.name}, {rule.level}\n      {rule.title}\n" for rule in rules)


def code_text(code: str, entry: catalogue.Entry) -> str:
    """The page of an error code."""
    blocks = [f"{code}: {entry.title}", f"Why:\n{_indented(entry.cause)}", f"What to do:\n{_indented(entry.remedy)}"]
    if entry.example:
        blocks.append(f"Example:\n{_code(entry.example)}")
    if entry.better:
        blocks.append(f"Better:\n{_code(entry.better)}")
    return "\n\n".join(blocks) + "\n"


def _code(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.strip("\n").split("\n"))


def _page(name: str) -> str:
    if name in COMMANDS:
        about = helptext.verb_page(name)
        # What a verb is about may have a topic of its own name.
        return f"{about.rstrip()}\n\n{topic_text(name)}" if name in topics() else about
    if name in topics():
        return topic_text(name)
    if name.startswith(kinds_help.PREFIX) and (page := kinds_help.page(name)) is not None:
        return page
    entry = catalogue.entry(name.upper())
    if entry is not None:
        return code_text(name.upper(), entry)
    from difflib import get_close_matches

    near = get_close_matches(name, [*topics(), *kinds_help.names(), *COMMANDS, *catalogue.entries()], n=1, cutoff=0.5)
    hint = f"did you mean `segctl help {near[0]}`?" if near else "`segctl help` lists all topics"
    raise UsageError("SEG107", f"there is no help on `{name}`", hint=hint)


def _list() -> str:
    found = topics()
    longest = max(map(len, found)) + 2
    lines = ["Topics:"]
    for name, title in found.items():
        lines += helptext.filled(f"{name:<{longest}}{title}", indent=2, hanging=longest)
    lines += ["", *helptext.filled("Verbs: " + ", ".join(COMMANDS), hanging=len("Verbs: ")), ""]
    return "\n".join([*lines, "Codes: segctl help SEG204, as printed with each message"]) + "\n"


def _indented(text: str) -> str:
    return "\n".join(helptext.filled(text, indent=2))

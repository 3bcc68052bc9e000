"""The pages of `--help`, made from the table and the declarations; at most 80 columns, no boxes, no colour."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable, Sequence
from types import ModuleType

from segctl.cli.options import Argument, Option, Parameter, VerbSpec
from segctl.cli.table import COMMANDS, GROUPS
from segctl.model.exits import ExitCode

WIDTH = 80
EXIT_MEANINGS: dict[int, str] = {
    ExitCode.OK: "done",
    ExitCode.FINDINGS: "a check ran and found something",
    ExitCode.USAGE: "fix the command or the project; nothing was attempted",
    ExitCode.DATA: "input breaks its contract: fix the data",
    ExitCode.REFUSED: "a guard said no; nothing was changed",
    ExitCode.PARTIAL: "some parts failed, the others went on; a rerun continues",
    ExitCode.INTEGRITY: "stored state does not match its own digests",
    ExitCode.BUG: "a bug in segctl; a report file is named",
    ExitCode.IO: "disk full, permission, vanished file",
    ExitCode.TEMPORARY: "try again unchanged: a lock is held, or the time is up",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
    ExitCode.PIPE: "the reader closed the pipe",
    ExitCode.TERMINATED: "terminated",
}


def root_page() -> str:
    """The page of `segctl --help`."""
    lines = [
        "Customer segments as code: from raw files to living segments.",
        "",
        "Usage: segctl VERB [NAME…] [options]",
        "",
    ]
    lines += [
        "Examples:",
        "  segctl demo",
        "  segctl init shop && segctl ingest --project shop",
        "  segctl explain --help",
        "",
    ]
    width = max(map(len, COMMANDS)) + 2
    for group, title in GROUPS.items():
        lines.append(f"{title}:")
        lines += [f"  {name:<{width}}{c.summary}" for name, c in COMMANDS.items() if c.group == group]
        lines.append("")
    lines += [
        "Options come after the verb; `segctl VERB --help` lists them.",
        "  -h, --help     This page",
        "  -V, --version  Version",
    ]
    lines += ["", "See also: segctl help exit-codes, segctl help environment"]
    return "\n".join(lines) + "\n"


def verb_page(name: str) -> str:
    """The page of `segctl VERB --help`."""
    command = COMMANDS[name]
    module, spec = command.module, verb_spec(name)
    blocks = [
        purpose(spec),
        f"Usage: {usage(name)}",
        _examples(module),
        _block("Arguments", [p for p in spec.own if isinstance(p.declared, Argument)], spec),
        _block("Options", [p for p in spec.own if isinstance(p.declared, Option)], spec),
        _block("Shared options", spec.shared, spec) + "\n  -h, --help\n      This page.",
        _exit_codes(module),
        _see_also(module),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def verb_spec(name: str) -> VerbSpec:
    """The declarations of a verb."""
    spec = COMMANDS[name].load()
    if not isinstance(spec, VerbSpec):
        raise TypeError(f"{COMMANDS[name].target} is not decorated by options.verb")
    return spec


def usage(name: str) -> str:
    """The line such as ``segctl show KIND:NAME [options]``."""
    arguments = [_usage_piece(p) for p in verb_spec(name).own if isinstance(p.declared, Argument)]
    return " ".join(["segctl", name, *arguments, "[options]"])


def purpose(spec: VerbSpec) -> str:
    """The paragraphs of the docstring before its sections, filled to the width."""
    text = inspect.getdoc(spec.function) or ""
    for section in ("Args:", "Returns:", "Raises:"):
        text = text.partition(f"\n{section}")[0]
    return "\n\n".join(textwrap.fill(" ".join(p.split()), WIDTH) for p in text.strip().split("\n\n"))


def flags_text(parameter: Parameter) -> str:
    """``-e, --env NAME``."""
    declared = parameter.declared
    if isinstance(declared, Argument):
        return declared.metavar
    flags = ", ".join(declared.flags)
    return flags if parameter.is_flag else f"{flags} {declared.metavar}"


def help_sentences(parameter: Parameter, spec: VerbSpec) -> str:
    """The help of a parameter with its choices and its variable."""
    declared = parameter.declared
    text = declared.help
    choices = spec.formats if parameter.shared and parameter.name == "format" else declared.choices
    if choices and not all(choice in text for choice in choices):
        text = f"{text} One of: {', '.join(choices)}."
    if isinstance(declared, Option) and declared.variable:
        text = f"{text} [{declared.variable}]"
    return text.strip()


def filled(text: str, *, indent: int = 0, hanging: int = 0) -> list[str]:
    """The lines of a paragraph at the width of a page, never empty; those after the first stand further in."""
    margin, further = " " * indent, " " * (indent + hanging)
    return textwrap.wrap(text, WIDTH, initial_indent=margin, subsequent_indent=further, break_on_hyphens=False) or [""]


def _usage_piece(parameter: Parameter) -> str:
    piece = parameter.declared.metavar + ("…" if parameter.is_list else "")
    return piece if parameter.is_required else f"[{piece}]"


def _examples(module: ModuleType) -> str:
    """From ``EXAMPLES``: pairs of command line and what it does."""
    examples: Iterable[tuple[str, str]] = getattr(module, "EXAMPLES", ())
    lines = [f"  {line}\n      {what}" for line, what in examples]
    return "\n".join(["Examples:", *lines]) if lines else ""


def _block(title: str, parameters: Sequence[Parameter], spec: VerbSpec) -> str:
    if not parameters:
        return ""
    lines = [f"{title}:"]
    for parameter in parameters:
        lines.append(f"  {flags_text(parameter)}")
        lines += textwrap.wrap(
            help_sentences(parameter, spec), WIDTH - 6, initial_indent=" " * 6, subsequent_indent=" " * 6
        )
    return "\n".join(lines)


def _exit_codes(module: ModuleType) -> str:
    """From ``EXITS``: what the codes that matter mean here; 0 and 2 always."""
    meanings: dict[int, str] = {0: EXIT_MEANINGS[0], 2: EXIT_MEANINGS[2]} | dict(getattr(module, "EXITS", {}))
    lines = [
        line
        for code, meaning in sorted(meanings.items())
        for line in textwrap.wrap(f"{int(code)}  {meaning}", WIDTH, initial_indent="  ", subsequent_indent=" " * 6)
    ]
    return "\n".join(["Exit codes (all: segctl help exit-codes):", *lines])


def _see_also(module: ModuleType) -> str:
    return (
        textwrap.fill("See also: " + ", ".join(getattr(module, "SEE_ALSO", ())), WIDTH)
        if getattr(module, "SEE_ALSO", ())
        else ""
    )

"""What every completion script knows, from the table and the declarations.

Verbs, options and fixed choices are written into the script, so a TAB press on them starts no Python; names of a
project come from `segctl __complete`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from segctl.cli.helptext import verb_spec
from segctl.cli.options import Argument, Option, Parameter, VerbSpec
from segctl.cli.table import COMMANDS

MARK = "completion for segctl; written by `segctl completion show"
FLAG, TEXT = "flag", "text"


@dataclass(frozen=True, slots=True)
class Completed:
    """How one option or argument is completed.

    Attributes:
        flags: Of an option; empty for arguments.
        values: ``flag`` for no value, ``text`` for anything, ``=a b c`` for choices, else a kind of names.
        help: One line.
        is_list: The argument may be repeated.
    """

    flags: tuple[str, ...]
    values: str
    help: str
    is_list: bool = False


def completed(verb: str) -> tuple[list[Completed], list[Completed]]:
    """Options and arguments of a verb."""
    spec = verb_spec(verb)
    options = [_completed(p, spec) for p in spec.parameters if isinstance(p.declared, Option)]
    options.append(Completed(("-h", "--help"), FLAG, "Help on this verb"))
    arguments = [_completed(p, spec) for p in spec.own if isinstance(p.declared, Argument)]
    return options, arguments


def _completed(parameter: Parameter, spec: VerbSpec) -> Completed:
    declared = parameter.declared
    choices = spec.formats if parameter.shared and parameter.name == "format" else declared.choices
    values = FLAG if parameter.is_flag else f"={' '.join(choices)}" if choices else declared.complete or TEXT
    flags = declared.flags if isinstance(declared, Option) else ()
    first = declared.help.partition(". ")[0].partition(";")[0].removesuffix(".")
    return Completed(flags, values, first, parameter.is_list)


def cases(make: Callable[[str], str]) -> str:
    """One piece of text for each verb, one below the other."""
    return "\n".join(make(verb) for verb in COMMANDS)


def with_values(options: list[Completed]) -> list[Completed]:
    """The options that are followed by a value."""
    return [o for o in options if o.values != FLAG]


def quoted(text: str) -> str:
    """Text between single quotes of a shell."""
    return text.replace("'", "'\\''")

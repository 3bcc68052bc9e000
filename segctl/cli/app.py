"""From an argument list to one call of one verb: a lazy Typer group, shared options, near names for mistakes."""

from __future__ import annotations

import inspect
import os
import re
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from segctl.cli import helptext
from segctl.cli.context import Context, terminal_facts
from segctl.cli.deadline import parse_span, time_limit
from segctl.cli.options import Argument, Option, Parameter, VerbSpec
from segctl.cli.table import COMMANDS
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError

# Typer keeps its family of usage errors in a private module; this is their common parent.
_TyperUsageError: type[Exception] = typer.BadParameter.__mro__[1]


def dispatch(arguments: Sequence[str], now: datetime, calls: list[Context]) -> int:
    """Run the verb that the arguments name.

    Args:
        arguments: Without the program's name; the first one is the verb.
        now: The instant of the call, aware.
        calls: Gets the context of the call once it is known, so that errors can be told in its manner.

    Returns:
        The exit code.

    Raises:
        UsageError: The arguments make no sense.
    """
    # Nothing here multiplies matrices, and starting NumPy's threads for it costs 60 ms of each run.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if arguments[0].startswith("-"):
        raise unknown_verb(arguments[0])
    call = parse(arguments, now)
    calls.append(call.context)
    if call.own.get("show_personal"):
        _record_disclosure(call.context, arguments[1:])
    with time_limit(call.context.timeout_s):
        return int(call.function(call.context, **call.own) or 0)


@dataclass(frozen=True, slots=True)
class Call:
    """A verb ready to run.

    Attributes:
        function: The command.
        context: Its first argument.
        own: Its own parameters by name.
    """

    function: Callable[..., int | None]
    context: Context
    own: dict[str, object]


def parse(arguments: Sequence[str], now: datetime) -> Call:
    """Read the arguments, without running anything: Typer would turn some exceptions into codes of its own.

    Raises:
        UsageError: The arguments make no sense.
    """
    try:
        call = Verbs(now).main(list(arguments), prog_name="segctl", standalone_mode=False)
    except _TyperUsageError as error:
        raise _usage_error(error, arguments[0] if arguments else "") from error
    if not isinstance(call, Call):
        raise TypeError("Typer ended without a call")
    return call


class Verbs(TyperGroup):
    """The group of all verbs; only the chosen one is imported."""

    def __init__(self, now: datetime) -> None:
        super().__init__(name="segctl", add_help_option=False, rich_markup_mode=None)
        self.now = now

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002 - Typer's interface
        """The names of all verbs, in the order of help."""
        return list(COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | None:  # noqa: ARG002 - Typer's interface
        """The verb's command, None when there is none of that name."""
        return typer_command(cmd_name, self.now) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: object, args: list[str]) -> tuple[str, TyperCommand, list[str]]:
        """The verb's name, command and arguments.

        Raises:
            UsageError: There is no such verb; the hint names the nearest.
        """
        command = self.get_command(ctx, args[0])
        if command is None:
            raise unknown_verb(args[0])
        return args[0], command, args[1:]


def _record_disclosure(ctx: Context, words: Sequence[str]) -> None:
    from segctl.operations.disclosures import record_disclosure

    record_disclosure(ctx.project, ctx.verb, words, env=ctx.env, now=ctx.now)


def unknown_verb(name: str) -> UsageError:
    """The error for a verb that does not exist."""
    near = get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
    hint = f"did you mean `segctl {near[0]}`?" if near else "`segctl --help` lists all verbs"
    if name.startswith("-"):
        return UsageError(
            "SEG101", f"`{name}` stands before the verb", hint="options come after it: segctl VERB [options]"
        )
    return UsageError("SEG101", f"`{name}` is not a verb", hint=hint)


def typer_command(name: str, now: datetime) -> TyperCommand:
    """The Typer command of a verb, its shared options declared; invoking it gives a `Call`."""
    spec = COMMANDS[name].load()
    if not isinstance(spec, VerbSpec):
        raise TypeError(f"{COMMANDS[name].target} is not decorated by options.verb")

    def run(**values: object) -> Call:
        own = {p.name: _checked(p, values[p.name]) for p in spec.own}
        context = _context(name, now, spec, {p.name: _checked(p, values[p.name]) for p in spec.shared})
        return Call(spec.function, context, own)

    run.__signature__ = inspect.Signature([_typer_parameter(p) for p in spec.parameters])  # type: ignore[attr-defined]  # Typer reads it
    run.__annotations__ = {p.name: p.annotation for p in spec.parameters}
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name, cls=_VerbCommand, context_settings={"help_option_names": ["-h", "--help"]})(run)
    command = typer.main.get_command(app)
    assert isinstance(command, TyperCommand)
    return command


class _VerbCommand(TyperCommand):
    def get_help(self, ctx: object) -> str:  # noqa: ARG002 - Typer's interface
        return helptext.verb_page(self.name or "")


def _typer_parameter(parameter: Parameter) -> inspect.Parameter:
    declared = parameter.declared
    required = parameter.is_required
    default = ... if required else (list(parameter.default or ()) if parameter.is_list else parameter.default)
    if isinstance(declared, Argument):
        info = typer.Argument(default, metavar=declared.metavar)
    else:
        info = typer.Option(
            default, *declared.flags, metavar=declared.metavar if not parameter.is_flag else None,
            envvar=declared.variable, count=declared.count,
        )  # fmt: skip
    return inspect.Parameter(
        parameter.name, inspect.Parameter.KEYWORD_ONLY, default=info, annotation=parameter.annotation
    )


def _checked(parameter: Parameter, value: object) -> object:
    """The value, once it is known to be among the choices."""
    declared = parameter.declared
    values: Sequence[object] = value if isinstance(value, list | tuple) else [value]
    for one in values:
        if declared.choices and one is not None and one not in declared.choices:
            raise _not_a_choice(shown_name(parameter), str(one), declared.choices)
    return tuple(values) if parameter.is_list and value is not None else () if parameter.is_list else value


def _not_a_choice(name: str, value: str, choices: Sequence[str]) -> UsageError:
    near = get_close_matches(value, choices, n=1)
    listed = ", ".join(choices)
    hint = f"did you mean `{near[0]}`? It is one of {listed}" if near else f"it is one of {listed}"
    return UsageError("SEG103", f"`{value}` is no value of {name}", hint=hint)


def shown_name(parameter: Parameter) -> str:
    """How a parameter is called in messages."""
    declared = parameter.declared
    return f"`{declared.flags[-1]}`" if isinstance(declared, Option) else f"`{declared.metavar}`"


def _context(name: str, now: datetime, spec: VerbSpec, shared: dict[str, Any]) -> Context:
    output = shared.get("output")
    if output == "":
        raise UsageError("SEG103", "`--output` is empty", hint="name a file, or - for stdout")
    return Context(
        verb=name,
        now=now,
        started=time.monotonic(),
        project=_project_folder(shared.get("project")),
        env=shared.get("env") or None,
        select=shared.get("select", ()),
        exclude=shared.get("exclude", ()),
        state=shared.get("state") or None,
        allow_empty=shared.get("allow_empty", False),
        as_of=shared.get("as_of"),
        format=_format(spec, shared),
        output=None if output in (None, "-") else Path(output),
        asks=bool(output or shared.get("format") or shared.get("json")),
        verbosity=-1 if shared.get("quiet") else min(2, shared.get("verbose", 0)),
        log_file=Path(shared["log_file"]) if shared.get("log_file") else None,
        yes=shared.get("yes", False),
        dry_run=shared.get("dry_run", False),
        lock_wait_s=parse_span(shared.get("lock_wait"), "--lock-wait") or 0.0,
        timeout_s=parse_span(shared.get("timeout"), "--timeout"),
        terminal=terminal_facts(
            os.environ,
            plain=shared.get("plain", False),
            color=shared.get("color") or "auto",
            no_color=shared.get("no_color", False),
            no_progress=shared.get("no_progress", False),
            no_input=shared.get("no_input", False),
        ),
    )


def _project_folder(written: str | None) -> Path:
    folder = Path(written or ".")
    if written and not folder.is_dir():
        raise UsageError("SEG105", f"the project folder `{written}` does not exist", hint="check `--project`")
    return folder


def _format(spec: VerbSpec, shared: dict[str, Any]) -> str:
    chosen = "json" if shared.get("json") else shared.get("format") or spec.formats[0]
    if chosen not in spec.formats:
        raise _not_a_choice("`--format`", chosen, spec.formats)
    if chosen == "parquet" and shared.get("output") in (None, "-"):
        raise UsageError("SEG104", "`--format parquet` needs a file", hint="name one with `--output FILE`")
    return str(chosen)


def _usage_error(error: Exception, first: str) -> UsageError:
    """Typer's complaint in our words; `first` begins the call, since not every complaint knows its verb."""
    context = getattr(error, "ctx", None)
    name = context.info_name if context is not None else first
    see = f"`segctl help {name}` lists its options" if name in COMMANDS else "`segctl --help` lists all verbs"
    wrong = getattr(error, "option_name", None)
    if wrong is not None and hasattr(error, "possibilities"):
        return UsageError(
            "SEG102", f"`{wrong}` is not an option of `segctl {name}`", hint=_near_option(name, wrong) or see
        )
    if wrong is not None:
        return UsageError("SEG104", f"`{wrong}` needs a value", hint=see)
    parameter = getattr(error, "param", None)
    message = _in_our_words(_lowered(str(getattr(error, "message", ""))))
    if parameter is not None and not message:
        shown = parameter.metavar or parameter.name
        return UsageError("SEG104", f"`{shown}` is missing", hint=f"usage: {helptext.usage(name)}")
    if parameter is not None:
        shown = parameter.opts[-1] if parameter.param_type_name == "option" else parameter.metavar
        return UsageError("SEG103", f"`{shown}`: {message}", hint=see)
    return UsageError("SEG104", message, hint=f"usage: {helptext.usage(name)}" if name in COMMANDS else see)


def _near_option(verb: str, wrong: str) -> str | None:
    spec = COMMANDS[verb].load() if verb in COMMANDS else None
    if not isinstance(spec, VerbSpec):
        return None
    flags = [flag for p in spec.parameters if isinstance(p.declared, Option) for flag in p.declared.flags]
    near = get_close_matches(wrong, flags, n=1)
    return f"did you mean `{near[0]}`?" if near else None


_NOT_A = re.compile(r"'(.*)' is not a valid (int|float)(?:eger)?", re.DOTALL)
_NUMBERS = {"int": "whole number", "float": "number"}


def _in_our_words(message: str) -> str:
    found = _NOT_A.fullmatch(message)
    return f"`{found[1]}` is no {_NUMBERS[found[2]]}" if found else message


def _lowered(message: str) -> str:
    text = message.rstrip(".")
    return text[:1].lower() + text[1:]

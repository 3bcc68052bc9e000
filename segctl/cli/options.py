"""Options and arguments, declared once: for parsing, for help, for completion and for documentation.

A command says what it wants with `Annotated`; the options every verb shares are added by `verb`::

    @verb(without=SELECTION)
    def command(
        ctx: Context,
        segment: Annotated[str, Argument("SEGMENT", help="Name of a segment.", complete="segments")],
        columns: Annotated[str | None, Option("--columns", metavar="NAMES", help="…")] = None,
    ) -> ExitCode | None:
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable
from typing import Annotated, Any, get_args, get_origin

from segctl.model.dataclass import dataclass

FORMATS = ("table", "json", "ndjson", "csv", "ids", "parquet")
FINDING_FORMATS = ("table", "concise", "github", "gitlab", "sarif", "junit", "json", "ndjson", "csv")


@dataclass(frozen=True, slots=True)
class Argument:
    """A positional argument.

    Attributes:
        metavar: As shown in usage, such as ``SEGMENT``.
        help: One or two sentences.
        complete: Kind of names that TAB offers, such as ``segments``.
        choices: The only values allowed.
    """

    metavar: str
    help: str = ""
    complete: str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, init=False, slots=True)
class Option:
    """An option; a boolean one is a flag, a list one may be repeated.

    Attributes:
        flags: Such as ``("-e", "--env")``.
        help: One or two sentences.
        metavar: As shown in help, such as ``NAME``.
        complete: Kind of names that TAB offers; ``files`` and ``folders`` are the shell's own.
        choices: The only values allowed.
        variable: Environment variable that stands in for the option.
        count: The option is counted (``-vv``).
    """

    flags: tuple[str, ...]
    help: str
    metavar: str
    complete: str | None
    choices: tuple[str, ...]
    variable: str | None
    count: bool

    def __init__(
        self,
        *flags: str,
        help: str = "",  # noqa: A002 - the word authors of commands expect
        metavar: str = "TEXT",
        complete: str | None = None,
        choices: Iterable[str] = (),
        variable: str | None = None,
        count: bool = False,
    ) -> None:
        values = (flags, help, metavar, complete, tuple(choices), variable, count)
        for name, value in zip(self.__slots__, values, strict=True):
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a verb, ready to be parsed.

    Attributes:
        name: Python name.
        annotation: Type to convert to.
        default: Value when absent; `inspect.Parameter.empty` when required.
        declared: How it looks on the command line.
        shared: Declared once for all verbs.
    """

    name: str
    annotation: Any
    default: Any
    declared: Argument | Option
    shared: bool = False

    @property
    def is_flag(self) -> bool:
        """True for options without a value."""
        return self.annotation is bool or (isinstance(self.declared, Option) and self.declared.count)

    @property
    def is_list(self) -> bool:
        """True when it takes several values."""
        return get_origin(self.annotation) is list

    @property
    def is_required(self) -> bool:
        """True when there is no default."""
        return self.default is inspect.Parameter.empty


@dataclass(frozen=True, slots=True)
class VerbSpec:
    """What `verb` remembers about a function.

    Attributes:
        function: The command, called with the context and its own parameters by name.
        own: Its own parameters, in order.
        shared: The shared options it takes, in order.
        formats: Output formats it can write, the default first.
    """

    function: Callable[..., int | None]
    own: tuple[Parameter, ...]
    shared: tuple[Parameter, ...]
    formats: tuple[str, ...]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """All of them, own first."""
        return self.own + self.shared


def _shared(name: str, annotation: object, default: object, option: Option) -> tuple[str, Parameter]:
    return name, Parameter(name, annotation, default, option, shared=True)


SHARED: dict[str, Parameter] = dict(
    (
        _shared("project", str | None, None, Option(
            "-C", "--project", metavar="DIR", complete="folders", variable="SEGCTL_PROJECT",
            help="Folder of the project; otherwise searched upwards for segctl.yaml.")),
        _shared("env", str | None, None, Option(
            "-e", "--env", metavar="NAME", complete="environments", variable="SEGCTL_ENV",
            help="Environment block of segctl.yaml; otherwise dev.")),
        _shared("select", list[str], (), Option(
            "-s", "--select", metavar="EXPR", complete="selections", variable="SEGCTL_SELECT",
            help="Only these: names, globs, tag:, state:; see `segctl help select`. Repeatable.")),
        _shared("exclude", list[str], (), Option(
            "--exclude", metavar="EXPR", complete="selections", variable="SEGCTL_EXCLUDE",
            help="Take these away from the selection, applied last. Repeatable.")),
        _shared("state", str | None, None, Option(
            "--state", metavar="RUN|REV|FILE", complete="runs", variable="SEGCTL_STATE",
            help="What state: compares with: a run, a Git revision or a plan; otherwise the last run.")),
        _shared("allow_empty", bool, False, Option(
            "--allow-empty", variable="SEGCTL_ALLOW_EMPTY",
            help="Patterns and properties that select nothing are no mistake.")),
        _shared("as_of", str | None, None, Option(
            "--as-of", metavar="TIME", variable="SEGCTL_AS_OF",
            help="The instant the answer speaks about; otherwise now. A date is its end.")),
        _shared("format", str | None, None, Option(
            "-f", "--format", metavar="FORMAT", variable="SEGCTL_FORMAT", help="How data is written.")),
        _shared("json", bool, False, Option("--json", variable="SEGCTL_JSON", help="The same as --format json.")),
        _shared("output", str | None, None, Option(
            "-o", "--output", metavar="FILE", complete="files", variable="SEGCTL_OUTPUT",
            help="Write data to this file, complete or not at all; - is stdout.")),
        _shared("yes", bool, False, Option(
            "-y", "--yes", variable="SEGCTL_YES", help="Answer the one question with yes; guards still hold.")),
        _shared("dry_run", bool, False, Option(
            "-n", "--dry-run", variable="SEGCTL_DRY_RUN", help="Do everything but the effect.")),
        _shared("lock_wait", str | None, None, Option(
            "--lock-wait", metavar="DURATION", variable="SEGCTL_LOCK_WAIT",
            help="Wait so long for a lock, such as 30s or 5m; otherwise not at all.")),
        _shared("timeout", str | None, None, Option(
            "--timeout", metavar="DURATION", variable="SEGCTL_TIMEOUT", help="End cleanly after this time, with 75.")),
        _shared("quiet", bool, False, Option(
            "-q", "--quiet", variable="SEGCTL_QUIET", help="Errors only, and data that was asked for.")),
        _shared("verbose", int, 0, Option(
            "-v", "--verbose", variable="SEGCTL_VERBOSE", count=True,
            help="Messages: what was read, decided and timed; twice for more.")),
        _shared("log_file", str | None, None, Option(
            "--log-file", metavar="FILE", complete="files", variable="SEGCTL_LOG_FILE",
            help="Append every message to this file, one JSON object a line.")),
        _shared("plain", bool, False, Option(
            "--plain", variable="SEGCTL_PLAIN", help="No escape codes, boxes or moving lines.")),
        _shared("color", str | None, None, Option(
            "--color", metavar="WHEN", choices=("auto", "always", "never"), variable="SEGCTL_COLOR",
            help="Use colour: auto, always or never. NO_COLOR and FORCE_COLOR count too.")),
        _shared("no_color", bool, False, Option("--no-color", variable="SEGCTL_NO_COLOR", help="Use no colour.")),
        _shared("no_progress", bool, False, Option(
            "--no-progress", variable="SEGCTL_NO_PROGRESS", help="Draw no progress.")),
        _shared("no_input", bool, False, Option("--no-input", variable="SEGCTL_NO_INPUT", help="Never ask.")),
    )
)  # fmt: skip
"""Every shared option, in the order of help."""

Language = Annotated[
    str | None,
    Option("--language", metavar="LANG", help="Of conditions in words; otherwise the project's.", choices=("de", "en")),
]
"""The annotation of an own parameter that several verbs have; likewise the next."""
Allow = Annotated[
    list[str],
    Option("--allow", metavar="GUARD=LIMIT", help="Set a guard this once: removed=30%, NAME.min_size=10. Repeatable."),
]
Reason = Annotated[str | None, Option("--reason", metavar="TEXT", help="Why --allow is right; recorded with the run.")]

SELECTION = ("select", "exclude", "state", "allow_empty")
TIME = ("as_of",)
OUTPUT = ("format", "json", "output")
CHANGES = ("yes", "dry_run", "lock_wait")
PROJECT = ("project", "env")


def verb(
    *, without: Collection[str] = (), formats: Iterable[str] = FORMATS
) -> Callable[[Callable[..., int | None]], VerbSpec]:
    """Turn a thin function into a verb of the command line.

    Args:
        without: Names of shared options that make no sense here; the constants `SELECTION`, `TIME`, `OUTPUT`,
            `CHANGES` and `PROJECT` name the usual groups.
        formats: Output formats the verb can write, the default first.

    Raises:
        ValueError: `without` names an option that does not exist.
    """
    unknown = set(without) - set(SHARED)
    if unknown:
        raise ValueError(f"no such shared options: {sorted(unknown)}")

    def declare(function: Callable[..., int | None]) -> VerbSpec:
        shared = tuple(p for p in SHARED.values() if p.name not in without)
        return VerbSpec(function, tuple(_own_parameters(function)), shared, tuple(formats))

    return declare


def _own_parameters(function: Callable[..., Any]) -> Iterable[Parameter]:
    signature = inspect.signature(function, eval_str=True)
    for parameter in list(signature.parameters.values())[1:]:
        if get_origin(parameter.annotation) is not Annotated:
            raise TypeError(
                f"{function.__module__}: parameter `{parameter.name}` needs Annotated[…, Option or Argument]"
            )
        annotation, declared = get_args(parameter.annotation)[:2]
        yield Parameter(parameter.name, annotation, parameter.default, declared)

"""Pages of help on kinds of destinations, made from what each kind says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.cli import helptext

if TYPE_CHECKING:
    from segctl.connectors.destinations import Kind
    from segctl.connectors.destinations.base import Abilities
    from segctl.model.destinations import Option

PREFIX = "destination-"
_TYPES = {"boolean": "true or false", "integer": "whole number", "url": "address"}
"""Words for types of options that are not words themselves."""
_REMOVAL = {
    "leave": "taken out of the audience, and nothing else",
    "flag": "marked as gone",
    "none": "cannot be taken out",
}
_WIDTH = 80


def names() -> tuple[str, ...]:
    """Names of the pages."""
    from segctl.connectors.destinations import kinds

    return tuple(f"{PREFIX}{name}" for name in kinds())


def listed() -> str:
    """One line for each kind, in order of name."""
    from segctl.connectors.destinations import kind, kinds

    found = sorted(kinds())
    longest = max(map(len, found)) + 2
    lines = []
    for name in found:
        first = _about(kind(name))[0].rstrip(".")
        lines += _hanging(f"  {name:<{longest}}", first.partition(": ")[2] if ": " in first[:30] else first)
    return "\n".join(lines) + "\n"


def page(name: str) -> str | None:
    """The page of a kind, None when there is none of that name."""
    from segctl.connectors.destinations import kind

    of = name.removeprefix(PREFIX)
    try:
        module = kind(of)
    except LookupError:
        return None
    about = [line for paragraph in _about(module) for line in (*helptext.filled(paragraph), "")]
    needed = [option for option in module.OPTIONS if option.required]
    example = [f"  destination: my_{of}", f"  kind: {of}", "  purposes: [newsletter]"]
    example += [f"  {option.name}: {_value(option, of)}" for option in needed]
    lines = [f"Destinations of the kind {of}", "", *about, *example, "", "Settings:", ""]
    longest = max((len(option.name) for option in module.OPTIONS), default=0) + 2
    for option in module.OPTIONS:
        lines += _hanging(f"  {option.name:<{longest}}", _words(option))
    return "\n".join([*lines, "", "What it can do:", "", *_abilities(module.ABILITIES), "", *_MORE, ""])


_MORE = helptext.filled(
    "Keys that every kind has, such as purposes, identify, fields, audiences and guards: `segctl help destinations`. "
    "A secret is given by reference: {env: NAME}, {file: path} or {command: [program, …]}."
)


def _about(module: Kind) -> list[str]:
    """The paragraphs of what a kind says of itself."""
    return [" ".join(paragraph.split()) for paragraph in (module.__doc__ or "").replace("``", "`").split("\n\n")]


def _words(option: Option) -> str:
    form = " or ".join(option.choices) if option.choices else _TYPES.get(option.type, option.type)
    extra = ", needed" if option.required else ""
    if option.default not in (None, ""):
        default = str(option.default).lower() if isinstance(option.default, bool) else option.default
        extra = f", otherwise {default}"
    return f"{option.help} ({form}{extra})"


def _value(option: Option, of: str) -> str:
    if option.type == "secret":
        return f"{{env: {of.upper()}_{option.name.upper()}}}"
    return option.choices[0] if option.choices else "https://…" if option.type == "url" else "…"


def _abilities(able: Abilities) -> list[str]:
    rows = [
        ("people are known by", ", ".join(able.identifiers)),
        ("reached by", able.channel),
        ("modes", ", ".join(able.modes)),
        ("who leaves is", _REMOVAL[able.removal]),
        ("people in a call", f"{able.batch_rows:,}"),
        ("can be read back", "yes" if able.reads_back else "no"),
    ]
    if able.minimum is not None:
        rows.append(("smallest audience", f"{able.minimum:,}"))
    longest = max(len(name) for name, _ in rows) + 2
    return [line for name, text in rows for line in _hanging(f"  {name:<{longest}}", text)]


def _hanging(head: str, text: str) -> list[str]:
    """A text beside its head, its further lines below its first."""
    from textwrap import wrap

    return wrap(f"{head}{text}", _WIDTH, subsequent_indent=" " * len(head), break_long_words=False,
                drop_whitespace=True) or [head]  # fmt: skip

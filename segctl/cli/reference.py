"""The whole surface as data and as Markdown, from the same declarations that parse the command line."""

from __future__ import annotations

import json
from typing import Any

from segctl.cli import helptext
from segctl.cli.options import Argument, Parameter, VerbSpec
from segctl.cli.table import COMMANDS, GROUPS
from segctl.model import catalogue
from segctl.model.exits import ExitCode


def surface() -> dict[str, Any]:
    """Verbs with arguments and options, exit codes and error codes."""
    from segctl import __version__

    return {
        "schema": "segctl/surface/1",
        "version": __version__,
        "verbs": [_verb(name) for name in COMMANDS],
        "exit_codes": [
            {"code": int(code), "name": code.name.lower(), "meaning": helptext.EXIT_MEANINGS[code]} for code in ExitCode
        ],
        "codes": [{"code": code, "title": entry.title} for code, entry in catalogue.entries().items()],
    }


def as_json() -> str:
    """The surface as one JSON document."""
    return json.dumps(surface(), ensure_ascii=False, indent=2) + "\n"


def markdown() -> str:
    """The reference of all verbs, the exit codes and the error codes."""
    parts = ["# segctl: reference\n"]
    for group, title in GROUPS.items():
        parts.append(f"## {title}\n")
        parts += [_verb_markdown(name) for name, command in COMMANDS.items() if command.group == group]
    parts.append("## Exit codes\n\n| code | name | meaning |\n|---|---|---|")
    parts += [f"| {int(c)} | {c.name.lower()} | {helptext.EXIT_MEANINGS[c]} |" for c in ExitCode]
    parts.append("\n## Error codes\n")
    parts += [f"- **{code}** {e.title}. {e.cause} {e.remedy}" for code, e in catalogue.entries().items()]
    return "\n".join(parts) + "\n"


def _verb_markdown(name: str) -> str:
    return f"### segctl {name}\n\n```text\n{helptext.verb_page(name).rstrip()}\n```\n"


def _verb(name: str) -> dict[str, Any]:
    command, spec = COMMANDS[name], helptext.verb_spec(name)
    return {
        "name": name,
        "group": command.group,
        "summary": command.summary,
        "usage": helptext.usage(name),
        "purpose": helptext.purpose(spec),
        "examples": [{"command": line, "what": what} for line, what in getattr(command.module, "EXAMPLES", ())],
        "formats": list(spec.formats),
        "parameters": [_parameter(p, spec) for p in spec.parameters],
    }


def _parameter(parameter: Parameter, spec: VerbSpec) -> dict[str, Any]:
    declared = parameter.declared
    is_format = parameter.shared and parameter.name == "format"
    common = {
        "name": parameter.name,
        "metavar": None if parameter.is_flag else declared.metavar,
        "help": declared.help,
        "required": parameter.is_required,
        "repeatable": parameter.is_list,
        "choices": list(spec.formats if is_format else declared.choices),
        "completes": declared.complete,
    }
    if isinstance(declared, Argument):
        return {"kind": "argument", **common}
    return {
        "kind": "flag" if parameter.is_flag else "option",
        "flags": list(declared.flags),
        "variable": declared.variable,
        "shared": parameter.shared,
        **common,
    }

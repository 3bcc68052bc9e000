"""The answers that need no parser: no arguments, `--help`, `VERB --help`, and `--version --json`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from segctl.cli import streams
from segctl.model.exits import ExitCode


def root(arguments: Sequence[str]) -> ExitCode | None:
    """Answer what asks for a page; None when a verb is to be run."""
    if not arguments:
        from segctl.cli import helptext

        streams.write_message(helptext.root_page())
        return ExitCode.USAGE
    if arguments[0] in ("-h", "--help"):
        from segctl.cli import helptext

        streams.write_data(helptext.root_page().encode())
        return ExitCode.OK
    if _asks_for_help(arguments):
        from segctl.cli import helptext

        streams.write_data(helptext.verb_page(arguments[0]).encode())
        return ExitCode.OK
    if arguments[0] in ("-V", "--version"):
        streams.write_data(_versions().encode())
        return ExitCode.OK
    return None


def _asks_for_help(arguments: Sequence[str]) -> bool:
    """True for ``VERB … --help``; answered without the parser, which costs most of the start-up."""
    from segctl.cli.table import COMMANDS

    options = arguments[1 : arguments.index("--") if "--" in arguments else None]
    return arguments[0] in COMMANDS and not {"-h", "--help"}.isdisjoint(options)


def _versions() -> str:
    """Versions of segctl, Python and the engines as one JSON document."""
    import json
    from importlib.metadata import PackageNotFoundError, version

    from segctl import __version__

    found: dict[str, str | None] = {"segctl": __version__, "python": sys.version.split()[0]}
    for name in ("polars", "narwhals", "duckdb", "numpy", "typer", "rich"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return json.dumps({"schema": "segctl/version/1", "data": found}) + "\n"

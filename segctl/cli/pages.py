"""The answers that need no verb: no arguments, `--help`, and `--version --json`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from segctl.cli import streams
from segctl.model.exits import ExitCode


def root(arguments: Sequence[str]) -> ExitCode | None:
    """Answer `segctl`, `segctl --help` and `segctl --version --json`; None when a verb is called."""
    if not arguments:
        from segctl.cli import helptext

        streams.write_message(helptext.root_page())
        return ExitCode.USAGE
    if arguments[0] in ("-h", "--help"):
        from segctl.cli import helptext

        streams.write_data(helptext.root_page().encode())
        return ExitCode.OK
    if arguments[0] in ("-V", "--version"):
        streams.write_data(_versions().encode())
        return ExitCode.OK
    return None


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

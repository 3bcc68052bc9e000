"""`segctl test --generate`: boundary cases of one segment as a file to review."""

from __future__ import annotations

import os
from pathlib import Path

from segctl.cli import messages, output
from segctl.cli.cells import counted
from segctl.cli.context import Context
from segctl.model.errors import LocalIOError, Refused, UsageError


def propose(ctx: Context, name: str) -> None:
    """Write the proposal to stdout or to a new file.

    Raises:
        UsageError: No such segment, or nothing can be proposed.
        Refused: The file exists already.
    """
    from segctl.operations.lists import ProjectLists
    from segctl.operations.session import bound_definitions
    from segctl.operations.testing.generate import propose_cases
    from segctl.operations.testing.proposals import file_text
    from segctl.operations.things import unknown_thing

    if ctx.format != "table":
        raise UsageError("SEG537", "`--generate` writes YAML", hint="leave `--format` out")
    if ctx.output is not None and ctx.output.exists():
        raise _exists(ctx.output)
    definitions, warnings = bound_definitions(ctx.project, env=ctx.env)
    messages.diagnostics(ctx, warnings)
    if name not in definitions.segments:
        raise unknown_thing("segment", name, list(definitions.segments))
    lists = ProjectLists(Path(definitions.project.root))
    proposals = propose_cases(name, definitions, lists)
    text = file_text(proposals, definitions.segments[name], definitions)
    if ctx.output is None:
        output.write_text(ctx, text)
        return
    _create(ctx.output, text)
    messages.notice(ctx, f"wrote {ctx.output}: {counted(len(proposals), 'cases')} to review")
    messages.notice(ctx, f"next: segctl test {name}")


def _exists(path: Path) -> Refused:
    return Refused("SEG538", f"`{path}` exists already; nothing was written", hint="name another file")


def _create(path: Path, text: str) -> None:
    """Exclusive creation: a file that appeared since the check is not overwritten either."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError as error:
        raise LocalIOError("SEG413", f"`{path}` cannot be written: {error.strerror or error}") from error
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)

"""`segctl test --watch`: run again whenever a file of the project changes, until Ctrl-C."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from segctl.cli import messages
from segctl.cli.context import Context
from segctl.model.errors import SegctlError
from segctl.model.exits import ExitCode

EVERY_S = 0.5
FOLDERS = ("segments", "traits", "tests", "lists")


def watch_project(ctx: Context, run: Callable[[Context], ExitCode | None]) -> ExitCode | None:
    """Run, wait for a change, run again; Ctrl-C ends it as any call.

    Args:
        ctx: The call.
        run: One run; its errors are told and the watch goes on.
    """
    while True:
        began = time.monotonic()
        seen = _stamps(ctx.root)
        try:
            run(replace(ctx, started=began))
        except SegctlError as problem:
            messages.error(ctx, problem)
        messages.notice(ctx, "waiting for a change; Ctrl-C ends")
        while _stamps(ctx.root) == seen:
            time.sleep(EVERY_S)


def _stamps(root: Path) -> dict[str, tuple[int, int]]:
    """Time stamp in ns and size of every file that a test can depend on."""
    found = {}
    for path in [root / "segctl.yaml", *(p for folder in FOLDERS for p in (root / folder).rglob("*"))]:
        try:
            about = os.stat(path)
        except OSError:
            continue  # it went away between the listing and the look: the next look tells
        found[str(path)] = (about.st_mtime_ns, about.st_size)
    return found

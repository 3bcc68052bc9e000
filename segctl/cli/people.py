"""The person a command is asked about: an identifier given as an argument or on standard input."""

from __future__ import annotations

import os

from segctl.cli import streams
from segctl.cli.context import Context
from segctl.model.errors import UsageError

_LONGEST = 4_096


def asked(ctx: Context, who: str) -> str:
    """The identifier; ``-`` reads the first line of standard input, since a shell history is personal data.

    Raises:
        UsageError: Nothing stands on standard input, or it is a terminal nobody would type into.
    """
    if who != "-":
        return who
    if streams.is_terminal(streams.STDIN):
        raise UsageError("SEG115", "`-` reads an identifier from standard input, which is a terminal here",
                         hint=f"`echo ID | segctl {ctx.verb} … -`")  # fmt: skip
    line = os.read(streams.STDIN, _LONGEST).decode("utf-8", "replace").splitlines()
    if not line or not line[0].strip():
        raise UsageError("SEG115", "standard input holds no identifier", hint=f"`echo ID | segctl {ctx.verb} … -`")
    return line[0].strip()

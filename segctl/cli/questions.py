"""The one place that asks a person."""

from __future__ import annotations

from segctl.cli import streams
from segctl.cli.context import Context
from segctl.model.errors import Refused


def confirm(ctx: Context, question: str) -> None:
    """Ask a yes-or-no question; `--yes` answers it; there is no default of yes.

    Raises:
        Refused: The answer is no, or nobody can be asked.
    """
    if ctx.yes:
        return
    if not ctx.terminal.interactive:
        raise Refused("SEG108", f"nobody can be asked: {question}", hint="answer it with `--yes`")
    streams.write_message(f"{question} [y/N] ")
    if streams.read_line().strip().lower() not in ("y", "yes", "j", "ja"):
        raise Refused("SEG109", "the answer was no; nothing was changed")


def tell(text: str) -> None:
    """Show what a question is about."""
    streams.write_message(f"{text}\n")


def key(question: str, allowed: str) -> str:
    """One key out of `allowed`; anything else asks again, and the end of input is the key `q`."""
    streams.write_message(question)
    while True:
        pressed = streams.read_key().lower()
        if not pressed:
            streams.write_message("\n")
            return "q"
        if pressed in allowed:
            streams.write_message(f"{pressed}\n")
            return pressed


def typed(question: str, name: str) -> None:
    """Ask for a name to be typed, for what can hardly be taken back.

    Raises:
        Refused: Something else was typed.
    """
    streams.write_message(question)
    if streams.read_line().strip() != name:
        raise Refused("SEG109", "the answer was no; nothing was changed")

"""Checks of a report on an experiment, one line each; those in order share a line, only the others are explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.cli.report_document import Grid, Look, Mark, Marks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segctl.cli.report_document import Block
    from segctl.cli.report_speech import Speech
    from segctl.operations.ab_parts import Check

_LOOKS: dict[str, Look] = {"ok": "good", "note": "none", "warn": "warn", "fail": "bad"}
_ORDER = ("fail", "warn", "note")
_SHARES = ("share", "rate", "contaminated")


def blocks(speech: Speech, checks: Sequence[Check]) -> tuple[Block, ...]:
    """The list of checks, and the details of those that have some."""
    told = [one for level in _ORDER for one in checks if one.level == level]
    marks = [
        Mark(_LOOKS[one.level], speech.words[f"level.{one.level}"], name_of(speech, one), found(speech, one))
        for one in told
    ]
    fine = [name_of(speech, one) for one in checks if one.level == "ok"]
    if fine:
        marks.append(Mark("good", speech.words["level.ok"], speech.n.listed(fine), ""))
    words = speech.words
    heads = (words["state"], words["check"], words["found"])
    rows = [_details(speech, one) for one in told if one.rows]
    return (Marks(words["checks"], heads, tuple(marks)), *rows) if marks else ()


def name_of(speech: Speech, check: Check) -> str:
    """What was checked."""
    return speech.words.get(f"check.{check.name}", check.name.replace("_", " "))


def found(speech: Speech, check: Check) -> str:
    """What was found: a sentence for codes that have one, else the figures by name."""
    text = speech.checks.get(f"{check.name}.{check.reason}")
    figures = {key: figure(speech, key, value) for key, value in check.figures.items()}
    if text is not None:
        try:
            return text.format(**figures)
        except KeyError:
            pass  # A figure that the sentence needs was not reckoned.
    listed = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in figures.items())
    reason = (check.reason or "").replace("_", " ")
    return f"{reason} ({listed})" if reason and listed else reason or listed


def figure(speech: Speech, key: str, value: object) -> str:
    """A figure of a check in words; its name says what it is."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        if key == "p" or key.startswith("p_") or key.endswith("_p"):
            return speech.n.p(float(value))
        if key in ("mde", "effect", "margin") or any(word in key for word in _SHARES):
            return speech.n.share(float(value))
    return speech.n.plain(value)


def _details(speech: Speech, check: Check) -> Grid:
    first: Mapping[str, object] = check.rows[0]
    heads = tuple(speech.words.get(key, key.replace("_", " ")) for key in first)
    rows = tuple(tuple(figure(speech, key, row.get(key)) for key in first) for row in check.rows)
    numbers = tuple(
        at
        for at, key in enumerate(first)
        if at and isinstance(first[key], int | float) and not isinstance(first[key], bool)
    )
    return Grid(name_of(speech, check), heads, rows, numbers)

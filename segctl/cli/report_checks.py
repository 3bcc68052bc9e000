"""Checks of a report on an experiment, one line each; those in order share a line, only the others are explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.cli.report_document import Grid, Look, Mark, Marks
from segctl.cli.report_inputs import called

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segctl.cli.report_document import Block
    from segctl.cli.report_speech import Speech
    from segctl.operations.ab.parts import Check

_LOOKS: dict[str, Look] = {"ok": "good", "note": "none", "warn": "warn", "fail": "bad"}
_ORDER = ("fail", "warn", "note")
_NOT_PEOPLE = frozenset({"arms", "epochs", "experiments", "looks", "primary", "tests", "unplanned", "weeks"})
_WITHOUT_PEOPLE = frozenset({"peeking", "plan_kept", "multiplicity"})
"""Checks that tell nothing that is reckoned from the people of an arm."""
_SHARES = ("mde", "declared", "planned", "share", "treated_share", "of_sum", "of_variance")


def blocks(speech: Speech, checks: Sequence[Check]) -> tuple[Block, ...]:
    """The list of checks, and the details of those that have some."""
    told = [one for level in _ORDER for one in checks if one.level == level]
    marks = [
        Mark(_LOOKS[one.level], speech.words[f"level.{one.level}"], name_of(speech, one), found(speech, one))
        for one in told
    ]
    fine = [name_of(speech, one) for one in checks if one.level == "ok"]
    if fine:
        name = speech.words["check_rest" if told else "check_all"]
        marks.append(Mark("good", speech.words["level.ok"], name, speech.n.listed(fine)))
    words = speech.words
    heads = (words["state"], words["check"], words["found"])
    rows = [_details(speech, one) for one in told if one.rows and one.level != "note" and not hides(speech, one)]
    return (Marks(words["checks"], heads, tuple(marks)), *rows) if marks else ()


def name_of(speech: Speech, check: Check) -> str:
    """What was checked."""
    return speech.words.get(f"check.{check.name}", check.name.replace("_", " "))


def found(speech: Speech, check: Check) -> str:
    """What was found: a sentence for codes that have one, else the figures by name."""
    if check.level != "ok" and hides(speech, check):
        return speech.words["hidden_check"]
    text = speech.checks.get(f"{check.name}.{check.reason}")
    figures = {key: figure(speech, key, value) for key, value in check.figures.items()}
    if text is not None:
        try:
            return text.format(people=speech.words["people"], **figures)
        except KeyError:
            pass  # A figure that the sentence needs was not reckoned.
    listed = ", ".join(f"{called(key, speech.language).replace('_', ' ')} {value}" for key, value in figures.items())
    reason = (check.reason or "").replace("_", " ")
    return f"{reason} ({listed})" if reason and listed else reason or listed


def hides(speech: Speech, check: Check) -> bool:
    """Whether one of its counts, or what two of them leave, is of so few people that none of its figures is told."""
    if not speech.least or check.name in _WITHOUT_PEOPLE:
        return False
    if getattr(speech, "hides_totals", False):
        return True
    if any("largest" in row for row in check.rows):
        return True  # What a single unit has.
    counts = [_people(one) for one in (check.figures, *check.rows)]
    whole = {"controls": ("reached",), "units": ("analysed",), "assigned": ("analysed",)}
    rests = [one[of] - one[part] for one in counts for of, parts in whole.items() for part in parts
             if of in one and part in one]  # fmt: skip
    return speech.is_small(*(value for one in counts for value in one.values()), *rests)


def _people(figures: Mapping[str, object]) -> dict[str, int]:
    return {
        key: value
        for key, value in figures.items()
        if isinstance(value, int) and not isinstance(value, bool) and key not in _NOT_PEOPLE
    }


def figure(speech: Speech, key: str, value: object) -> str:
    """A figure of a check in words; its name says what it is."""
    if isinstance(value, str):
        return speech.flag(value) if key == "flag" else speech.name(key, value)
    if isinstance(value, float | int) and not isinstance(value, bool):
        if key == "p" or key.startswith("p_") or key.endswith("_p"):
            return speech.n.p(float(value))
        if key in _SHARES:
            return speech.n.share(float(value))
        if key in ("expected", "excess"):
            return speech.n.count(value)
        if key == "rests_on":
            return speech.n.decimal(float(value), 1 if value < 10 and value != int(value) else 0)
        if isinstance(value, int) and key not in _NOT_PEOPLE:
            return speech.count(value)
    return speech.n.plain(value)


def _details(speech: Speech, check: Check) -> Grid:
    keys = tuple(dict.fromkeys(key for row in check.rows for key in row))
    rows = tuple(tuple(figure(speech, key, row.get(key)) for key in keys) for row in check.rows)
    numbers = tuple(at for at, key in enumerate(keys) if at and any(_is_number(row.get(key)) for row in check.rows))
    heads = tuple(speech.heads.get(key, key.replace("_", " ")) for key in keys)
    return Grid(name_of(speech, check), heads, rows, numbers)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

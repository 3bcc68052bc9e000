"""Sequences by one exact method for all engines: from the last step back to the first.

Whether an event can be a step depends only on what comes after it, so going backwards each event of a step is
asked once: do its `then_not` hold, and is there a later event that can be the next positive step? The nearest
such event serves whenever any does.
"""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw

from segctl.compile import ir
from segctl.compile.windows import Span
from segctl.engines.frames import Frame
from segctl.engines.localtime import later_us
from segctl.engines.neighbours import NEVER, with_next, with_places, with_previous
from segctl.engines.rows import Prepared, Reading, Selection, prepare, same_columns
from segctl.engines.scope import Scope
from segctl.model.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class PositiveStep:
    """A step that needs an event, with the `then_not` steps that follow it.

    Attributes:
        number: Position among all steps, from 0.
        denied: The `then_not` steps up to the next positive step, with their positions.
    """

    number: int
    step: ir.Step
    denied: tuple[tuple[int, ir.Step], ...]


def positive_steps(sequence: ir.Sequence) -> list[PositiveStep]:
    """The positive steps in order."""
    found: list[PositiveStep] = []
    for number, step in enumerate(sequence.steps):
        if not step.negative:
            found.append(PositiveStep(number, step, ()))
        else:
            last = found[-1]
            found[-1] = PositiveStep(last.number, last.step, (*last.denied, (number, step)))
    return found


def sequence_subjects(reading: Reading, sequence: ir.Sequence) -> Frame:
    """The subjects for whom the sequence has a match, once each."""
    rows = sequence_rows(reading, sequence)
    keys = ["subject", *same_columns(sequence.same)]
    frame = _with_start(with_places(rows.frame), sequence)
    steps = positive_steps(sequence)
    following: PositiveStep | None = None
    for step in reversed(steps):
        frame = _with_answer(frame, step, following, keys, rows.scope)
        following = step
    return frame.filter(nw.col(_can_be(steps[0]))).select("subject").unique()


def sequence_rows(reading: Reading, sequence: ir.Sequence) -> Prepared:
    """All events that fit any step, with a mark ``step:I`` for each step they fit."""
    first = Selection.of(sequence.steps[0]).span(reading.scope)
    kinds = tuple(sorted({kind for step in sequence.steps for kind in step.kinds}))
    # Nothing before the first step's window can take part.
    spans = [first, Span(first.lo, None)] if not first.is_empty else [first]
    rows = prepare(reading, kinds, sequence.steps, spans, same=sequence.same, order=True, kind=True)
    tied_by = same_columns(sequence.same)
    names = [_fits(number) for number in range(len(sequence.steps))]
    marks = [_fit(number, step, rows, tied_by).alias(names[number]) for number, step in enumerate(sequence.steps)]
    frame = rows.frame.with_columns(*marks)
    some = nw.any_horizontal(*[nw.col(name) for name in names], ignore_nulls=False)
    return Prepared(frame.filter(some), rows.scope, rows.lo, in_order=False)


def _fits(number: int) -> str:
    return f"step:{number}"


def _can_be(step: PositiveStep) -> str:
    return f"can_be:{step.number}"


def _fit(number: int, step: ir.Step, rows: Prepared, tied_by: Sequence[str]) -> nw.Expr:
    tests = [nw.col("kind").is_in(list(step.kinds))]
    mask = Selection.of(step).mask(rows)
    tests += [] if mask is None else [mask.fill_null(value=False)]
    # A missing tie value ties with nothing; the first step's event stands alone until something must follow it.
    tests += [~nw.col(column).is_null() for column in tied_by] if number else []
    return nw.all_horizontal(*tests, ignore_nulls=False)


def _with_start(frame: Frame, sequence: ir.Sequence) -> Frame:
    """Leaves only the first or last candidate of step one, before ties and later steps are looked at."""
    if sequence.start == "any":
        return frame
    candidate = nw.when(nw.col(_fits(0))).then(nw.col("place"))
    edge = candidate.min() if sequence.start == "first" else candidate.max()
    frame = frame.with_columns(edge.over("subject").alias("start"))
    return frame.with_columns(
        (nw.col(_fits(0)) & (nw.col("place") == nw.col("start"))).fill_null(value=False).alias(_fits(0))
    )


def _with_answer(
    frame: Frame,
    step: PositiveStep,
    following: PositiveStep | None,
    keys: Sequence[str],
    scope: Scope,
) -> Frame:
    """Adds ``can_be:I``: the event fits the step and all that must follow it follows."""
    denied = {f"denied:{number}": nw.col(_fits(number)) for number, _ in step.denied}
    marks = dict(denied)
    if following is not None:
        marks["next"] = nw.col(_can_be(following))
    if marks:
        frame = with_next(frame, marks, keys)
    if denied:
        frame = with_previous(frame, denied, keys)
    tests = [nw.col(_fits(step.number))]
    for number, one in step.denied:
        tests += _absent(f"denied:{number}", one, scope, open_until=None if following is None else "next:place")
    if following is not None:
        tests.append(nw.col("next:ts") < NEVER)
        # A first event without the tie value shares its missing value with others like it, which ties nothing.
        tests += [~nw.col(column).is_null() for column in keys[1:]]
        tests += _in_time(following.step, "next:ts", scope)
    return frame.with_columns(nw.all_horizontal(*tests, ignore_nulls=False).alias(_can_be(step)))


def _in_time(step: ir.Step, column: str, scope: Scope) -> list[nw.Expr]:
    if step.within is None:
        return []
    return [nw.col(column) <= later_us(nw.col("ts"), step.within, scope)]


def _absent(name: str, step: ir.Step, scope: Scope, *, open_until: str | None) -> list[nw.Expr]:
    """No event of a `then_not` step: at the same instant, nor later up to its end."""
    at_once = nw.col(f"{name}:before") < nw.col("ts")
    if step.within is not None:
        limit = later_us(nw.col("ts"), step.within, scope)
        return [at_once, limit <= scope.instant(), nw.col(f"{name}:ts") > limit]
    if open_until is not None:
        return [at_once, nw.col(f"{name}:place") >= nw.col(open_until)]
    return [at_once, nw.col(f"{name}:ts") >= NEVER]

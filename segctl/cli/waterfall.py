"""The sum behind a pair of records: one row for the prior, each field and the total, with a chart on terminals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from segctl.cli import output
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.cli.context import Context
    from segctl.identity.explain import PairEvidence

CHART_WIDTH = 20
_FOR, _AGAINST, _EVEN = "█", "░", "│"
COLUMNS = (
    output.Column("field"), output.Column("agreement"), output.Column("left"), output.Column("right"),
    output.Column("bits", type="number", digits=1), output.Column("sum", type="number", digits=1),
)  # fmt: skip
CHART = output.Column("chart", extra=True)


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the sum.

    Attributes:
        field: Compared field, ``prior`` or ``total``.
        agreement: Level reached; empty for prior and total.
        left: Value in comparable form, or None; `right` likewise.
        bits: What it adds; of the total, the total.
        start: Sum before it; 0 for prior and total.
        end: Sum after it.
    """

    field: str
    agreement: str
    left: str | None
    right: str | None
    bits: float
    start: float
    end: float


def rungs(pair: PairEvidence) -> list[Rung]:
    """The steps from the prior to the total; fields that say nothing are among them."""
    found = [Rung("prior", "", None, None, pair.prior_bits, 0.0, pair.prior_bits)]
    for one in pair.fields:
        start = found[-1].end
        bits = one.bits + one.rarity
        level = one.level + (", rare" if one.rarity >= 1 else ", frequent" if one.rarity <= -1 else "")
        found.append(Rung(one.field, level, one.left, one.right, bits, start, start + bits))
    return [*found, Rung("total", "", None, None, pair.bits, 0.0, pair.bits)]


def rows(
    ctx: Context, pair: PairEvidence, *, personal: bool
) -> tuple[tuple[output.Column, ...], list[tuple[Any, ...]]]:
    """Columns and rows of the table; the chart is drawn only where somebody looks on, values only when asked for."""
    steps = rungs(pair)
    is_drawn = ctx.format == "table" and ctx.terminal.out and ctx.terminal.unicode
    with_values = personal or ctx.format != "table"
    columns = COLUMNS if with_values else (*COLUMNS[:2], *COLUMNS[4:])
    told: list[tuple[Any, ...]] = []
    for step, line in zip(steps, bars(steps), strict=True):
        values = (step.left, step.right) if personal else (None, None)
        row = (step.field, step.agreement or None, *(values if with_values else ()))
        told.append((*row, round(step.bits, 2), round(step.end, 2), *([line] if is_drawn else [])))
    return (*columns, CHART) if is_drawn else columns, told


def bars(steps: Sequence[Rung], width: int = CHART_WIDTH) -> list[str]:
    """One line a step: its part of the way from the lowest to the highest sum, and where even odds lie."""
    ends = [end for step in steps for end in (step.start, step.end)]
    low, high = min(ends), max(ends)
    scale = (width - 1) / (high - low or 1.0)
    even = round((0.0 - low) * scale)
    lines = []
    for step in steps:
        cells = [" "] * width
        cells[even] = _EVEN
        first, last = sorted((round((step.start - low) * scale), round((step.end - low) * scale)))
        if step.bits:
            cells[first : last + 1] = (_FOR if step.bits > 0 else _AGAINST) * (last + 1 - first)
        lines.append("".join(cells))
    return lines


def said(pair: PairEvidence) -> str:
    """The sum in one sentence, for screen readers and logs."""
    parts = [f"{step.field} {step.bits:+.1f}" for step in rungs(pair)[:-1] if step.bits]
    return f"{' '.join(parts)} = {pair.bits:+.1f} bits, probability {chance(pair.probability)}"


def chance(probability: float) -> str:
    """A probability that never claims certainty.

    >>> chance(0.99995), chance(0.5), chance(0.00001)
    ('more than 99.9 %', '50.0 %', 'less than 0.1 %')
    """
    if probability > 0.999:
        return "more than 99.9 %"
    return "less than 0.1 %" if probability < 0.001 else f"{100 * probability:.1f} %"

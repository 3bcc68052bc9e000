"""The plan: everything a selection of segments asks, arranged so that work is shared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from segctl.compile import ir


@dataclass(frozen=True, slots=True)
class Output:
    """One column of the answers.

    Attributes:
        name: Column name: ``segment:NAME``, ``leaf:NAME:I``, ``value:TRAIT``, or what the caller chose.
        ask: A predicate (Boolean, null = unknown) or an expression (its physical form).
    """

    name: str
    ask: ir.Predicate | ir.Expression


@dataclass(frozen=True, slots=True)
class Plan:
    """Segments in order of reference, further outputs, and what they need.

    Attributes:
        segments: Each after the segments it refers to. Their columns are called ``segment:NAME``, are
            null-free and already ranked by `keep`.
        outputs: Further columns.
        metrics: Every distinct metric, grouped by its kinds, widest need first known to the engine.
        traits: Stored traits that must be columns of the profiles.
        samples: Salts of samples.
        lists: List look-ups.
        histories: Traits whose changes are asked.
    """

    segments: tuple[ir.LoweredSegment, ...]
    outputs: tuple[Output, ...]
    metrics: tuple[tuple[tuple[str, ...], tuple[ir.Metric, ...]], ...]
    traits: tuple[str, ...]
    samples: tuple[str, ...]
    lists: tuple[ir.InList, ...]
    histories: tuple[str, ...]


def plan(segments: Iterable[ir.LoweredSegment], outputs: Iterable[Output] = ()) -> Plan:
    """Arrange segments and outputs into one plan.

    Args:
        segments: All segments asked for *and* all they refer to, in any order; references form no cycle.
        outputs: Further columns; they may refer to the segments.
    """
    raise NotImplementedError

"""Formulas inside formulas as columns of their own, so that expressions grow with their length and not with a power."""

from __future__ import annotations

from collections.abc import Iterable

from segctl.compile import ir
from segctl.compile.plan import Node, parts
from segctl.engines.expressions import to_expr
from segctl.engines.frames import Frame
from segctl.engines.scope import Scope

_SHARED = (ir.Arithmetic, ir.DaysSince, ir.YearsSince)
_ANSWERED = (ir.MetricValue, ir.HasSequence, ir.HasCommonValue, ir.Score)


def with_formulas(frame: Frame, nodes: Iterable[Node], scope: Scope) -> tuple[Frame, Scope]:
    """The frame with a column for each formula that is an operand of another, and a scope that knows them.

    Rounding, dividing and choosing name their operands several times: three rounded formulas, each of the one before,
    would read the innermost value hundreds of times.
    """
    levels: dict[Node, int] = {}
    for node in nodes:
        _note(node, scope, levels)
    for level in range(max(levels.values(), default=-1) + 1):
        made = [node for node, of in levels.items() if of == level]
        names = {node: f"formula:{level}:{number}" for number, node in enumerate(made)}
        frame = frame.with_columns(*[to_expr(node, scope).alias(name) for node, name in names.items()])  # type: ignore[arg-type]  # only expressions are operands
        scope = scope.knowing(names)
    return frame, scope


def _note(node: Node, scope: Scope, levels: dict[Node, int]) -> int:
    """Notes every shared formula below a node with its level; gives the level at which the node can be evaluated."""
    if isinstance(node, _ANSWERED) or node in scope.known:
        return 0
    free = 0
    for part in parts(node):
        below = levels[part] if part in levels else _note(part, scope, levels)
        if isinstance(node, ir.Arithmetic) and isinstance(part, _SHARED) and part not in scope.known:
            levels[part] = below
            below += 1
        free = max(free, below)
    return free

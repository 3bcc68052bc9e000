"""Small systems of linear equations, such as the slopes of two covariates."""

from __future__ import annotations

from collections.abc import Sequence

SINGULAR = 1e-10


def solve(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """Solution of a symmetric system whose matrix has no negative eigenvalue; unknowns that nothing decides are 0.

    A column is left out when the earlier ones explain all but 1e-10 of it: constants, copies, sums of others.
    """
    size = len(right)
    rows = [[*map(float, row), float(value)] for row, value in zip(matrix, right, strict=True)]
    diagonal = [rows[i][i] for i in range(size)]
    used = []
    for i in range(size):
        pivot = rows[i][i]
        if pivot <= SINGULAR * diagonal[i] or pivot <= 0:
            continue
        used.append(i)
        for j in range(size):
            if j != i and rows[j][i]:
                factor = rows[j][i] / pivot
                rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i], strict=True)]
    # Columns left out have unknowns of 0, so what they hold in other rows does not matter.
    return [rows[i][size] / rows[i][i] if i in used else 0.0 for i in range(size)]

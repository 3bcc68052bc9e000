"""Arms that beat the control, held against one another: the best of several is often best by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.operations.ab.compare import judged
from segctl.operations.ab.metrics import pair

if TYPE_CHECKING:
    from segctl.operations.ab.design import Stage
    from segctl.operations.ab.parts import MetricReport
    from segctl.operations.ab.trial import Trial


def rivals(of: Trial, at: Stage, main: MetricReport, best: str) -> tuple[str, ...]:
    """Arms that are better than the control too and are not told from the best one.

    The level is shared by all pairs of arms that are better (Bonferroni), since which of them is the best was not known
    before.
    """
    others = [one.arm for one in main.effects if one.verdict == "better" and one.arm != best]
    metric = next(one for one in of.experiment.metrics if one.name == main.name)
    pairs = len(others) * (len(others) + 1) / 2
    alpha = 1 - float(of.experiment.confidence)
    found = []
    for arm in others:
        p = judged(of, at, metric, best, pair(of, metric, best, against=arm)).p
        if p is None or p * pairs > alpha:
            found.append(arm)
    return tuple(found)

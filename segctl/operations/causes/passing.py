"""When profiles moved between two instants of the past, with the same rules and the same knowledge at both.

A simulation looks now and then; recorded runs know the instant to the second. So that both say the same of whoever
waits since then, or ordered between entering and the look, the instant is found here as it is for a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl import __version__
from segctl.operations.causes.clock import clocked
from segctl.operations.causes.moves import Explaining
from segctl.operations.causes.replay import Rules
from segctl.operations.causes.rows import EVENTS, RECORDS, delta
from segctl.state.runs import Run, RunStatus

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.operations.evaluation import Answers
    from segctl.operations.session import Session


def moments(
    session: Session, moves: pl.DataFrame, answers: Answers, *, since: datetime, as_of: datetime, snapshot: int
) -> pl.DataFrame:
    """The instant of every move that the clock made between two evaluations.

    Args:
        session: Open project and workspace.
        moves: ``segment`` String, ``subject`` Int32, ``entered`` Boolean.
        answers: Of the later evaluation.
        since: As_of of the earlier one.
        as_of: As_of of the later one.
        snapshot: What both knew.

    Returns:
        ``segment``, ``subject``, ``cause``, ``effective`` Datetime(us, UTC), one row per move; `as_of` where the
        instant cannot be told.
    """
    return _Passing(session, _unrecorded(since, snapshot), answers, as_of, snapshot).passed(moves)


class _Passing(Explaining):
    """The moves between two instants of which nothing is new but the time."""

    def passed(self, moves: pl.DataFrame) -> pl.DataFrame:
        self.moves, self._told = moves, self.answers.details
        names = moves["segment"].unique().sort().to_list()
        rules = Rules(self.session, {}, self._given(names))
        raw = self._raw(moves["subject"].unique().sort())
        then, now = self._sides(rules, None, raw)
        read = (delta(self.workspace, part, self.snapshot, self.snapshot, raw) for part in (EVENTS, RECORDS))
        rows = self._rows(moves, then, now, [one for one in read if one is not None])
        return clocked(moves, rows, then, now, self._raw, self._leaves(moves, now))


def _unrecorded(as_of: datetime, snapshot: int) -> Run:
    """A run that nobody recorded; it stands for what was known."""
    return Run(0, "", RunStatus.WHAT_IF, as_of, snapshot, as_of, as_of, __version__, {}, {}, {}, True, snapshot)

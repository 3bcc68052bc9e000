"""What a changed rule does and what changed data do: old and new rule on old and new data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.model.errors import SegctlError
from segctl.operations.evaluation import evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import polars as pl

    from segctl.operations.evaluation import Answers
    from segctl.operations.session import Session
    from segctl.state.runs import Run


@dataclass(frozen=True, slots=True)
class Effects:
    """Members under each rule on each data, and the moves that each of the two makes; profiles throughout.

    The way goes from the old rule on old data over the old rule on new data to the new rule on new data, so the
    moves of both together are those of the segment, less those that undo one another.

    Attributes:
        old_old: Old rule on old data: what is in force.
        old_new: Old rule on new data; None when it cannot be evaluated any more, and then the moves are None too.
        new_old: New rule on old data; None when the files of then are gone.
        new_new: New rule on new data: what would be.
        rule_entered: Who enters because of the rule, on the data of today.
        rule_left: Likewise.
        data_entered: Who enters because of data and time, under the rule of then.
        data_left: Likewise.
    """

    old_old: int
    old_new: int | None
    new_old: int | None
    new_new: int
    rule_entered: int | None
    rule_left: int | None
    data_entered: int | None
    data_left: int | None


@dataclass(frozen=True, slots=True)
class OldRule:
    """The rule that a segment has in force.

    Attributes:
        run: The run in force.
        then: Definitions and lists of that run, over today's workspace.
        name: What the segment was called.
    """

    run: Run
    then: Session
    name: str


def effects(
    session: Session,
    changed: Mapping[str, OldRule],
    answers: Answers,
    *,
    as_of: datetime,
    snapshot: int,
    engine: str,
) -> dict[str, Effects]:
    """The effects for every segment whose rule has changed.

    Args:
        session: Open project and workspace.
        changed: Segment → its old rule.
        answers: Of the new rules on the new data.
        as_of: Valid time of the new data.
        snapshot: Files of the new data.
        engine: What evaluates.
    """
    from segctl.state.memberships import members

    by_run: dict[int, dict[str, OldRule]] = {}
    for name, old in changed.items():
        by_run.setdefault(old.run.number, {})[name] = old
    found = {}
    for group in by_run.values():
        first = next(iter(group.values()))
        run, names = first.run, [old.name for old in group.values()]
        old_new = _evaluated(first.then, names, as_of=as_of, snapshot=snapshot, engine=engine)
        new_old = None
        if run.reproducible:
            new_old = _evaluated(session, list(group), as_of=run.as_of, snapshot=run.snapshot, engine=engine)
        for name, old in group.items():
            before = members(session.workspace, old.name)
            found[name] = _effects(before, _subjects(old_new, old.name), _subjects(new_old, name),
                                   _subjects(answers, name))  # fmt: skip
    return {name: one for name, one in found.items() if one is not None}


def _evaluated(
    session: Session, names: Sequence[str], *, as_of: datetime, snapshot: int, engine: str
) -> Answers | None:
    """The answers; None when what was possible then is not any more, which must not stop a plan."""
    try:
        with session.workspace.lease(snapshot):
            return evaluate(session, names, as_of=as_of, snapshot=snapshot, engine=engine)
    except SegctlError:
        return None


def _subjects(answers: Answers | None, name: str) -> pl.Series | None:
    if answers is None or name not in answers.frame.columns:
        return None
    return answers.frame["subject"].filter(answers.frame[name].fill_null(value=False))


def _effects(
    old_old: pl.Series, old_new: pl.Series | None, new_old: pl.Series | None, new_new: pl.Series | None
) -> Effects | None:
    if new_new is None:
        return None
    sides = (len(old_old), _count(old_new), _count(new_old), len(new_new))
    if old_new is None:
        return Effects(*sides, None, None, None, None)
    return Effects(
        *sides,
        rule_entered=_beyond(new_new, old_new),
        rule_left=_beyond(old_new, new_new),
        data_entered=_beyond(old_new, old_old),
        data_left=_beyond(old_old, old_new),
    )


def _count(subjects: pl.Series | None) -> int | None:
    return None if subjects is None else len(subjects)


def _beyond(these: pl.Series, others: pl.Series) -> int:
    """How many of these are not among the others."""
    return len(these) - int(these.is_in(others.implode()).sum())
